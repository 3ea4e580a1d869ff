/** Operands of random programs: registers that may be written, sizes that fit the mode, memory at pointers that mostly stay inside the data. */
import { DATA_WRITABLE_PAGES, PAGE_BYTES } from './diff-engine'
import type { CodeMode } from './diff-engine'
import type { OperandSize } from './instruction-encoder'
import type { MemoryOperand, Operand } from './program-assembler'
import type { Random } from './random'
import { RAX, RBP, RBX, RCX, RDI, RSI, RSP } from './register-plan'
import type { RegisterPlan } from './register-plan'

export const POINTERS: readonly number[] = [RSI, RDI, RBP, RBX]

export class ProgramOperands {
  /** Registers that loops count in: only rarely written otherwise. */
  readonly counters: Set<number> = new Set()

  constructor(
    private readonly random: Random,
    private readonly mode: CodeMode,
    private readonly plan: RegisterPlan,
  ) {}

  /** Mostly inside the data; now and then close to an edge. */
  pointer(): number {
    const { random, plan } = this
    const end = DATA_WRITABLE_PAGES * PAGE_BYTES
    if (random.chance(20)) return plan.dataBase + PAGE_BYTES - random.below(40)
    if (random.chance(8)) return plan.dataBase + end - random.below(40)
    if (random.chance(3)) return plan.dataBase + random.below(8)
    return plan.dataBase + 0x200 + random.below(end - 0x400)
  }

  register(): number {
    const { random, plan } = this
    for (let attempt = 0; attempt < 8; attempt++) {
      const register = random.below(plan.count)
      if (register === RSP || plan.pinned.has(register)) continue
      if (this.counters.has(register) && random.chance(95)) continue
      return register
    }

    return RAX
  }

  anyRegister(): number {
    return this.random.below(this.plan.count)
  }

  size(): OperandSize {
    const { random, mode } = this
    return random.pick(mode === 64 ? [1, 2, 4, 4, 4, 8, 8, 8] : mode === 32 ? [1, 2, 4, 4, 4] : [1, 2, 2, 2, 4])
  }

  wordSize(): OperandSize {
    const size = this.size()
    return size === 1 ? 4 : size
  }

  memory(): MemoryOperand {
    const { random, mode } = this
    const displacement = random.chance(40) ? 0 : random.below(64) - 24
    if (mode !== 16 && random.chance(10)) return { base: RSP, displacement: random.below(32) }
    const base = random.pick(POINTERS)
    // an index is small most of the time only if its register is: CX counts
    if (mode !== 16 && random.chance(20)) return { base, index: RCX, scale: random.below(4), displacement }
    return { base, displacement }
  }

  operand(): Operand {
    return this.random.chance(40) ? this.memory() : this.register()
  }

  vectorOperand(): Operand {
    return this.random.chance(40) ? this.memory() : this.random.below(this.plan.count)
  }
}
