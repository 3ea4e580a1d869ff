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
import { CommonInstructions } from './program-instructions'
import { POINTERS, ProgramOperands } from './program-operands'
import { X87Instructions } from './program-x87'
import { Random } from './random'
import { RAX, RCX, RDX, RSP, RegisterPlan } from './register-plan'

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
  private readonly operands: ProgramOperands
  private readonly common: CommonInstructions
  private readonly x87: X87Instructions

  constructor(
    private readonly random: Random,
    private readonly mode: CodeMode,
    private readonly options: ProgramOptions,
  ) {
    this.asm = new ProgramAssembler(mode)
    this.plan = new RegisterPlan(random, mode)
    this.operands = new ProgramOperands(random, mode, this.plan)
    this.common = new CommonInstructions(random, mode, this.plan, this.asm, this.operands)
    this.x87 = new X87Instructions(random, this.asm, this.operands, this.common)
    this.items = 4 + random.below(options.length ?? 40)
  }

  make(page: number): DiffCase {
    const { random, mode, plan, asm } = this
    for (const register of POINTERS) plan.pin(register, BigInt(this.operands.pointer()))
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

  // ---- one item ----
  private item(item: number): void {
    const { random } = this
    if (this.options.x87 !== undefined && random.chance(this.options.x87)) return this.x87.group()
    if (random.chance(PERCENT_FROM_TABLE) && this.fromTable()) return
    const kinds: readonly (() => void)[] = [
      () => this.common.arithmetic(),
      () => this.common.arithmetic(),
      () => this.common.arithmetic(),
      () => this.common.increment(),
      () => this.common.increment(),
      () => this.common.carryChain(),
      () => this.common.move(),
      () => this.common.move(),
      () => this.common.shift(),
      () => this.common.other(),
      () => this.common.other(),
      () => this.common.conditional(),
      () => this.common.stack(),
      () => this.common.string(),
      () => this.common.sse(),
      () => this.common.sse(),
      () => this.x87.single(),
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
    if (random.chance(50)) this.common.compare()
    switch (random.below(6)) {
      case 0:
        return random.chance(50) ? asm.jump([0xeb], label, false, skew) : asm.jump([0xe9], label, true, skew)
      case 1:
        return asm.jump([mode === 16 || random.chance(80) ? 0xe3 : 0xe2], label, false, skew)
      default:
        return random.chance(50) ? asm.jump([0x70 | code], label, false, skew) : asm.jump([0x0f, 0x80 | code], label, true, skew)
    }
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
    this.operands.counters.add(counter)
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
        this.common.arithmetic()
        if (random.chance(50)) this.common.increment()
        asm.raw(...(random.chance(80) ? [0xc3] : [0xc2, random.pick([0, 4, 8]), 0]))
        asm.label(1000 + item)
        asm.jump([0xe8], 2000 + item, true)
        if (random.chance(40)) {
          this.common.move()
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
