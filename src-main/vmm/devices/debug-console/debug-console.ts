/**
 * Debug output of firmware and test guests, and the POST code port.
 * Sources: Bochs user manual ("port_e9_hack"); QEMU's isa-debugcon; IBM PC/AT technical reference (port 80h).
 */

import type { CharBackend } from '../../backends/chardev/char-backend'
import type { Claim, Device, IoFault, PioHandler, ResetKind } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { DebugConsoleStateV1 } from './state'

export class DebugConsole implements Device<DebugConsoleStateV1>, PioHandler {
  readonly name = 'debug-console'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'e9', first: reg.PORT_E9, last: reg.PORT_E9, handler: this, split: 'bytes' },
    { kind: 'pio', name: '402', first: reg.PORT_402, last: reg.PORT_402, handler: this, split: 'bytes' },
    { kind: 'pio', name: 'post', first: reg.PORT_POST, last: reg.PORT_POST, handler: this, split: 'bytes' },
  ]

  // volatile state
  private postCode = 0

  constructor(private readonly backend: CharBackend) {}

  pioRead(port: number): number {
    return port === reg.PORT_POST ? this.postCode : reg.DEBUG_CONSOLE_PRESENT
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    if (port === reg.PORT_POST) this.postCode = value
    // No flow control on this port: what the backend has no room for is lost.
    else this.backend.write(value)
    return undefined
  }

  reset(_kind: ResetKind): void {
    this.postCode = 0
  }

  save(): DebugConsoleStateV1 {
    return { schema: ['debug-console', 1], postCode: this.postCode }
  }

  load(state: DebugConsoleStateV1): void {
    expectSchema(this.name, state, ['debug-console', 1])
    this.postCode = state.postCode
  }
}
