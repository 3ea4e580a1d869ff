/** The common instructions of random programs: integer arithmetic, moves, stack, strings, SSE2. */
import type { CodeMode } from './diff-engine'
import type { ProgramAssembler } from './program-assembler'
import { POINTERS } from './program-operands'
import type { ProgramOperands } from './program-operands'
import type { Random } from './random'
import { RDI, RSI } from './register-plan'
import type { RegisterPlan } from './register-plan'

export class CommonInstructions {
  constructor(
    private readonly random: Random,
    private readonly mode: CodeMode,
    private readonly plan: RegisterPlan,
    private readonly asm: ProgramAssembler,
    private readonly operands: ProgramOperands,
  ) {}

  arithmetic(): void {
    const { random, asm } = this
    const size = this.operands.size()
    const operation = random.below(8)
    const operand = this.operands.operand()
    if (random.chance(35)) {
      const short = size > 1 && random.chance(60)
      asm.instruction([size === 1 ? 0x80 : short ? 0x83 : 0x81], size, operation, operand)
      asm.immediate(random.chance(60) ? random.below(200) - 100 : random.u32(), short || size === 1 ? 1 : size === 8 ? 4 : size)
    } else if (random.chance(50)) {
      asm.instruction([operation * 8 + (size === 1 ? 2 : 3)], size, this.operands.register(), operand)
    } else {
      const lock = typeof operand !== 'number' && operation !== 7 && random.chance(5)
      asm.instruction([operation * 8 + (size === 1 ? 0 : 1)], size, this.operands.anyRegister(), operand, lock ? { prefix: 0xf0 } : {})
    }
  }

  increment(): void {
    const { random, asm } = this
    const size = this.operands.size()
    asm.instruction([size === 1 ? 0xfe : 0xff], size, random.below(2), this.operands.operand())
  }

  /** ADC and SBB over several words, with what keeps or changes CF in between. */
  carryChain(): void {
    const { random, asm } = this
    const size = this.operands.size()
    const subtract = random.chance(50)
    const words = 2 + random.below(3)
    for (let word = 0; word < words; word++) {
      const opcode = (word === 0 ? (subtract ? 0x28 : 0x00) : subtract ? 0x18 : 0x10) + (size === 1 ? 0 : 1)
      asm.instruction([opcode + (random.chance(50) ? 2 : 0)], size, this.operands.register(), this.operands.operand())
      if (random.chance(40)) this.increment()
      if (random.chance(20)) this.move()
    }
  }

  move(): void {
    const { random, asm } = this
    const size = this.operands.size()
    switch (random.below(7)) {
      case 0:
        return asm.instruction([size === 1 ? 0x88 : 0x89], size, this.operands.anyRegister(), this.operands.operand())
      case 1:
        asm.instruction([size === 1 ? 0xc6 : 0xc7], size, 0, this.operands.operand())
        return asm.immediate(random.u32(), size === 8 ? 4 : size)
      case 2:
        return asm.instruction([0x8d], this.operands.wordSize(), this.operands.register(), this.operands.memory())
      case 3:
        return asm.instruction([0x0f, random.pick([0xb6, 0xb7, 0xbe, 0xbf])], this.operands.wordSize(), this.operands.register(), this.operands.operand(), { bytes: true })
      case 4:
        // pointers move on
        asm.instruction([0x83], this.mode === 64 ? 8 : this.mode === 32 ? 4 : 2, random.pick([0, 5]), random.pick(POINTERS))
        return asm.raw(random.below(24))
      default:
        return asm.instruction([size === 1 ? 0x8a : 0x8b], size, this.operands.register(), this.operands.operand())
    }
  }

  shift(): void {
    const { random, asm } = this
    const size = this.operands.size()
    const operand = this.operands.operand()
    switch (random.below(4)) {
      case 0:
        asm.instruction([size === 1 ? 0xc0 : 0xc1], size, random.below(8), operand)
        return asm.raw(random.below(70))
      case 1:
        return asm.instruction([size === 1 ? 0xd0 : 0xd1], size, random.below(8), operand)
      case 2:
        return asm.instruction([size === 1 ? 0xd2 : 0xd3], size, random.below(8), operand)
      default:
        asm.instruction([0x0f, random.pick([0xa4, 0xac])], this.operands.wordSize(), this.operands.register(), operand)
        return asm.raw(random.below(40))
    }
  }

  other(): void {
    const { random, asm } = this
    const size = this.operands.size()
    const word = this.operands.wordSize()
    switch (random.below(14)) {
      case 0:
        return asm.instruction([size === 1 ? 0xf6 : 0xf7], size, random.pick([2, 3, 4, 5, 4, 5, 6, 7]), this.operands.operand())
      case 1:
        asm.instruction([size === 1 ? 0xf6 : 0xf7], size, 0, this.operands.operand())
        return asm.immediate(random.u32(), size === 8 ? 4 : size)
      case 2:
        return asm.instruction([size === 1 ? 0x84 : 0x85], size, this.operands.anyRegister(), this.operands.operand())
      case 3:
        return asm.instruction([0x0f, 0xaf], word, this.operands.register(), this.operands.operand())
      case 4:
        asm.instruction([0x6b], word, this.operands.register(), this.operands.operand())
        return asm.raw(random.below(256))
      case 5:
        return asm.instruction([size === 1 ? 0x86 : 0x87], size, this.operands.register(), this.operands.operand())
      case 6:
        return asm.instruction([0x0f, size === 1 ? 0xc0 : 0xc1], size, this.operands.register(), this.operands.operand())
      case 7:
        return asm.instruction([0x0f, size === 1 ? 0xb0 : 0xb1], size, this.operands.register(), this.operands.operand())
      case 8:
        asm.instruction([0x0f, 0xba], word, 4 + random.below(4), this.operands.operand())
        return asm.raw(random.below(256))
      case 9:
        return asm.instruction([0x0f, random.pick([0xbc, 0xbd])], word, this.operands.register(), this.operands.operand())
      case 10:
        return asm.instruction([0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb])], word, this.operands.register(), this.operands.register())
      case 11:
        // CBW, CWD, flags to and from AH, CF
        return asm.raw(random.pick([0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xf9]))
      case 12:
        return asm.raw(0x0f, 0xc8 | this.operands.register() % 8)
      default:
        return asm.instruction([0x63], 2, this.operands.register(), this.operands.register())
    }
  }

  conditional(): void {
    const { random, asm } = this
    const code = random.below(16)
    if (random.chance(50)) asm.instruction([0x0f, 0x90 | code], 1, 0, this.operands.operand())
    else asm.instruction([0x0f, 0x40 | code], this.operands.wordSize(), this.operands.register(), this.operands.operand())
  }

  stack(): void {
    const { random, asm } = this
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        return asm.raw(0x50 | random.below(8))
      case 3:
      case 4:
        return asm.raw(0x58 | this.operands.register() % 8)
      case 5:
        asm.raw(0x68)
        return asm.immediate(random.u32(), this.mode === 16 ? 2 : 4)
      case 6:
        return asm.instruction([0xff], this.mode === 16 ? 2 : 4, 6, this.operands.memory())
      case 7:
        // PUSHF, POP
        return asm.raw(0x9c, 0x58 | this.operands.register() % 8)
      default:
        return random.chance(50) ? asm.raw(0x6a, random.below(256)) : asm.raw(0xc8, random.below(64), 0, random.chance(70) ? 0 : random.below(4), 0xc9)
    }
  }

  string(): void {
    const { random, asm } = this
    if (random.chance(10)) asm.raw(random.pick([0xfc, 0xfd]))
    const opcode = random.pick([0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf])
    if (random.chance(40)) {
      // mov cx, n: REP
      asm.raw(0xb9)
      asm.immediate(random.below(12), this.mode === 16 ? 2 : 4)
      asm.raw(random.pick([0xf2, 0xf3, 0xf3]))
    }
    asm.raw(opcode)
    // the pointers come back to where they may point
    if (random.chance(50)) {
      for (const register of [RSI, RDI]) {
        if (this.mode === 64) asm.raw(0x48)
        asm.raw(0xb8 | register)
        asm.immediate(this.operands.pointer(), this.mode === 64 ? 8 : this.mode === 32 ? 4 : 2)
      }
    }
  }

  compare(): void {
    const { random, asm } = this
    const size = this.operands.size()
    if (random.chance(50)) asm.instruction([size === 1 ? 0x3a : 0x3b], size, this.operands.anyRegister(), this.operands.operand())
    else asm.instruction([size === 1 ? 0x84 : 0x85], size, this.operands.anyRegister(), this.operands.register())
  }

  sse(): void {
    const { random, asm } = this
    const register = random.below(this.plan.count)
    const scalar = random.pick([0xf2, 0xf3])
    switch (random.below(10)) {
      case 0:
      case 1:
        return asm.vector(scalar, random.pick([0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51]), register, this.operands.vectorOperand())
      case 2:
        return asm.vector(scalar, random.pick([0x10, 0x11]), register, this.operands.vectorOperand())
      case 3:
        return asm.vector(scalar, 0x2a, register, this.operands.register())
      case 4:
        return asm.vector(scalar, random.pick([0x2c, 0x2d]), this.operands.register(), register)
      case 5:
        return asm.vector(random.chance(50) ? 0x66 : undefined, random.pick([0x2e, 0x2f]), register, this.operands.vectorOperand())
      case 6:
        return asm.vector(0x66, random.pick([0xef, 0xfe, 0xd4, 0x6f, 0xfa, 0xdb, 0x62, 0x76]), register, random.below(this.plan.count))
      case 7:
        return asm.vector(random.pick([0xf3, 0xf3, 0x66]), random.pick([0x6f, 0x7f]), register, this.operands.vectorOperand())
      case 8:
        return asm.vector(0x66, random.pick([0x6e, 0x7e]), register, this.operands.register(), this.mode === 64 && random.chance(50))
      default:
        asm.vector(0x66, 0x70, register, random.below(this.plan.count))
        return asm.raw(random.below(256))
    }
  }
}
