/**
 * The pair of interrupt controllers of a PC.
 * Sources: Intel 8259A data sheet (231468-003); 82371SB PIIX3 data sheet (290550), 2.5 "Interrupt controller registers", ELCR 4D0h/4D1h.
 */

import { unconnectedLine, type IrqLine } from '../../irq/line'
import { type Claim, type Device, type IoFault, NO_REGISTER, type PioHandler, type ResetKind } from '../device'
import { expectSchema } from '../saved-state'
import { PicChip } from './pic-chip'
import * as reg from './registers'
import type { PicStateV1 } from './state'

/** What the processor side needs: the INTA cycle. */
export interface InterruptAcknowledge {
  readonly hasInterrupt: boolean
  /** Vector of the highest-priority request; when it went away meanwhile, that of a spurious IRQ 7 or 15. */
  acknowledge(): number
}

const SPURIOUS_PIN = 7

export class Pic8259 implements Device<PicStateV1>, PioHandler, InterruptAcknowledge {
  readonly name = 'pic-8259'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'master', first: reg.PORT_MASTER, last: reg.PORT_MASTER + 1, handler: this, split: 'bytes' },
    { kind: 'pio', name: 'slave', first: reg.PORT_SLAVE, last: reg.PORT_SLAVE + 1, handler: this, split: 'bytes' },
    { kind: 'pio', name: 'elcr', first: reg.PORT_ELCR, last: reg.PORT_ELCR + 1, handler: this, split: 'bytes' },
  ]

  // sub-units (hold the volatile state)
  private readonly slave: PicChip = new PicChip(false, () => this.slaveChanged())
  private readonly master: PicChip = new PicChip(true, () => this.masterChanged())

  // glue
  private readonly pins: readonly IrqLine[] = Array.from({ length: 16 }, (_, pin) => this.wire(pin))

  /** `intr`: the INTR wire to the processor (or LINT0 of the local APICs). */
  constructor(private readonly intr: IrqLine) {}

  /** Input pin 0..15 (8..15 on the slave). The cascade input takes no device. */
  pin(pin: number): IrqLine {
    return this.pins[pin] ?? unconnectedLine
  }

  private wire(pin: number): IrqLine {
    if (pin === reg.CASCADE_PIN) return unconnectedLine
    if (pin < 8) return { setLevel: (high: boolean): void => this.master.setPin(pin, high) }
    return { setLevel: (high: boolean): void => this.slave.setPin(pin - 8, high) }
  }

  private slaveChanged(): void {
    this.master.setPin(reg.CASCADE_PIN, this.slave.requestedPin() >= 0)
  }

  private masterChanged(): void {
    this.intr.setLevel(this.hasInterrupt)
  }

  get hasInterrupt(): boolean {
    return this.master.requestedPin() >= 0
  }

  acknowledge(): number {
    const pin = this.master.requestedPin()
    if (pin < 0) {
      this.masterChanged()
      return this.master.state.vectorBase + SPURIOUS_PIN
    }
    this.master.acknowledge(pin)
    let vector = this.master.state.vectorBase + pin
    if (pin === reg.CASCADE_PIN) {
      const slavePin = this.slave.requestedPin()
      vector = this.slave.state.vectorBase + (slavePin < 0 ? SPURIOUS_PIN : slavePin)
      if (slavePin >= 0) this.slave.acknowledge(slavePin)
      // The slave's INT goes low during the cycle; a further request of higher priority then makes a new edge.
      this.master.setPin(reg.CASCADE_PIN, false)
      this.slaveChanged()
    }
    this.masterChanged()
    return vector
  }

  reset(kind: ResetKind): void {
    this.master.reset()
    this.slave.reset()
    if (kind === 'power-on') {
      this.master.state.lines = 0
      this.slave.state.lines = 0
    } else {
      this.master.state.lines &= ~(1 << reg.CASCADE_PIN)
    }
    this.masterChanged()
  }

  pioRead(port: number): number | IoFault {
    switch (port) {
      case reg.PORT_MASTER:
      case reg.PORT_MASTER + 1:
        return this.master.read(port & 1)
      case reg.PORT_SLAVE:
      case reg.PORT_SLAVE + 1:
        return this.slave.read(port & 1)
      case reg.PORT_ELCR:
        return this.master.state.elcr
      case reg.PORT_ELCR + 1:
        return this.slave.state.elcr
      default:
        return NO_REGISTER
    }
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    switch (port) {
      case reg.PORT_MASTER:
      case reg.PORT_MASTER + 1:
        this.master.write(port & 1, value)
        return undefined
      case reg.PORT_SLAVE:
      case reg.PORT_SLAVE + 1:
        this.slave.write(port & 1, value)
        return undefined
      case reg.PORT_ELCR:
        this.master.writeElcr(value, reg.ELCR_MASTER_WRITABLE)
        return undefined
      case reg.PORT_ELCR + 1:
        this.slave.writeElcr(value, reg.ELCR_SLAVE_WRITABLE)
        return undefined
      default:
        return NO_REGISTER
    }
  }

  save(): PicStateV1 {
    return { schema: ['pic-8259', 1], master: { ...this.master.state }, slave: { ...this.slave.state } }
  }

  load(state: PicStateV1): void {
    expectSchema(this.name, state, ['pic-8259', 1])
    this.master.state = { ...state.master }
    this.slave.state = { ...state.slave }
    this.masterChanged()
  }
}
