/**
 * PCI bus 0 with configuration mechanism #1.
 * Source: PCI Local Bus Specification 3.0, 3.2.2.3.2 and chapter 6.
 */

import type { Claim, Device, IoFault, PioHandler, ResetKind, SavedState } from '../../devices/device'
import { VmmError } from '../../errors/vmm-error'
import type { IrqLine } from '../../irq/line'
import { SharedLine } from '../../irq/shared-line'
import type { MmioBus } from '../mmio-bus'
import type { PioBus } from '../pio-bus'
import type { Width } from '../width'
import { allOnes } from '../access-counters'
import { BarWindows, type RamWindowMap } from './bar-windows'
import * as cfg from './config-space'
import { PciIntx, pirqOf } from './intx'
import type { PciDevice } from './pci-device'
import { PciFunction } from './pci-function'

export interface PciBusStateV1 extends SavedState {
  readonly schema: readonly ['pci-bus', 1]
  readonly address: number
  /** Configuration space of each function, in the order of attachment. */
  readonly functions: readonly { readonly slot: number; readonly fn: number; readonly config: Uint8Array }[]
}

export interface PciBusOptions {
  readonly pio: PioBus
  readonly mmio: MmioBus
  readonly memory: RamWindowMap
  /** PIRQA#..PIRQD#, usually inputs of the ISA bridge. */
  readonly pirq: readonly [IrqLine, IrqLine, IrqLine, IrqLine]
  /** Port CF9h lies between the bytes of CONFIG_ADDRESS; byte accesses there are the ISA bridge's reset control register. */
  readonly resetControl: PioHandler
}

export class PciBus implements Device<PciBusStateV1>, PioHandler {
  readonly name = 'pci-bus'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'config', first: cfg.PORT_CONFIG_ADDRESS, last: cfg.PORT_CONFIG_DATA + 3, handler: this },
  ]

  // glue
  private readonly pirqs: readonly SharedLine[]
  private readonly intxs = new Map<number, PciIntx>()
  private readonly windows: BarWindows
  private readonly functionsByDevfn = new Map<number, PciFunction>()

  // volatile state (with that of the functions)
  private address = 0

  constructor(private readonly options: PciBusOptions) {
    this.pirqs = options.pirq.map((line) => new SharedLine(line))
    this.windows = new BarWindows(options.memory)
  }

  /** The interrupt pin that the function's device drives; to be given to the device before it is attached. */
  intx(slot: number, fn: number, pin: 1 | 2 | 3 | 4): IrqLine {
    const shared = this.pirqs[pirqOf(slot, pin)]
    if (shared === undefined) throw new VmmError('internal/bug', 'PIRQ out of range')
    const intx = new PciIntx(shared.source())
    this.intxs.set(slot * 8 + fn, intx)
    return intx
  }

  /** Puts a device on the bus. */
  attach(name: string, slot: number, fn: number, device: PciDevice): PciFunction {
    const devfn = slot * 8 + fn
    const other = this.functionsByDevfn.get(devfn)
    if (other !== undefined) throw new VmmError('internal/bug', `board: '${name}' and '${other.name}' both sit at PCI ${slot}.${fn}`)
    const intx = this.intxs.get(devfn) ?? new PciIntx({ setLevel: () => undefined })
    const { pio, mmio } = this.options
    const added = new PciFunction(name, slot, fn, device, { pio, mmio, windows: this.windows }, intx)
    this.functionsByDevfn.set(devfn, added)
    if (fn !== 0) this.functionsByDevfn.get(slot * 8)?.markMultifunction()
    return added
  }

  functions(): readonly PciFunction[] {
    return [...this.functionsByDevfn.values()]
  }

  // ---- configuration access by board and firmware builders ------------------------------------------------------------------------------

  configRead(slot: number, fn: number, offset: number, width: Width): number {
    const target = this.functionsByDevfn.get(slot * 8 + fn)
    if (target === undefined) return allOnes(width)
    let value = 0
    for (let i = 0; i < width; i++) value |= target.readByte((offset + i) & 0xff) << (8 * i)
    return value >>> 0
  }

  configWrite(slot: number, fn: number, offset: number, width: Width, value: number): void {
    const bytes = Array.from({ length: width }, (_, i) => (value >>> (8 * i)) & 0xff)
    this.functionsByDevfn.get(slot * 8 + fn)?.write(offset, bytes)
  }

  // ---- ports ------------------------------------------------------------------------------------------------------------------------------

  pioRead(port: number, width: Width): number | IoFault {
    if (port === cfg.PORT_CONFIG_ADDRESS && width === 4) return this.address
    if (port === cfg.PORT_RESET_CONTROL && width === 1) return this.options.resetControl.pioRead(port, width)
    // Other accesses to CONFIG_ADDRESS are passed on as port accesses (3.2.2.3.2), and nobody is there.
    if (port < cfg.PORT_CONFIG_DATA) return allOnes(width)
    const devfn = this.selected()
    return devfn < 0 ? allOnes(width) : this.configRead(devfn >> 3, devfn & 7, this.register(port), width)
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    if (port === cfg.PORT_CONFIG_ADDRESS && width === 4) {
      this.address = (value & 0x80fffffc) >>> 0
      return undefined
    }
    if (port === cfg.PORT_RESET_CONTROL && width === 1) return this.options.resetControl.pioWrite(port, width, value)
    if (port < cfg.PORT_CONFIG_DATA) return undefined
    const devfn = this.selected()
    if (devfn >= 0) this.configWrite(devfn >> 3, devfn & 7, this.register(port), width, value)
    return undefined
  }

  /** devfn of CONFIG_ADDRESS, or -1 when it is disabled or names another bus. */
  private selected(): number {
    if ((this.address & cfg.CONFIG_ENABLE) === 0 || ((this.address >>> 16) & 0xff) !== 0) return -1
    return (this.address >>> 8) & 0xff
  }

  private register(port: number): number {
    return (this.address & 0xfc) + (port & 3)
  }

  // ---- device -------------------------------------------------------------------------------------------------------------------------------

  reset(_kind: ResetKind): void {
    this.address = 0
    for (const fn of this.functionsByDevfn.values()) fn.reset()
  }

  save(): PciBusStateV1 {
    const functions = this.functions().map((fn) => ({ slot: fn.slot, fn: fn.fn, config: fn.saveConfig() }))
    return { schema: ['pci-bus', 1], address: this.address, functions }
  }

  load(state: PciBusStateV1): void {
    if (state.schema[0] !== 'pci-bus' || state.schema[1] !== 1) {
      throw new VmmError(
        'state/mismatch',
        `${this.name}: the saved state is '${String(state.schema[0])}' version ${String(state.schema[1])}, this VMM reads 'pci-bus' version 1`,
      )
    }
    this.address = state.address
    for (const { slot, fn, config } of state.functions) {
      const target = this.functionsByDevfn.get(slot * 8 + fn)
      if (target === undefined)
        throw new VmmError('state/mismatch', `${this.name}: the saved machine has a device at PCI ${slot}.${fn}, this one has none`)
      target.loadConfig(config)
    }
  }
}
