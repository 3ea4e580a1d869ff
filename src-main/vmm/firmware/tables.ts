/** All tables that firmware leaves for an operating system: ACPI, MP and SMBIOS. Used by the built-in BIOS and by direct boot. */
import type { GuestMemory } from '../memory/guest-memory'
import { gpa } from '../support/branded'
import { placeAcpiTables, RSDP_BYTES } from './acpi/tables'
import { buildFloatingPointer, buildMpTable, FLOATING_POINTER_BYTES } from './mptable/mptable'
import { buildEntryPoint, buildSmbiosTable, ENTRY_POINT_BYTES } from './smbios/smbios'

export interface TableOptions {
  readonly cpus: number
  /** 16-byte aligned place of the anchors (RSDP, SMBIOS, MP), in writable memory at F0000h..FFFFFh; or in the first KiB of the EBDA for the RSDP alone. */
  readonly anchorsAt: number
  readonly serialPorts?: number
  readonly uuid?: Uint8Array
}

export interface PlacedTables {
  readonly rsdp: number
  /** 0: there was no room for them (anchors outside of the ROM area). */
  readonly smbios: number
  readonly mpFloatingPointer: number
}

/** Where anchors go when there is no ROM in the way (direct boot). */
export const DEFAULT_ANCHORS = 0xf0000
const ROM_AREA = 0xf0000

export function placeTables(memory: GuestMemory, options: TableOptions): PlacedTables {
  const { cpus, anchorsAt, serialPorts = 4, uuid } = options
  const align = (n: number): number => Math.ceil(n / 16) * 16
  const rsdp = anchorsAt
  placeAcpiTables(memory, { cpus, serialPorts }, rsdp)
  if (anchorsAt < ROM_AREA) return { rsdp, smbios: 0, mpFloatingPointer: 0 }
  const entry = align(rsdp + RSDP_BYTES)
  const floating = align(entry + ENTRY_POINT_BYTES)
  const mpAddress = align(floating + FLOATING_POINTER_BYTES)
  const mpTable = buildMpTable({ cpus })
  memory.write(gpa(floating), buildFloatingPointer(mpAddress))
  memory.write(gpa(mpAddress), mpTable)
  const smbios = buildSmbiosTable({ cpus, ramBytes: memory.ramBytes, lowRamBytes: memory.lowRamBytes, ...(uuid === undefined ? {} : { uuid }) })
  const smbiosAddress = align(mpAddress + mpTable.length)
  memory.write(gpa(smbiosAddress), smbios.table)
  memory.write(gpa(entry), buildEntryPoint(smbios, smbiosAddress))
  return { rsdp, smbios: entry, mpFloatingPointer: floating }
}
