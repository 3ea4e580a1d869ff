/** The boot catalogue of a CD. "El Torito" Bootable CD-ROM Format Specification 1.0, sections 2 and 4. */
export const CD_SECTOR_BYTES = 2048
export const BOOT_RECORD_LBA = 17

export interface ElToritoEntry {
  /** 0 no emulation, 1 1.2 MB, 2 1.44 MB, 3 2.88 MB diskette, 4 hard disk. */
  readonly media: 0 | 1 | 2 | 3 | 4
  readonly loadSegment: number
  /** Sectors of 512 bytes to load. */
  readonly sectorCount: number
  /** First CD sector of the image. */
  readonly lba: number
}

const text = (bytes: Uint8Array, offset: number, count: number): string => String.fromCharCode(...bytes.subarray(offset, offset + count))

/** Sector 17 -> where the catalogue is; undefined: not a bootable CD. */
export function bootCatalogueLba(sector: Uint8Array): number | undefined {
  if (sector.length < CD_SECTOR_BYTES || sector[0] !== 0 || text(sector, 1, 5) !== 'CD001') return undefined
  if (text(sector, 7, 23) !== 'EL TORITO SPECIFICATION') return undefined
  return new DataView(sector.buffer, sector.byteOffset).getUint32(0x47, true)
}

function parseEntry(view: DataView, offset: number): ElToritoEntry | undefined {
  if (view.getUint8(offset) !== 0x88) return undefined
  const media = view.getUint8(offset + 1) & 0x0f
  if (media !== 0 && media !== 1 && media !== 2 && media !== 3 && media !== 4) return undefined
  const loadSegment = view.getUint16(offset + 2, true)
  return { media, loadSegment: loadSegment === 0 ? 0x7c0 : loadSegment, sectorCount: view.getUint16(offset + 6, true), lba: view.getUint32(offset + 8, true) }
}

/** The entry that a PC BIOS boots: the initial one when it is for 80x86, else the first such in the sections that follow. */
export function parseBootCatalogue(sector: Uint8Array): ElToritoEntry | undefined {
  if (sector.length < 64) return undefined
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length)
  if (view.getUint8(0) !== 1 || view.getUint16(30, true) !== 0xaa55) return undefined
  let sum = 0
  for (let i = 0; i < 32; i += 2) sum += view.getUint16(i, true)
  if ((sum & 0xffff) !== 0) return undefined
  if (view.getUint8(1) === 0) {
    const entry = parseEntry(view, 32)
    if (entry !== undefined) return entry
  }
  for (let offset = 64; offset + 64 <= sector.length; ) {
    const kind = view.getUint8(offset)
    if (kind !== 0x90 && kind !== 0x91) break
    const isPc = view.getUint8(offset + 1) === 0
    const count = view.getUint16(offset + 2, true)
    offset += 32
    for (let i = 0; i < count && offset + 32 <= sector.length; i++, offset += 32) {
      const entry = isPc ? parseEntry(view, offset) : undefined
      if (entry !== undefined) return entry
    }
    if (kind === 0x91) break
  }
  return undefined
}

/** Heads and sectors of an emulated hard disk, as the end of its first partition tells them (El Torito 2.2, system type); undefined: it does not. */
export function partitionGeometry(bootSector: Uint8Array): { readonly heads: number; readonly sectors: number } | undefined {
  const heads = (bootSector[0x1be + 5] ?? 0) + 1
  const sectors = (bootSector[0x1be + 6] ?? 0) & 0x3f
  const isPartition = (bootSector[0x1be + 4] ?? 0) !== 0 && bootSector[510] === 0x55 && bootSector[511] === 0xaa
  return isPartition && sectors > 0 && heads <= 255 ? { heads, sectors } : undefined
}

/** Cylinders, heads, sectors of the emulated diskettes. */
export const DISKETTE_GEOMETRY: Readonly<Record<1 | 2 | 3, readonly [cylinders: number, heads: number, sectors: number]>> = {
  1: [80, 2, 15],
  2: [80, 2, 18],
  3: [80, 2, 36],
}
