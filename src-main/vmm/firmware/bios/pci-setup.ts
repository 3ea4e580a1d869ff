/**
 * What a BIOS does to PCI at power-on: gives every BAR an address, routes the interrupts, and switches on the PIIX's own parts.
 * Intel 82371AB (PIIX4) data sheet, sections 4 and 7; PCI Local Bus Specification 3.0, section 6.2.5.
 */
import type { BiosIo } from './host'
import { PciConfig } from './pci-config'
import type { Bdf } from './pci-config'

/** PIRQA#..D# -> ISA IRQ: shared, level-triggered. */
export const PIRQ_IRQS: readonly [number, number, number, number] = [10, 10, 11, 11]
export const SCI_IRQ = 9
export const PM_BASE = 0x600
/** Where BARs go: ports, and memory between the end of low RAM and the I/O APIC. */
const PIO_WINDOW = { first: 0xc000, last: 0xfeff }
const MMIO_WINDOW = { first: 0xe0000000, last: 0xfebfffff }

const COMMAND_PIO = 1
const COMMAND_MEMORY = 2

interface BarRequest {
  readonly bdf: Bdf
  readonly register: number
  readonly bytes: number
  readonly isPio: boolean
  readonly is64Bit: boolean
}

/** PIRQ number (0..3) of a slot's INTx pin (1..4): slots are swizzled, with device 1's INTA# on PIRQA#, as the 440FX boards do it. */
export function pirqOf(device: number, pin: number): number {
  return (device - 1 + pin - 1) & 3
}

function probeBars(config: PciConfig, bdf: Bdf): BarRequest[] {
  const requests: BarRequest[] = []
  for (let i = 0; i < 6; i++) {
    const register = 0x10 + i * 4
    const old = config.read(bdf, register, 4)
    config.write(bdf, register, 4, 0xffffffff)
    const probe = config.read(bdf, register, 4)
    config.write(bdf, register, 4, old)
    if (probe === 0 || probe === 0xffffffff) continue
    const isPio = (probe & 1) !== 0
    const mask = isPio ? probe | 0xffff0003 : probe | 0xf
    const bytes = ((~(isPio ? mask & ~3 : mask & ~0xf)) >>> 0) + 1
    const is64Bit = !isPio && (probe & 6) === 4
    requests.push({ bdf, register, bytes, isPio, is64Bit })
    if (is64Bit) i++
  }
  return requests
}

/** Largest first, so that nothing is lost to alignment. What does not fit stays off. */
function placeBars(config: PciConfig, requests: readonly BarRequest[]): void {
  let nextPio = PIO_WINDOW.first
  let nextMmio = MMIO_WINDOW.first
  const commands = new Map<Bdf, number>()
  for (const request of [...requests].sort((a, b) => b.bytes - a.bytes)) {
    const { bdf, register, bytes, isPio } = request
    const next = isPio ? nextPio : nextMmio
    const address = Math.ceil(next / bytes) * bytes
    const window = isPio ? PIO_WINDOW : MMIO_WINDOW
    if (address + bytes - 1 > window.last) continue
    if (isPio) nextPio = address + bytes
    else nextMmio = address + bytes
    config.write(bdf, register, 4, address)
    if (request.is64Bit) config.write(bdf, register + 4, 4, 0)
    commands.set(bdf, (commands.get(bdf) ?? 0) | (isPio ? COMMAND_PIO : COMMAND_MEMORY))
  }
  for (const [bdf, command] of commands) config.write(bdf, 4, 2, config.read(bdf, 4, 2) | command)
}

function setUpIsaBridge(config: PciConfig, io: BiosIo, bdf: Bdf): void {
  let levels = 0
  PIRQ_IRQS.forEach((irq, i) => {
    config.write(bdf, 0x60 + i, 1, irq)
    levels |= 1 << irq
  })
  levels |= 1 << SCI_IRQ
  io.pioWrite(0x4d0, 1, levels & 0xff)
  io.pioWrite(0x4d1, 1, levels >> 8)
}

function setUpPowerManagement(config: PciConfig, io: BiosIo, bdf: Bdf): void {
  config.write(bdf, 0x40, 4, PM_BASE | 1)
  config.write(bdf, 0x80, 1, 1)
  // SCI_EN: there is no system management mode to ask, so ACPI mode is on from the start.
  io.pioWrite(PM_BASE + 4, 2, 1)
}

/** At power-on, before anything boots (direct boot powers on through this BIOS as well). */
export function setUpPci(io: BiosIo): void {
  const config = new PciConfig(io)
  const requests: BarRequest[] = []
  for (const bdf of config.functions()) {
    const isBridge = (config.read(bdf, 0x0e, 1) & 0x7f) !== 0
    const id = config.read(bdf, 0, 4)
    const classCode = config.classOf(bdf)
    if (classCode >> 8 === 0x0601) setUpIsaBridge(config, io, bdf)
    if (id === 0x71138086) setUpPowerManagement(config, io, bdf)
    // PIIX IDE: both channels decode their legacy ports.
    if (classCode >> 8 === 0x0101) {
      config.write(bdf, 0x40, 2, 0x8000)
      config.write(bdf, 0x42, 2, 0x8000)
      config.write(bdf, 4, 2, config.read(bdf, 4, 2) | COMMAND_PIO)
    }
    if (classCode >> 8 === 0x0300) config.write(bdf, 4, 2, config.read(bdf, 4, 2) | COMMAND_PIO | COMMAND_MEMORY)
    const pin = config.read(bdf, 0x3d, 1)
    if (pin >= 1 && pin <= 4) {
      const irq = id === 0x71138086 ? SCI_IRQ : (PIRQ_IRQS[pirqOf(bdf >> 3, pin)] ?? 0)
      config.write(bdf, 0x3c, 1, irq)
    }
    if (!isBridge && classCode >> 8 !== 0x0600) requests.push(...probeBars(config, bdf))
  }
  placeBars(config, requests)
}

/** Opens C0000h..FFFFFh as RAM (440FX PAM registers 59h..5Fh), or closes the ROM part for writing again. */
export function setShadowRam(io: BiosIo, writable: boolean): void {
  const config = new PciConfig(io)
  if (config.read(0, 0, 4) !== 0x12378086) return
  config.write(0, 0x59, 1, writable ? 0x30 : 0x10)
  // C0000h..EFFFFh stay RAM: there are no other ROMs.
  if (writable) for (let register = 0x5a; register <= 0x5f; register++) config.write(0, register, 1, 0x33)
}
