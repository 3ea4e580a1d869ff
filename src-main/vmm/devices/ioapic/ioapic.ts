/**
 * I/O APIC with 24 pins.
 * Source: Intel 82093AA data sheet (290566). Polarity is stored and ignored: lines carry "asserted", not voltages.
 */

import type { ApicBus, EoiListener } from '../../irq/apic-bus'
import { unconnectedLine, type IrqLine } from '../../irq/line'
import { BAD_WIDTH, type Claim, type Device, type IoFault, type MmioHandler, NO_REGISTER, type ResetKind, type Width } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { IoApicStateV1 } from './state'

export class IoApic implements Device<IoApicStateV1>, MmioHandler, EoiListener {
  readonly name = 'ioapic'
  readonly claims: readonly Claim[] = [
    { kind: 'mmio', name: 'registers', first: reg.IOAPIC_BASE, last: reg.IOAPIC_BASE + reg.IOAPIC_BYTES - 1, handler: this },
  ]

  // glue
  private readonly pins: readonly IrqLine[] = Array.from({ length: reg.IOAPIC_PINS }, (_, pin) => ({
    setLevel: (high: boolean): void => this.setPin(pin, high),
  }))

  // volatile state
  private id = 0
  private select = 0
  private lines = 0
  private low: number[] = new Array<number>(reg.IOAPIC_PINS).fill(reg.RED_MASKED)
  private high: number[] = new Array<number>(reg.IOAPIC_PINS).fill(0)

  constructor(private readonly bus: ApicBus) {
    bus.addEoiListener(this)
  }

  pin(pin: number): IrqLine {
    return this.pins[pin] ?? unconnectedLine
  }

  private setPin(pin: number, high: boolean): void {
    const bit = 1 << pin
    if (((this.lines & bit) !== 0) === high) return
    this.lines = high ? this.lines | bit : this.lines & ~bit
    if (!high) return
    // An edge at a masked pin is lost; a level waits.
    const low = this.low[pin] ?? reg.RED_MASKED
    if ((low & reg.RED_MASKED) !== 0) return
    if ((low & reg.RED_LEVEL) !== 0) this.serveLevel(pin)
    else this.send(pin)
  }

  private serveLevel(pin: number): void {
    const low = this.low[pin] ?? reg.RED_MASKED
    if ((low & (reg.RED_MASKED | reg.RED_REMOTE_IRR)) !== 0 || (low & reg.RED_LEVEL) === 0 || (this.lines & (1 << pin)) === 0) return
    this.low[pin] = low | reg.RED_REMOTE_IRR
    this.send(pin)
  }

  private send(pin: number): void {
    const low = this.low[pin] ?? 0
    this.bus.send({
      destination: (this.high[pin] ?? 0) >>> reg.RED_DESTINATION_SHIFT,
      logical: (low & reg.RED_LOGICAL) !== 0,
      mode: (low >> reg.RED_MODE_SHIFT) & 7,
      vector: low & reg.RED_VECTOR,
      level: (low & reg.RED_LEVEL) !== 0,
    })
  }

  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < reg.IOAPIC_PINS; pin++) {
      const low = this.low[pin] ?? 0
      if ((low & reg.RED_REMOTE_IRR) === 0 || (low & reg.RED_VECTOR) !== vector) continue
      this.low[pin] = low & ~reg.RED_REMOTE_IRR
      this.serveLevel(pin)
    }
  }

  // ---- registers -----------------------------------------------------------------------------------------------------------------------

  mmioRead(offset: number, width: Width): number | IoFault {
    if (offset !== reg.IOREGSEL && offset !== reg.IOWIN) return NO_REGISTER
    const value = offset === reg.IOREGSEL ? this.select : this.readSelected()
    return width === 4 ? value : value & (width === 2 ? 0xffff : 0xff)
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    switch (offset) {
      case reg.IOREGSEL:
        this.select = value & 0xff
        return undefined
      case reg.IOWIN:
        if (width !== 4) return BAD_WIDTH
        this.writeSelected(value)
        return undefined
      case reg.IOEOIR:
        this.endOfInterrupt(value & 0xff)
        return undefined
      default:
        return NO_REGISTER
    }
  }

  private readSelected(): number {
    switch (this.select) {
      case reg.IOAPICID:
      case reg.IOAPICARB:
        return this.id << 24
      case reg.IOAPICVER:
        return ((reg.IOAPIC_PINS - 1) << 16) | reg.VERSION
      default: {
        const index = this.select - reg.IOREDTBL
        const table = (index & 1) === 0 ? this.low : this.high
        return (index < 0 ? 0 : (table[index >> 1] ?? 0)) >>> 0
      }
    }
  }

  private writeSelected(value: number): void {
    if (this.select === reg.IOAPICID) {
      this.id = (value >>> 24) & 0x0f
      return
    }
    const index = this.select - reg.IOREDTBL
    const pin = index >> 1
    if (index < 0 || pin >= reg.IOAPIC_PINS) return
    if ((index & 1) === 1) {
      this.high[pin] = (value & 0xff000000) >>> 0
      return
    }
    const old = this.low[pin] ?? 0
    let low = (old & ~reg.RED_WRITABLE) | (value & reg.RED_WRITABLE)
    // Remote IRR has no meaning for edges; drivers clear a stuck one by switching to edge and back.
    if ((low & reg.RED_LEVEL) === 0) low &= ~reg.RED_REMOTE_IRR
    this.low[pin] = low
    this.serveLevel(pin)
  }

  // ---- device --------------------------------------------------------------------------------------------------------------------------

  reset(kind: ResetKind): void {
    this.id = 0
    this.select = 0
    if (kind === 'power-on') this.lines = 0
    this.low.fill(reg.RED_MASKED)
    this.high.fill(0)
  }

  save(): IoApicStateV1 {
    const { id, select, lines, low, high } = this
    return { schema: ['ioapic', 1], id, select, lines, low: [...low], high: [...high] }
  }

  load(state: IoApicStateV1): void {
    expectSchema(this.name, state, ['ioapic', 1])
    this.id = state.id
    this.select = state.select
    this.lines = state.lines
    this.low = [...state.low]
    this.high = [...state.high]
  }
}
