/** ACPI tables. ACPI 6.3, section 5.2; IA-PC HPET specification 1.0a, section 3.2.4. */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import { PM_BASE, SCI_IRQ } from '../bios/pci-setup'
import { putText, sealChecksum } from '../checksum'
import { acpiAreaAddress, ACPI_AREA_BYTES, FACS_AREA_BYTES } from '../memory-map'
import { dsdtBody } from './dsdt'

export interface AcpiOptions {
  readonly cpus: number
  readonly serialPorts: number
}

export const HEADER_BYTES = 36
export const IOAPIC_ADDRESS = 0xfec00000
export const LAPIC_ADDRESS = 0xfee00000
const HPET_ADDRESS = 0xfed00000
/** ISA interrupts that PCI links and the SCI use: level-triggered. */
const LEVEL_IRQS = [5, SCI_IRQ, 10, 11]
const RESET_PORT = 0xcf9
const RESET_VALUE = 0x06

/** A system description table with its header and checksum: ACPI 6.3, 5.2.6. */
export function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  const view = new DataView(bytes.buffer)
  putText(bytes, 0, signature, 4)
  view.setUint32(4, bytes.length, true)
  bytes[8] = revision
  putText(bytes, 10, 'VTRINE', 6)
  putText(bytes, 16, 'VTRINEPC', 8)
  view.setUint32(24, 1, true)
  putText(bytes, 28, 'VTRN', 4)
  view.setUint32(32, 1, true)
  bytes.set(body, HEADER_BYTES)
  sealChecksum(bytes, 0, bytes.length, 9)
  return bytes
}

export function buildDsdt(options: AcpiOptions): Uint8Array {
  // Revision 1: 32-bit integers.
  return table('DSDT', 1, Uint8Array.from(dsdtBody(options)))
}

/** FADT of revision 3: 244 bytes. */
export function buildFadt(dsdt: number, facs: number): Uint8Array {
  const body = new Uint8Array(244 - HEADER_BYTES)
  const view = new DataView(body.buffer)
  const at = (offset: number): number => offset - HEADER_BYTES
  const genericAddress = (offset: number, bits: number, address: number, access: number): void => {
    view.setUint8(at(offset), 1)
    view.setUint8(at(offset + 1), bits)
    view.setUint8(at(offset + 3), access)
    view.setUint32(at(offset + 4), address, true)
  }
  view.setUint32(at(36), facs, true)
  view.setUint32(at(40), dsdt, true)
  // Preferred profile: desktop. No SMI command port: the firmware has switched to ACPI mode (SCI_EN) already.
  view.setUint8(at(45), 1)
  view.setUint16(at(46), SCI_IRQ, true)
  view.setUint32(at(56), PM_BASE, true)
  view.setUint32(at(64), PM_BASE + 4, true)
  view.setUint32(at(76), PM_BASE + 8, true)
  view.setUint8(at(88), 4)
  view.setUint8(at(89), 2)
  view.setUint8(at(91), 4)
  // C2 and C3 are not there.
  view.setUint16(at(96), 0xfff, true)
  view.setUint16(at(98), 0xfff, true)
  // Century register of the RTC.
  view.setUint8(at(108), 0x32)
  // Legacy devices and an 8042 are there; 8-bit CMOS RTC too.
  view.setUint16(at(109), 0x0003, true)
  // WBINVD works, C1 on every processor, no sleep button, RTC cannot wake from S4, reset register.
  view.setUint32(at(112), 0x1 | 0x4 | 0x20 | 0x400, true)
  genericAddress(116, 8, RESET_PORT, 1)
  view.setUint8(at(128), RESET_VALUE)
  view.setUint32(at(132), facs, true)
  view.setUint32(at(140), dsdt, true)
  genericAddress(148, 32, PM_BASE, 2)
  genericAddress(172, 16, PM_BASE + 4, 2)
  genericAddress(208, 32, PM_BASE + 8, 3)
  return table('FACP', 3, body)
}

export function buildMadt(options: AcpiOptions): Uint8Array {
  const entries: number[][] = []
  const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
  for (let i = 0; i < options.cpus; i++) entries.push([0, 8, i, i, 1, 0, 0, 0])
  entries.push([1, 12, options.cpus, 0, ...dword(IOAPIC_ADDRESS), ...dword(0)])
  // The PIT is on pin 2.
  entries.push([2, 10, 0, 0, ...dword(2), 0, 0])
  // Active high, level-triggered.
  for (const irq of LEVEL_IRQS) entries.push([2, 10, 0, irq, ...dword(irq), 0x0d, 0])
  // NMI on LINT1 of every processor.
  entries.push([4, 6, 0xff, 0, 0, 1])
  // Local APIC address; flags: there is an 8259 pair as well.
  return table('APIC', 1, Uint8Array.from([...dword(LAPIC_ADDRESS), ...dword(1), ...entries.flat()]))
}

export function buildHpet(): Uint8Array {
  const body = new Uint8Array(56 - HEADER_BYTES)
  const view = new DataView(body.buffer)
  view.setUint32(0, 0x8086a201, true)
  view.setUint32(8, HPET_ADDRESS, true)
  view.setUint16(17, 0x80, true)
  return table('HPET', 1, body)
}

export function buildFacs(): Uint8Array {
  const bytes = new Uint8Array(64)
  putText(bytes, 0, 'FACS', 4)
  new DataView(bytes.buffer).setUint32(4, 64, true)
  bytes[32] = 1
  return bytes
}

function buildRoot(addresses: readonly number[], wide: boolean): Uint8Array {
  const body = new Uint8Array(addresses.length * (wide ? 8 : 4))
  const view = new DataView(body.buffer)
  addresses.forEach((address, i) => view.setUint32(i * (wide ? 8 : 4), address, true))
  return table(wide ? 'XSDT' : 'RSDT', 1, body)
}

export const RSDP_BYTES = 36

export function buildRsdp(rsdt: number, xsdt: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_BYTES)
  const view = new DataView(bytes.buffer)
  putText(bytes, 0, 'RSD PTR ', 8)
  putText(bytes, 9, 'VTRINE', 6)
  bytes[15] = 2
  view.setUint32(16, rsdt, true)
  view.setUint32(20, RSDP_BYTES, true)
  view.setUint32(24, xsdt, true)
  sealChecksum(bytes, 0, 20, 8)
  sealChecksum(bytes, 0, RSDP_BYTES, 32)
  return bytes
}

/** The tables of a PC into the area that the memory map keeps for them, and the RSDP at `rsdpAt` (16-byte aligned). */
export function placeAcpiTables(memory: GuestMemory, options: AcpiOptions, rsdpAt: number): void {
  const facs = acpiAreaAddress(memory) + ACPI_AREA_BYTES - FACS_AREA_BYTES
  memory.write(gpa(facs), buildFacs())
  placeAll(memory, buildDsdt(options), (dsdt) => [buildFadt(dsdt, facs), buildMadt(options), buildHpet()], rsdpAt)
}

/** DSDT, then what refers to it, then the roots. */
export function placeAll(memory: GuestMemory, dsdt: Uint8Array, others: (dsdt: number) => readonly Uint8Array[], rsdpAt: number): void {
  let next = acpiAreaAddress(memory)
  const place = (bytes: Uint8Array): number => {
    const address = next
    memory.write(gpa(address), bytes)
    next = Math.ceil((address + bytes.length) / 16) * 16
    return address
  }
  const tables = others(place(dsdt)).map(place)
  const rsdt = place(buildRoot(tables, false))
  const xsdt = place(buildRoot(tables, true))
  memory.write(gpa(rsdpAt), buildRsdp(rsdt, xsdt))
}
