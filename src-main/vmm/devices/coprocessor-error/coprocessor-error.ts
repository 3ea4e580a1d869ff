/**
 * The way of x87 exceptions on a PC while CR0.NE is clear: FERR# becomes IRQ 13, a write to port F0h takes it back and asserts IGNNE#.
 * Sources: 82371SB PIIX3 data sheet (290550), 2.5.8; Intel SDM volume 1, 8.7 and appendix D.
 */

import type { IrqLine } from '../../irq/line'
import type { Claim, Device, IoFault, PioHandler, ResetKind } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { CoprocessorErrorStateV1 } from './state'

export interface CoprocessorErrorOptions {
  readonly irq: IrqLine
  /** IGNNE#: the processor goes on until the error is cleared. */
  readonly ignoreErrors: () => void
}

export class CoprocessorError implements Device<CoprocessorErrorStateV1>, PioHandler {
  readonly name = 'coprocessor-error'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'error', first: reg.PORT_COPROCESSOR_ERROR, last: reg.PORT_COPROCESSOR_ERROR, handler: this, split: 'bytes' },
  ]

  // volatile state
  private pending = false

  constructor(private readonly options: CoprocessorErrorOptions) {}

  /** FERR# is driven. */
  raise(): void {
    this.setPending(true)
  }

  private setPending(pending: boolean): void {
    this.pending = pending
    this.options.irq.setLevel(pending)
  }

  pioRead(): number {
    return 0xff
  }

  pioWrite(): IoFault | undefined {
    if (this.pending) this.options.ignoreErrors()
    this.setPending(false)
    return undefined
  }

  reset(_kind: ResetKind): void {
    this.setPending(false)
  }

  save(): CoprocessorErrorStateV1 {
    return { schema: ['coprocessor-error', 1], pending: this.pending }
  }

  load(state: CoprocessorErrorStateV1): void {
    expectSchema(this.name, state, ['coprocessor-error', 1])
    this.setPending(state.pending)
  }
}
