/**
 * ACPI without its fixed hardware: a generic event device for the power button, sleep and reset registers. ACPI 6.3, 4.1 (hardware-reduced ACPI), 5.6.9.
 */
import type { IrqLine } from '../../irq/line'
import { BAD_WIDTH, NO_REGISTER, type Claim, type Device, type IoFault, type MmioHandler, type Width } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { AcpiGedState } from './state'

export interface AcpiGedOptions {
  readonly irq: IrqLine
  readonly requestPowerOff: () => void
  readonly requestReset: () => void
}

export class AcpiGed implements Device<AcpiGedState>, MmioHandler {
  readonly name = 'acpi-ged'
  readonly claims: readonly Claim[] = [{ kind: 'mmio', name: 'registers', first: reg.GED_BASE, last: reg.GED_BASE + reg.GED_BYTES - 1, handler: this }]

  // volatile state
  private events = 0
  private sleepControl = 0

  constructor(private readonly options: AcpiGedOptions) {}

  pressPowerButton(): void {
    this.events |= reg.EVENT_POWER_BUTTON
    this.options.irq.setLevel(true)
  }

  mmioRead(offset: number, width: Width): number | IoFault {
    if (offset === reg.REG_EVENTS) {
      if (width !== 4) return BAD_WIDTH
      const { events } = this
      this.events = 0
      this.options.irq.setLevel(false)
      return events
    }
    if (width !== 1) return BAD_WIDTH
    // SLP_EN reads as 0. Nothing ever wakes: only soft-off is offered.
    if (offset === reg.REG_SLEEP_CONTROL) return this.sleepControl
    if (offset === reg.REG_SLEEP_STATUS || offset === reg.REG_RESET) return 0
    return NO_REGISTER
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (width !== 1) return BAD_WIDTH
    if (offset === reg.REG_SLEEP_CONTROL) {
      this.sleepControl = value & ~reg.SLEEP_ENABLE & 0xff
      if ((value & reg.SLEEP_ENABLE) !== 0 && ((value >> reg.SLEEP_TYPE_SHIFT) & 7) === reg.SLEEP_TYPE_S5) this.options.requestPowerOff()
      return undefined
    }
    if (offset === reg.REG_SLEEP_STATUS) return undefined
    if (offset === reg.REG_RESET) {
      if (value === reg.RESET_VALUE) this.options.requestReset()
      return undefined
    }
    return NO_REGISTER
  }

  reset(): void {
    this.events = 0
    this.sleepControl = 0
    this.options.irq.setLevel(false)
  }

  save(): AcpiGedState {
    return { schema: ['acpi-ged', 1], events: this.events, sleepControl: this.sleepControl }
  }

  load(state: AcpiGedState): void {
    expectSchema(this.name, state, ['acpi-ged', 1])
    this.events = state.events
    this.sleepControl = state.sleepControl
    this.options.irq.setLevel(this.events !== 0)
  }
}
