/** The interpreter as an engine: runs emitted handlers over decoded records. */
import { assertNever } from '../../errors/assert-never'
import type { Engine, Exit } from '../engine'
import {
  ATTENTION,
  ATTENTION_HOST,
  BUDGET,
  EXIT_HALT,
  EXIT_HOST,
  EXIT_INFO,
  EXIT_NONE,
  EXIT_TRIPLE_FAULT,
  EXIT_UNIMPLEMENTED,
  REG_RIP,
  SLICE,
  STOP_EARLY,
} from '../layout'
import type { MachineCore } from '../machine-core'

type ExitReason = typeof EXIT_NONE | typeof EXIT_HALT | typeof EXIT_TRIPLE_FAULT | typeof EXIT_HOST | typeof EXIT_UNIMPLEMENTED

const DEADLINE: Exit = { kind: 'deadline' }
const HALTED: Exit = { kind: 'halted' }
const MAILBOX: Exit = { kind: 'mailbox' }
const TRIPLE_FAULT: Exit = { kind: 'shutdown', cause: 'triple-fault' }

export class InterpreterEngine implements Engine {
  readonly name = 'interpreter'
  private readonly words: Int32Array
  private readonly view: DataView

  constructor(private readonly machine: MachineCore) {
    this.words = new Int32Array(machine.memory.buffer)
    this.view = new DataView(machine.memory.buffer)
  }

  run(vcpuBase: number, budget: number, exact: boolean = true): Exit {
    this.words[(vcpuBase + BUDGET) >>> 2] = budget
    this.words[(vcpuBase + SLICE) >>> 2] = budget
    this.words[(vcpuBase + STOP_EARLY) >>> 2] = exact ? 0 : 1
    const reason = this.machine.run(vcpuBase) as ExitReason
    switch (reason) {
      case EXIT_NONE:
        return DEADLINE
      case EXIT_HALT:
        return HALTED
      case EXIT_HOST:
        return MAILBOX
      case EXIT_TRIPLE_FAULT:
        return TRIPLE_FAULT
      case EXIT_UNIMPLEMENTED: {
        const info = this.view.getUint32(vcpuBase + EXIT_INFO, true)
        return { kind: 'unimplemented', what: `core ${info}`, at: Number(this.view.getBigUint64(vcpuBase + REG_RIP, true)) }
      }
      default:
        return assertNever(reason)
    }
  }

  /** Makes run() return after the current instruction. For devices, in the thread that runs the vCPU. */
  requestAttention(vcpuBase: number): void {
    const at = (vcpuBase + ATTENTION) >>> 2
    this.words[at] = (this.words[at] ?? 0) | ATTENTION_HOST
  }
}
