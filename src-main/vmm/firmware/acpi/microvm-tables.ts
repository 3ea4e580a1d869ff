/** ACPI tables of a board without legacy devices: hardware-reduced ACPI. ACPI 6.3, 4.1 and 5.2. */
import type { GuestMemory } from '../../memory/guest-memory'
import { microvmDsdtBody, type MicrovmDsdtOptions } from './microvm-dsdt'
import { HEADER_BYTES, IOAPIC_ADDRESS, LAPIC_ADDRESS, placeAll, table } from './tables'

export interface MicrovmAcpiOptions extends MicrovmDsdtOptions {
  readonly sleepControl: number
  readonly sleepStatus: number
  readonly reset: { readonly address: number; readonly value: number }
}

/** FADT of revision 6: 276 bytes. */
const FADT_BYTES = 276
const FADT_REVISION = 6
/** IAPC_BOOT_ARCH: no VGA, no CMOS RTC; neither legacy devices nor an 8042 (table 5.10). */
const NO_VGA = 1 << 2
const NO_CMOS_RTC = 1 << 5
/** WBINVD works, reset register, hardware-reduced (table 5.9). */
const FADT_FLAGS = (1 << 0) | (1 << 10) | (1 << 20)
const SYSTEM_MEMORY = 0
const BYTE_ACCESS = 1

function buildFadt(dsdt: number, options: MicrovmAcpiOptions): Uint8Array {
  const body = new Uint8Array(FADT_BYTES - HEADER_BYTES)
  const view = new DataView(body.buffer)
  const at = (offset: number): number => offset - HEADER_BYTES
  const byteRegister = (offset: number, address: number): void => {
    view.setUint8(at(offset), SYSTEM_MEMORY)
    view.setUint8(at(offset + 1), 8)
    view.setUint8(at(offset + 3), BYTE_ACCESS)
    view.setUint32(at(offset + 4), address, true)
  }
  view.setUint32(at(40), dsdt, true)
  view.setUint16(at(109), NO_VGA | NO_CMOS_RTC, true)
  view.setUint32(at(112), FADT_FLAGS, true)
  byteRegister(116, options.reset.address)
  view.setUint8(at(128), options.reset.value)
  view.setUint32(at(140), dsdt, true)
  byteRegister(244, options.sleepControl)
  byteRegister(256, options.sleepStatus)
  return table('FACP', FADT_REVISION, body)
}

/** Local APICs and one I/O APIC; no 8259 pair, no overrides. */
function buildMadt({ cpus }: MicrovmAcpiOptions): Uint8Array {
  const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
  const processors = Array.from({ length: cpus }, (_, i) => [0, 8, i, i, 1, 0, 0, 0])
  const ioApic = [1, 12, cpus, 0, ...dword(IOAPIC_ADDRESS), ...dword(0)]
  const nmi = [4, 6, 0xff, 0, 0, 1]
  return table('APIC', 4, Uint8Array.from([...dword(LAPIC_ADDRESS), ...dword(0), ...[...processors, ioApic, nmi].flat()]))
}

/** Puts the tables into the area that the memory map keeps for them, and the RSDP at `rsdpAt` (16-byte aligned). */
export function placeMicrovmTables(memory: GuestMemory, options: MicrovmAcpiOptions, rsdpAt: number): void {
  const dsdt = table('DSDT', 2, Uint8Array.from(microvmDsdtBody(options)))
  placeAll(memory, dsdt, (address) => [buildFadt(address, options), buildMadt(options)], rsdpAt)
}

