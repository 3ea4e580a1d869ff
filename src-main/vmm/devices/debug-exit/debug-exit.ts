/** Lets a test guest end the machine with a status. Source: QEMU's isa-debug-exit device, as documented there. */

import type { Claim, Device, IoFault, PioHandler, ResetKind } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { DebugExitStateV1 } from './state'

export class DebugExit implements Device<DebugExitStateV1>, PioHandler {
  readonly name = 'debug-exit'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'exit', first: reg.PORT_DEBUG_EXIT, last: reg.PORT_DEBUG_EXIT + reg.DEBUG_EXIT_PORTS - 1, handler: this },
  ]

  // volatile state
  private last: number | null = null

  /** `onExit` gets the process's exit status, 8 bits. */
  constructor(private readonly onExit: (status: number) => void) {}

  pioRead(): number {
    return 0
  }

  pioWrite(_port: number, _width: number, value: number): IoFault | undefined {
    this.last = value
    this.onExit(((value << 1) | 1) & 0xff)
    return undefined
  }

  reset(_kind: ResetKind): void {
    this.last = null
  }

  save(): DebugExitStateV1 {
    return { schema: ['debug-exit', 1], last: this.last }
  }

  load(state: DebugExitStateV1): void {
    expectSchema(this.name, state, ['debug-exit', 1])
    this.last = state.last
  }
}
