/** "El Torito" boot catalogue: which firmware finds something to boot on a disc. */
import { SECTOR } from './iso9660'
import { Fields, type MediaFile } from './media-file'

const ENTRY = 32
const MAX_ENTRIES = 64
const HEADER = 0x90
const LAST_HEADER = 0x91
const EXTENSION = 0x44
const BOOTABLE = 0x88

export type BootPlatform = 'x86' | 'powerpc' | 'mac' | 'efi' | 'unknown'

export interface BootCatalogue {
  /** Platforms with an entry that is marked bootable and lies inside the file. */
  readonly platforms: readonly BootPlatform[]
  /** Its checksum is right. */
  readonly sound: boolean
}

function platformOf(id: number): BootPlatform {
  return id === 0 ? 'x86' : id === 1 ? 'powerpc' : id === 2 ? 'mac' : id === 0xef ? 'efi' : 'unknown'
}

export async function readBootCatalogue(file: MediaFile, sector: number): Promise<BootCatalogue> {
  const fields = new Fields(await file.read(sector * SECTOR, MAX_ENTRIES * ENTRY))
  let sum = 0
  for (let at = 0; at < ENTRY; at += 2) sum = (sum + fields.u16(at)) & 0xffff
  const sound = fields.u8(0) === 1 && fields.matches(30, [0x55, 0xaa]) && sum === 0
  const platforms = new Set<BootPlatform>()
  if (!sound) return { platforms: [], sound }
  const add = (at: number, platform: BootPlatform): void => {
    if (fields.u8(at) === BOOTABLE && fields.u32(at + 8) * SECTOR < file.bytes) platforms.add(platform)
  }
  add(ENTRY, platformOf(fields.u8(1)))
  for (let at = 2 * ENTRY; at < fields.bytes.length; ) {
    const kind = fields.u8(at)
    if (kind !== HEADER && kind !== LAST_HEADER) break
    const platform = platformOf(fields.u8(at + 1))
    const count = fields.u16(at + 2)
    at += ENTRY
    for (let i = 0; i < count && at < fields.bytes.length; i++) {
      add(at, platform)
      at += ENTRY
      while (fields.u8(at) === EXTENSION && at < fields.bytes.length) at += ENTRY
    }
    if (kind === LAST_HEADER) break
  }
  return { platforms: [...platforms], sound }
}
