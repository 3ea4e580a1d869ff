/** What is where in guest-physical memory, as E820h, PVH and the boot protocol tell it. ACPI 6.3, section 15. */
import type { GuestMemory } from '../memory/guest-memory'

/** 1 RAM, 2 reserved, 3 ACPI tables (may be reclaimed), 4 ACPI non-volatile. */
export interface MemoryMapEntry {
  readonly address: number
  readonly bytes: number
  readonly type: 1 | 2 | 3 | 4
}

/** Kept at the end of the RAM below 4 GiB for ACPI tables; the last page is for the FACS. */
export const ACPI_AREA_BYTES = 0x10000
export const FACS_AREA_BYTES = 0x1000
const EBDA = 0x9fc00
const VIDEO = 0xa0000
const BIOS_ROM = 0xf0000
const ONE_MIB = 0x100000
const FOUR_GIB = 0x100000000

type Sizes = Pick<GuestMemory, 'ramBytes' | 'lowRamBytes'>

/** First byte of the area for ACPI tables. */
export function acpiAreaAddress(memory: Sizes): number {
  return memory.lowRamBytes - ACPI_AREA_BYTES
}

export function memoryMap(memory: Sizes): readonly MemoryMapEntry[] {
  const acpi = acpiAreaAddress(memory)
  const facs = memory.lowRamBytes - FACS_AREA_BYTES
  const map: MemoryMapEntry[] = [
    { address: 0, bytes: EBDA, type: 1 },
    { address: EBDA, bytes: VIDEO - EBDA, type: 2 },
    { address: BIOS_ROM, bytes: ONE_MIB - BIOS_ROM, type: 2 },
    { address: ONE_MIB, bytes: acpi - ONE_MIB, type: 1 },
    { address: acpi, bytes: facs - acpi, type: 3 },
    { address: facs, bytes: FACS_AREA_BYTES, type: 4 },
    { address: 0xfec00000, bytes: 0x1000, type: 2 },
    { address: 0xfee00000, bytes: 0x1000, type: 2 },
    { address: 0xffff0000, bytes: 0x10000, type: 2 },
  ]
  if (memory.ramBytes > memory.lowRamBytes) map.push({ address: FOUR_GIB, bytes: memory.ramBytes - memory.lowRamBytes, type: 1 })
  return map
}

/** Of a board without firmware and video memory. */
export function microvmMemoryMap(memory: Sizes): readonly MemoryMapEntry[] {
  const acpi = acpiAreaAddress(memory)
  const map: MemoryMapEntry[] = [
    { address: 0, bytes: EBDA, type: 1 },
    { address: BIOS_ROM, bytes: ONE_MIB - BIOS_ROM, type: 2 },
    { address: ONE_MIB, bytes: acpi - ONE_MIB, type: 1 },
    { address: acpi, bytes: ACPI_AREA_BYTES, type: 3 },
  ]
  if (memory.ramBytes > memory.lowRamBytes) map.push({ address: FOUR_GIB, bytes: memory.ramBytes - memory.lowRamBytes, type: 1 })
  return map
}
