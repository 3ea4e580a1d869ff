import * as cfg from './config-space'
import { pirqOf } from './intx'
import type { PciBar } from './pci-device'
import type { PciBus } from './pci-bus'

export interface PciResources {
  /** First port for BARs. */
  readonly ioBase: number
  /** First address for memory BARs. */
  readonly memoryBase: number
  /** ISA interrupts for PIRQA..PIRQD. */
  readonly pirqGsi: readonly [number, number, number, number]
}

/** Where a PC firmware of this board puts things: as SeaBIOS does on QEMU's `pc`. */
export const DEFAULT_PCI_RESOURCES: PciResources = { ioBase: 0xc000, memoryBase: 0xe0000000, pirqGsi: [10, 10, 11, 11] }

/**
 * What firmware does at boot: gives every BAR an address, enables decoding and bus mastering, and fills in interrupt lines. For direct boot and
 * the built-in BIOS. Large BARs first, so that alignment wastes nothing.
 */
export function assignPciResources(bus: PciBus, resources: PciResources = DEFAULT_PCI_RESOURCES): void {
  const bars = bus.functions().flatMap((fn) => fn.device.pciBars.map((bar) => ({ fn, bar, bytes: barBytes(bar) })))
  bars.sort((a, b) => b.bytes - a.bytes)
  let io = resources.ioBase
  let memory = resources.memoryBase
  for (const { fn, bar, bytes } of bars) {
    const base = bar.kind === 'pio' ? align(io, bytes) : align(memory, bytes)
    if (bar.kind === 'pio') io = base + bytes
    else memory = base + bytes
    bus.configWrite(fn.slot, fn.fn, cfg.CFG_BAR0 + 4 * bar.index, 4, base)
  }
  for (const fn of bus.functions()) {
    const { pciBars, pciIdentity } = fn.device
    let command = cfg.COMMAND_MASTER
    if (pciBars.some((bar) => bar.kind === 'pio')) command |= cfg.COMMAND_IO
    if (pciBars.some((bar) => bar.kind !== 'pio')) command |= cfg.COMMAND_MEMORY
    // Bridges and legacy functions decode their fixed ranges, whatever they say.
    if (pciBars.length === 0) command |= cfg.COMMAND_IO | cfg.COMMAND_MEMORY
    bus.configWrite(fn.slot, fn.fn, cfg.CFG_COMMAND, 2, command)
    if (pciIdentity.interruptPin === 0) continue
    const gsi = resources.pirqGsi[pirqOf(fn.slot, pciIdentity.interruptPin)] ?? 0xff
    bus.configWrite(fn.slot, fn.fn, cfg.CFG_INTERRUPT_LINE, 1, gsi)
  }
}

function barBytes(bar: PciBar): number {
  return bar.kind === 'ram' ? bar.block.bytes : bar.bytes
}

function align(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit
}
