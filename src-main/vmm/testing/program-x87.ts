/** x87 instructions of random programs: single ones, whatever the stack holds, and groups that mostly find it as they expect it. */
import type { ProgramAssembler } from './program-assembler'
import type { CommonInstructions } from './program-instructions'
import type { ProgramOperands } from './program-operands'
import type { Random } from './random'

export class X87Instructions {
  constructor(
    private readonly random: Random,
    private readonly asm: ProgramAssembler,
    private readonly operands: ProgramOperands,
    private readonly common: CommonInstructions,
  ) {}

  single(): void {
    const { random, asm } = this
    switch (random.below(6)) {
      case 0:
        return asm.instruction([random.pick([0xd9, 0xdd])], 4, 0, this.operands.memory(), { plain: true, bytes: false })
      case 1:
        return asm.instruction([random.pick([0xd9, 0xdd, 0xdb])], 4, random.pick([2, 3]), this.operands.memory(), { plain: true, bytes: false })
      case 2:
        return asm.raw(random.pick([0xd8, 0xdc, 0xde]), 0xc0 | random.below(64))
      case 3:
        return asm.raw(0xd9, random.pick([0xe8, 0xee, 0xc1, 0xc9, 0xe0, 0xe1, 0xfa]))
      case 4:
        // FCOMI, FNSTSW AX
        return random.chance(50) ? asm.raw(0xdb, 0xf1) : asm.raw(0xdf, 0xe0)
      default:
        return asm.instruction([random.pick([0xd8, 0xdc])], 4, random.below(8), this.operands.memory(), { plain: true, bytes: false })
    }
  }

  /** Pushes, works and pops, mostly as deep as the stack is. */
  group(): void {
    const { random, asm } = this
    const memory = (opcode: number, digit: number): void => asm.instruction([opcode], 4, digit, this.operands.memory(), { plain: true, bytes: false })
    // FNINIT, or what the group before has left; FLDCW only now and then
    if (random.chance(40)) asm.raw(0xdb, 0xe3)
    if (random.chance(5)) memory(0xd9, 5)
    let depth = 0
    const push = (): void => {
      depth++
      // FLD1, FLDPI, FLDZ; FLD m32, m64; FILD m32
      if (random.chance(50)) asm.raw(0xd9, random.pick([0xe8, 0xeb, 0xeb, 0xee]))
      else memory(random.pick([0xd9, 0xdd, 0xdd, 0xdb]), 0)
    }
    const pop = (): void => {
      depth--
      // FSTP m64; arithmetic, FSTP ST(1); FUCOMPP's half: FCOMIP
      if (random.chance(30) || depth === 0) memory(random.pick([0xd9, 0xdd, 0xdb]), 3)
      else asm.raw(...random.pick([[0xde, 0xc0 | (random.below(8) << 3) | 1], [0xde, 0xc1], [0xdd, 0xd9], [0xdf, 0xf1]]))
    }
    for (let n = 3 + random.below(12); n > 0; n--) {
      const i = depth < 2 ? 0 : random.below(depth)
      if (random.chance(3)) this.single()
      else if (random.chance(12)) this.common.move()
      else if (depth === 0 || (depth < 6 && random.chance(30))) push()
      else if (random.chance(20)) pop()
      else if (random.chance(15)) asm.raw(0xd9, random.pick([0xc8 | i, 0xc8 | i, 0xe0, 0xe1, 0xfa, 0xfc, 0xe4]))
      else if (random.chance(15)) asm.raw(...random.pick([[0xdf, 0xe0], [0xdb, 0xf0 | i], [0xd8, 0xd0 | i], [0xdd, 0xd0 | i]]))
      else if (random.chance(30)) memory(random.pick([0xd8, 0xdc]), random.below(8))
      else asm.raw(random.pick([0xd8, 0xdc]), 0xc0 | (random.pick([0, 0, 1, 1, 4, 5, 6]) << 3) | i)
    }
    while (depth > 0 && random.chance(80)) pop()
  }
}
