/**
 * System control port A: fast A20 gate and fast CPU reset.
 * Source: 82371SB PIIX3 data sheet (290550), 2.5.11.
 */

import type { IrqLine } from '../../irq/line'
import type { Claim, Device, IoFault, PioHandler, ResetKind } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { Port92StateV1 } from './state'

export interface Port92Options {
  /** One of the two A20 gates (the other is the keyboard controller's; the one written last decides): high = address bit 20 passes. */
  readonly a20: IrqLine
  readonly requestReset: () => void
}

export class Port92 implements Device<Port92StateV1>, PioHandler {
  readonly name = 'port-92'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'control', first: reg.PORT_92, last: reg.PORT_92, handler: this, split: 'bytes' },
  ]

  // volatile state
  private value: number = reg.P92_FAST_A20

  constructor(private readonly options: Port92Options) {
    this.drive()
  }

  private drive(): void {
    this.options.a20.setLevel((this.value & reg.P92_FAST_A20) !== 0)
  }

  pioRead(): number {
    return this.value
  }

  pioWrite(_port: number, _width: number, value: number): IoFault | undefined {
    const reset = (value & ~this.value & reg.P92_FAST_INIT) !== 0
    this.value = value & (reg.P92_STORED | reg.P92_FAST_INIT)
    this.drive()
    if (reset) this.options.requestReset()
    return undefined
  }

  /** A20 passes after reset, so that the reset vector below 4 GiB is reached. */
  reset(_kind: ResetKind): void {
    this.value = reg.P92_FAST_A20
    this.drive()
  }

  save(): Port92StateV1 {
    return { schema: ['port-92', 1], value: this.value }
  }

  load(state: Port92StateV1): void {
    expectSchema(this.name, state, ['port-92', 1])
    this.value = state.value
    this.drive()
  }
}
