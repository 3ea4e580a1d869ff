/** Puts the demo guest into a disk image: boot sector, guest behind it, the rest empty. */
import { assemble } from '../assembler'

export interface DemoSources {
  readonly boot: string
  readonly guest: string
}

const SECTOR_BYTES = 512
export const DEMO_DISK_SECTORS = 2048
/** The guest is loaded in one go below the stack of the BIOS data and 64 KiB of its segment. */
const MAXIMUM_GUEST_SECTORS = 48

export function buildDemoDiskFrom(sources: DemoSources): Uint8Array {
  const guest = assemble(sources.guest, { file: 'guest.asm' }).bytes
  const sectors = Math.ceil(guest.length / SECTOR_BYTES)
  if (sectors > MAXIMUM_GUEST_SECTORS) throw new Error(`the demo guest has ${sectors} sectors, more than ${MAXIMUM_GUEST_SECTORS}`)
  const boot = assemble(sources.boot, { file: 'boot.asm', defines: { STAGE_SECTORS: sectors } }).bytes
  if (boot.length !== SECTOR_BYTES) throw new Error(`the demo guest's boot sector has ${boot.length} bytes`)
  const image = new Uint8Array(DEMO_DISK_SECTORS * SECTOR_BYTES)
  image.set(boot, 0)
  image.set(guest, SECTOR_BYTES)
  return image
}
