/**
 * Random programs of many basic blocks: loops, nested and with several entries, calls and returns, jumps anywhere, flags that live across blocks, memory at
 * the edges of pages. Most instructions are of the common kinds, some come from the whole table. Programs need not end; the budget ends them.
 */
import type { Row } from '../cpu/isa/row'
import { encodeInstruction } from './instruction-encoder'
import type { OperandSize } from './instruction-encoder'
import { fillFx, memoryImage } from './case-values'
import {
  CODE_BASE,
  CODE_PAGES,
  CODE_STRIDE,
  DATA_WRITABLE_PAGES,
  PAGE_BYTES,
  STATE_BYTES,
  STATE_GPR,
  STATE_MODE,
  STATE_RFLAGS,
  STATE_RIP,
  codeSegmentBase,
  stateMode,
} from './diff-engine'
import type { CodeMode, DiffBatch, DiffCase } from './diff-engine'
import { ProgramAssembler } from './program-assembler'
import type { MemoryOperand, Operand } from './program-assembler'
import { Random } from './random'
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, RegisterPlan } from './register-plan'

export interface ProgramOptions {
  readonly modes?: readonly CodeMode[]
  /** Rows of the table that are mixed in. */
  readonly rows?: readonly Row[]
  /** So many of a hundred items are groups of x87 instructions that mostly find the stack as they expect it. */
  readonly x87?: number
  /** Items (instructions or small groups) in a program, at most. */
  readonly length?: number
}

const FLAGS_FIXED = 0x202
const FLAGS_STATUS = 0x8d5
const PERCENT_FROM_TABLE = 8
const POINTERS = [RSI, RDI, RBP, RBX] as const

export const generatePrograms = (seed: number, options: ProgramOptions = {}, count: number = CODE_PAGES): DiffBatch => {
  const random = new Random(seed)
  const imageSeed = random.u32()
  const image = memoryImage(new Random(imageSeed))
  const modes = options.modes ?? [64, 64, 32, 32, 16]
  const cases = Array.from({ length: count }, (_, page) => new ProgramMaker(random, random.pick(modes), options).make(page))
  return { image, imageSeed, cases }
}

class ProgramMaker {
  private readonly asm: ProgramAssembler
  private readonly plan: RegisterPlan
  private readonly items: number
  /** Registers that loops count in: only rarely written otherwise. */
  private readonly counters = new Set<number>()

  constructor(
    private readonly random: Random,
    private readonly mode: CodeMode,
    private readonly options: ProgramOptions,
  ) {
    this.asm = new ProgramAssembler(mode)
    this.plan = new RegisterPlan(random, mode)
    this.items = 4 + random.below(options.length ?? 40)
  }

  make(page: number): DiffCase {
    const { random, mode, plan, asm } = this
    for (const register of POINTERS) plan.pin(register, BigInt(this.pointer()))
    // a few rounds in CX: LOOP and REP
    plan.set(RCX, BigInt(random.below(20)))
    for (let item = 0; item < this.items; item++) {
      asm.label(item)
      this.item(item)
    }
    asm.label(this.items)
    const code = asm.finish()
    const room = PAGE_BYTES - code.length
    // some end at the end of the page, or beyond
    const offset = room <= 0 ? 0 : random.chance(10) ? room : random.chance(5) ? Math.min(PAGE_BYTES - 1, room + random.below(8)) : random.below(room)
    const address = CODE_BASE + page * CODE_STRIDE + offset
    const state = new Uint8Array(STATE_BYTES)
    const view = new DataView(state.buffer)
    if (mode === 16) plan.values[RSP] = plan.get(RSP) & 0xffffn
    plan.values.forEach((value, i) => view.setBigUint64(STATE_GPR + i * 8, value, true))
    view.setBigUint64(STATE_RIP, BigInt(address - codeSegmentBase(mode, address)), true)
    view.setBigUint64(STATE_RFLAGS, BigInt(FLAGS_FIXED | (random.u32() & FLAGS_STATUS)), true)
    view.setUint32(STATE_MODE, stateMode(mode, address), true)
    fillFx(random, state, random.chance(20))
    return { mode, address, code: code.subarray(0, PAGE_BYTES - offset), state, steps: [] }
  }

  /** Mostly inside the data; now and then close to an edge. */
  private pointer(): number {
    const { random, plan } = this
    const end = DATA_WRITABLE_PAGES * PAGE_BYTES
    if (random.chance(20)) return plan.dataBase + PAGE_BYTES - random.below(40)
    if (random.chance(8)) return plan.dataBase + end - random.below(40)
    if (random.chance(3)) return plan.dataBase + random.below(8)
    return plan.dataBase + 0x200 + random.below(end - 0x400)
  }

  // ---- operands ----
  private register(): number {
    const { random, plan } = this
    for (let attempt = 0; attempt < 8; attempt++) {
      const register = random.below(plan.count)
      if (register === RSP || plan.pinned.has(register)) continue
      if (this.counters.has(register) && random.chance(95)) continue
      return register
    }
    return RAX
  }
  private anyRegister(): number {
    return this.random.below(this.plan.count)
  }
  private size(): OperandSize {
    const { random, mode } = this
    return random.pick(mode === 64 ? [1, 2, 4, 4, 4, 8, 8, 8] : mode === 32 ? [1, 2, 4, 4, 4] : [1, 2, 2, 2, 4])
  }
  private wordSize(): OperandSize {
    const size = this.size()
    return size === 1 ? 4 : size
  }
  private memory(): MemoryOperand {
    const { random, mode } = this
    const displacement = random.chance(40) ? 0 : random.below(64) - 24
    if (mode !== 16 && random.chance(10)) return { base: RSP, displacement: random.below(32) }
    const base = random.pick(POINTERS)
    // an index is small most of the time only if its register is: CX counts
    if (mode !== 16 && random.chance(20)) return { base, index: RCX, scale: random.below(4), displacement }
    return { base, displacement }
  }
  private operand(): Operand {
    return this.random.chance(40) ? this.memory() : this.register()
  }

  // ---- one item ----
  private item(item: number): void {
    const { random } = this
    if (this.options.x87 !== undefined && random.chance(this.options.x87)) return this.x87Group()
    if (random.chance(PERCENT_FROM_TABLE) && this.fromTable()) return
    const kinds: readonly (() => void)[] = [
      () => this.arithmetic(),
      () => this.arithmetic(),
      () => this.arithmetic(),
      () => this.increment(),
      () => this.increment(),
      () => this.carryChain(),
      () => this.move(),
      () => this.move(),
      () => this.shift(),
      () => this.other(),
      () => this.other(),
      () => this.conditional(),
      () => this.stack(),
      () => this.string(),
      () => this.sse(),
      () => this.sse(),
      () => this.x87(),
      () => this.branch(item),
      () => this.branch(item),
      () => this.branch(item),
      () => this.loop(item),
      () => this.loop(item),
      () => this.call(item),
    ]
    random.pick(kinds)()
  }

  private fromTable(): boolean {
    const { random, mode, plan, asm } = this
    const rows = this.options.rows
    if (rows === undefined || rows.length === 0) return false
    const instruction = encodeInstruction(random.pick(rows), { random, mode, plan, at: CODE_BASE, end: CODE_BASE + PAGE_BYTES })
    if (instruction === undefined || instruction.relative) return false
    asm.raw(...instruction.bytes)
    return true
  }

  private arithmetic(): void {
    const { random, asm } = this
    const size = this.size()
    const operation = random.below(8)
    const operand = this.operand()
    if (random.chance(35)) {
      const short = size > 1 && random.chance(60)
      asm.instruction([size === 1 ? 0x80 : short ? 0x83 : 0x81], size, operation, operand)
      asm.immediate(random.chance(60) ? random.below(200) - 100 : random.u32(), short || size === 1 ? 1 : size === 8 ? 4 : size)
    } else if (random.chance(50)) {
      asm.instruction([operation * 8 + (size === 1 ? 2 : 3)], size, this.register(), operand)
    } else {
      const lock = typeof operand !== 'number' && operation !== 7 && random.chance(5)
      asm.instruction([operation * 8 + (size === 1 ? 0 : 1)], size, this.anyRegister(), operand, lock ? { prefix: 0xf0 } : {})
    }
  }

  private increment(): void {
    const { random, asm } = this
    const size = this.size()
    asm.instruction([size === 1 ? 0xfe : 0xff], size, random.below(2), this.operand())
  }

  /** ADC and SBB over several words, with what keeps or changes CF in between. */
  private carryChain(): void {
    const { random, asm } = this
    const size = this.size()
    const subtract = random.chance(50)
    const words = 2 + random.below(3)
    for (let word = 0; word < words; word++) {
      const opcode = (word === 0 ? (subtract ? 0x28 : 0x00) : subtract ? 0x18 : 0x10) + (size === 1 ? 0 : 1)
      asm.instruction([opcode + (random.chance(50) ? 2 : 0)], size, this.register(), this.operand())
      if (random.chance(40)) this.increment()
      if (random.chance(20)) this.move()
    }
  }

  private move(): void {
    const { random, asm } = this
    const size = this.size()
    switch (random.below(7)) {
      case 0:
        return asm.instruction([size === 1 ? 0x88 : 0x89], size, this.anyRegister(), this.operand())
      case 1:
        asm.instruction([size === 1 ? 0xc6 : 0xc7], size, 0, this.operand())
        return asm.immediate(random.u32(), size === 8 ? 4 : size)
      case 2:
        return asm.instruction([0x8d], this.wordSize(), this.register(), this.memory())
      case 3:
        return asm.instruction([0x0f, random.pick([0xb6, 0xb7, 0xbe, 0xbf])], this.wordSize(), this.register(), this.operand(), { bytes: true })
      case 4:
        // pointers move on
        asm.instruction([0x83], this.mode === 64 ? 8 : this.mode === 32 ? 4 : 2, random.pick([0, 5]), random.pick(POINTERS))
        return asm.raw(random.below(24))
      default:
        return asm.instruction([size === 1 ? 0x8a : 0x8b], size, this.register(), this.operand())
    }
  }

  private shift(): void {
    const { random, asm } = this
    const size = this.size()
    const operand = this.operand()
    switch (random.below(4)) {
      case 0:
        asm.instruction([size === 1 ? 0xc0 : 0xc1], size, random.below(8), operand)
        return asm.raw(random.below(70))
      case 1:
        return asm.instruction([size === 1 ? 0xd0 : 0xd1], size, random.below(8), operand)
      case 2:
        return asm.instruction([size === 1 ? 0xd2 : 0xd3], size, random.below(8), operand)
      default:
        asm.instruction([0x0f, random.pick([0xa4, 0xac])], this.wordSize(), this.register(), operand)
        return asm.raw(random.below(40))
    }
  }

  private other(): void {
    const { random, asm } = this
    const size = this.size()
    const word = this.wordSize()
    switch (random.below(14)) {
      case 0:
        return asm.instruction([size === 1 ? 0xf6 : 0xf7], size, random.pick([2, 3, 4, 5, 4, 5, 6, 7]), this.operand())
      case 1:
        asm.instruction([size === 1 ? 0xf6 : 0xf7], size, 0, this.operand())
        return asm.immediate(random.u32(), size === 8 ? 4 : size)
      case 2:
        return asm.instruction([size === 1 ? 0x84 : 0x85], size, this.anyRegister(), this.operand())
      case 3:
        return asm.instruction([0x0f, 0xaf], word, this.register(), this.operand())
      case 4:
        asm.instruction([0x6b], word, this.register(), this.operand())
        return asm.raw(random.below(256))
      case 5:
        return asm.instruction([size === 1 ? 0x86 : 0x87], size, this.register(), this.operand())
      case 6:
        return asm.instruction([0x0f, size === 1 ? 0xc0 : 0xc1], size, this.register(), this.operand())
      case 7:
        return asm.instruction([0x0f, size === 1 ? 0xb0 : 0xb1], size, this.register(), this.operand())
      case 8:
        asm.instruction([0x0f, 0xba], word, 4 + random.below(4), this.operand())
        return asm.raw(random.below(256))
      case 9:
        return asm.instruction([0x0f, random.pick([0xbc, 0xbd])], word, this.register(), this.operand())
      case 10:
        return asm.instruction([0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb])], word, this.register(), this.register())
      case 11:
        // CBW, CWD, flags to and from AH, CF
        return asm.raw(random.pick([0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xf9]))
      case 12:
        return asm.raw(0x0f, 0xc8 | this.register() % 8)
      default:
        return asm.instruction([0x63], 2, this.register(), this.register())
    }
  }

  private conditional(): void {
    const { random, asm } = this
    const code = random.below(16)
    if (random.chance(50)) asm.instruction([0x0f, 0x90 | code], 1, 0, this.operand())
    else asm.instruction([0x0f, 0x40 | code], this.wordSize(), this.register(), this.operand())
  }

  private stack(): void {
    const { random, asm } = this
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        return asm.raw(0x50 | random.below(8))
      case 3:
      case 4:
        return asm.raw(0x58 | this.register() % 8)
      case 5:
        asm.raw(0x68)
        return asm.immediate(random.u32(), this.mode === 16 ? 2 : 4)
      case 6:
        return asm.instruction([0xff], this.mode === 16 ? 2 : 4, 6, this.memory())
      case 7:
        // PUSHF, POP
        return asm.raw(0x9c, 0x58 | this.register() % 8)
      default:
        return random.chance(50) ? asm.raw(0x6a, random.below(256)) : asm.raw(0xc8, random.below(64), 0, random.chance(70) ? 0 : random.below(4), 0xc9)
    }
  }

  private string(): void {
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
        asm.immediate(this.pointer(), this.mode === 64 ? 8 : this.mode === 32 ? 4 : 2)
      }
    }
  }

  private vectorOperand(): Operand {
    return this.random.chance(40) ? this.memory() : this.random.below(this.plan.count)
  }

  private sse(): void {
    const { random, asm } = this
    const register = random.below(this.plan.count)
    const scalar = random.pick([0xf2, 0xf3])
    switch (random.below(10)) {
      case 0:
      case 1:
        return asm.vector(scalar, random.pick([0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51]), register, this.vectorOperand())
      case 2:
        return asm.vector(scalar, random.pick([0x10, 0x11]), register, this.vectorOperand())
      case 3:
        return asm.vector(scalar, 0x2a, register, this.register())
      case 4:
        return asm.vector(scalar, random.pick([0x2c, 0x2d]), this.register(), register)
      case 5:
        return asm.vector(random.chance(50) ? 0x66 : undefined, random.pick([0x2e, 0x2f]), register, this.vectorOperand())
      case 6:
        return asm.vector(0x66, random.pick([0xef, 0xfe, 0xd4, 0x6f, 0xfa, 0xdb, 0x62, 0x76]), register, random.below(this.plan.count))
      case 7:
        return asm.vector(random.pick([0xf3, 0xf3, 0x66]), random.pick([0x6f, 0x7f]), register, this.vectorOperand())
      case 8:
        return asm.vector(0x66, random.pick([0x6e, 0x7e]), register, this.register(), this.mode === 64 && random.chance(50))
      default:
        asm.vector(0x66, 0x70, register, random.below(this.plan.count))
        return asm.raw(random.below(256))
    }
  }

  private x87(): void {
    const { random, asm } = this
    switch (random.below(6)) {
      case 0:
        return asm.instruction([random.pick([0xd9, 0xdd])], 4, 0, this.memory(), { plain: true, bytes: false })
      case 1:
        return asm.instruction([random.pick([0xd9, 0xdd, 0xdb])], 4, random.pick([2, 3]), this.memory(), { plain: true, bytes: false })
      case 2:
        return asm.raw(random.pick([0xd8, 0xdc, 0xde]), 0xc0 | random.below(64))
      case 3:
        return asm.raw(0xd9, random.pick([0xe8, 0xee, 0xc1, 0xc9, 0xe0, 0xe1, 0xfa]))
      case 4:
        // FCOMI, FNSTSW AX
        return random.chance(50) ? asm.raw(0xdb, 0xf1) : asm.raw(0xdf, 0xe0)
      default:
        return asm.instruction([random.pick([0xd8, 0xdc])], 4, random.below(8), this.memory(), { plain: true, bytes: false })
    }
  }

  private x87Group(): void {
    const { random, asm } = this
    const memory = (opcode: number, digit: number): void => asm.instruction([opcode], 4, digit, this.memory(), { plain: true, bytes: false })
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
      if (random.chance(3)) this.x87()
      else if (random.chance(12)) this.move()
      else if (depth === 0 || (depth < 6 && random.chance(30))) push()
      else if (random.chance(20)) pop()
      else if (random.chance(15)) asm.raw(0xd9, random.pick([0xc8 | i, 0xc8 | i, 0xe0, 0xe1, 0xfa, 0xfc, 0xe4]))
      else if (random.chance(15)) asm.raw(...random.pick([[0xdf, 0xe0], [0xdb, 0xf0 | i], [0xd8, 0xd0 | i], [0xdd, 0xd0 | i]]))
      else if (random.chance(30)) memory(random.pick([0xd8, 0xdc]), random.below(8))
      else asm.raw(random.pick([0xd8, 0xdc]), 0xc0 | (random.pick([0, 0, 1, 1, 4, 5, 6]) << 3) | i)
    }
    while (depth > 0 && random.chance(80)) pop()
  }

  // ---- control ----
  /** Mostly forward; now and then back, also into the middle of a loop or of an instruction. */
  private target(item: number): number {
    const { random } = this
    return random.chance(75) ? item + 1 + random.below(Math.max(1, this.items - item)) : random.below(this.items)
  }

  private branch(item: number): void {
    const { random, asm, mode } = this
    const label = this.target(item)
    const skew = random.chance(2) ? 1 : 0
    const code = random.below(16)
    if (random.chance(50)) this.compare()
    switch (random.below(6)) {
      case 0:
        return random.chance(50) ? asm.jump([0xeb], label, false, skew) : asm.jump([0xe9], label, true, skew)
      case 1:
        return asm.jump([mode === 16 || random.chance(80) ? 0xe3 : 0xe2], label, false, skew)
      default:
        return random.chance(50) ? asm.jump([0x70 | code], label, false, skew) : asm.jump([0x0f, 0x80 | code], label, true, skew)
    }
  }

  private compare(): void {
    const { random, asm } = this
    const size = this.size()
    if (random.chance(50)) asm.instruction([size === 1 ? 0x3a : 0x3b], size, this.anyRegister(), this.operand())
    else asm.instruction([size === 1 ? 0x84 : 0x85], size, this.anyRegister(), this.register())
  }

  /** mov counter, n at some earlier place would be nicer to read; here the loop goes back to a label, and its counter was set on the way or not. */
  private loop(item: number): void {
    const { random, asm, mode } = this
    const back = Math.max(0, item - random.below(8))
    if (random.chance(30)) {
      asm.jump([random.pick([0xe2, 0xe2, 0xe1, 0xe0])], back, false)
      return
    }
    const counter = random.pick([RCX, RDX, RAX])
    this.counters.add(counter)
    const size: OperandSize = mode === 16 ? 2 : random.pick([1, 4, 4])
    if (random.chance(50)) asm.instruction([size === 1 ? 0xfe : 0xff], size, 1, counter)
    else {
      asm.instruction([size === 1 ? 0x80 : 0x83], size, 5, counter)
      asm.raw(1)
    }
    asm.jump([0x0f, 0x80 | random.pick([5, 5, 5, 13, 15, 7, 3])], back, true)
  }

  private call(item: number): void {
    const { random, asm } = this
    switch (random.below(4)) {
      case 0:
        return asm.raw(0xc3)
      case 1: {
        // a little function beside the way
        asm.jump([0xeb], 1000 + item, false)
        asm.label(2000 + item)
        this.arithmetic()
        if (random.chance(50)) this.increment()
        asm.raw(...(random.chance(80) ? [0xc3] : [0xc2, random.pick([0, 4, 8]), 0]))
        asm.label(1000 + item)
        asm.jump([0xe8], 2000 + item, true)
        if (random.chance(40)) {
          this.move()
          asm.jump([0xe8], 2000 + item, true)
        }
        return
      }
      case 2:
        // an address taken: call or jmp through a register
        if (this.mode === 64) {
          asm.jump([0x48, 0x8d, 0x05], this.target(item), true)
          asm.raw(0xff, random.chance(50) ? 0xd0 : 0xe0)
          return
        }
        return asm.jump([0xe8], this.target(item), true)
      default:
        return asm.jump([0xe8], this.target(item), true)
    }
  }
}
