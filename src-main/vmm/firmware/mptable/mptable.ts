/** MultiProcessor tables. Intel MultiProcessor Specification 1.4, chapter 4. */
import { PIRQ_IRQS, pirqOf } from '../bios/pci-setup'
import { putText, sealChecksum } from '../checksum'

const HEADER_BYTES = 44
export const FLOATING_POINTER_BYTES = 16
const LAPIC_ADDRESS = 0xfee00000
const IOAPIC_ADDRESS = 0xfec00000
const PCI_BUS = 0
const ISA_BUS = 1

const INTERRUPT = 0
const NMI = 1
const EXTINT = 3

/** `featureFlags`: EDX of CPUID 1, `signature`: EAX. */
export interface MpOptions {
  readonly cpus: number
  readonly signature?: number
  readonly featureFlags?: number
}

export function buildMpTable(options: MpOptions): Uint8Array {
  const { cpus, signature = 0x000006f0, featureFlags = 0x0783fbff } = options
  const ioApic = cpus
  const entries: number[][] = []
  const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
  const bus = (id: number, kind: string): number[] => [1, id, ...[...kind.padEnd(6)].map((c) => c.charCodeAt(0))]
  for (let i = 0; i < cpus; i++) {
    entries.push([0, i, 0x14, i === 0 ? 3 : 1, ...dword(signature), ...dword(featureFlags), ...dword(0), ...dword(0)])
  }
  entries.push(bus(PCI_BUS, 'PCI'), bus(ISA_BUS, 'ISA'))
  entries.push([2, ioApic, 0x20, 1, ...dword(IOAPIC_ADDRESS)])
  // ISA interrupts by their number, the timer on pin 2; those of PCI links are level-triggered, active high.
  for (let irq = 0; irq < 16; irq++) {
    if (irq === 2) continue
    const isLevel = irq === 9 || PIRQ_IRQS.some((line) => line === irq)
    entries.push([3, INTERRUPT, isLevel ? 0x0d : 0, 0, ISA_BUS, irq, ioApic, irq === 0 ? 2 : irq])
  }
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      entries.push([3, INTERRUPT, 0x0d, 0, PCI_BUS, (slot << 2) | pin, ioApic, PIRQ_IRQS[pirqOf(slot, pin + 1)] ?? 10])
    }
  }
  entries.push([4, EXTINT, 0, 0, ISA_BUS, 0, 0, 0])
  entries.push([4, NMI, 0, 0, ISA_BUS, 0, 0xff, 1])

  const body = entries.flat()
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  const view = new DataView(bytes.buffer)
  putText(bytes, 0, 'PCMP', 4)
  view.setUint16(4, bytes.length, true)
  bytes[6] = 4
  putText(bytes, 8, 'VITRINE', 8)
  putText(bytes, 16, 'PC', 12)
  view.setUint16(34, entries.length, true)
  view.setUint32(36, LAPIC_ADDRESS, true)
  bytes.set(body, HEADER_BYTES)
  sealChecksum(bytes, 0, bytes.length, 7)
  return bytes
}

export function buildFloatingPointer(table: number): Uint8Array {
  const bytes = new Uint8Array(FLOATING_POINTER_BYTES)
  putText(bytes, 0, '_MP_', 4)
  new DataView(bytes.buffer).setUint32(4, table, true)
  bytes[8] = 1
  bytes[9] = 4
  // Virtual wire mode.
  bytes[12] = 0
  sealChecksum(bytes, 0, FLOATING_POINTER_BYTES, 10)
  return bytes
}
