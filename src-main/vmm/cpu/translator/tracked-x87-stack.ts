/**
 * The x87's stack in a basic block of a region. TOP is what it was at the first x87 instruction, plus a number known here; which registers are in use is
 * looked at once, there: if it is not as all that follow expect, the interpreter does the block. Numbers stay in locals, too. Registers are stored at once;
 * TOP, tags and status word where the block ends, where it is left, and before a helper looks at them.
 *
 * That the stack does what is known here holds as long as no unmasked exception is raised. Only helpers raise: behind them ES is looked at, and the region
 * left if it is set.
 */
import { FPU_REG_BYTES, FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP } from '../layout'
import type { Extended, StackEffect, X87Stack } from '../semantics/x87-stack'
import { constantOf } from '../wasm/ir'
import type { Block, OpName, Value, Variable } from '../wasm/ir'
import type { RegionFrame } from './region-frame'

const REGISTERS = 8
const MASK = REGISTERS - 1
const SW_C1 = 0x200
const SW_ES = 0x80
/** log2 of FPU_REG_BYTES. */
const REGISTER_SHIFT = 31 - Math.clz32(FPU_REG_BYTES)
const SIGN_EXPONENT = FPU_REGS + 8
/** A byte times this is the byte twice, for rotations. */
const TWICE = 0x101

/** The instruction that is being emitted. */
export interface X87User {
  /** Leaves for the interpreter, with the state before the instruction. Nothing is pending in the block. */
  refuseBlock(): void
  /** Leaves behind the instruction. */
  leaveBehind(): void
  /** Ends what else is pending. */
  settleOthers(): void
  /** FIP, FOP and FDP are this instruction's. */
  noteX87(): void
}

/** Where TOP and tags were loaded. Registers are numbered from the TOP of then. */
interface Start {
  readonly block: Block
  readonly top: Variable
  tags: Variable | undefined
  /** Registers that must be in use, and not in use. */
  full: number
  empty: number
  readonly refuse: () => void
  readonly places: (Variable | undefined)[]
}

interface Known {
  /** TOP, and the one in memory (undefined: depends on the way). */
  readonly top: number
  readonly storedTop: number | undefined
  /** Bitmaps of registers: whose use is known, which of them are in use; that are changed since the start, and changed in memory. */
  readonly known: number
  readonly full: number
  readonly changed: number
  readonly storedChanged: number | undefined
  /** Registers that are in their locals. */
  readonly cached: number
  /** The status word is in its local, and not in memory; C1 is 0. */
  readonly status: boolean
  readonly statusPending: boolean
  readonly c1Clear: boolean
}
const NOTHING: Known = { top: 0, storedTop: 0, known: 0, full: 0, changed: 0, storedChanged: 0, cached: 0, status: false, statusPending: false, c1Clear: false }

export class TrackedX87Stack implements X87Stack {
  private start: Start | undefined
  private now: Known = NOTHING
  /** Registers written since either() began. */
  private written = 0
  /** Within what helpers do. */
  private isExact = false
  private mayHaveRaised = false
  private user: X87User | undefined
  /** Statements of the basic block go there. */
  private level: Block | undefined
  private readonly statusWord: Variable
  private readonly locals: { readonly sig: Variable; readonly se: Variable }[] = []

  constructor(private readonly frame: RegionFrame) {
    this.statusWord = frame.builder.temporary('i32')
  }

  // ---- for the region ----

  /** Before each instruction. */
  begin(user: X87User): void {
    this.user = user
    this.level = this.frame.builder.position
  }

  /** Behind each instruction. */
  end(): void {
    if (!this.mayHaveRaised) return
    this.mayHaveRaised = false
    this.leaveIfPending(this.status())
  }

  /** Something else wants to see the x87's state, or changes it; at the end of a basic block, too. */
  release(): void {
    if (this.isExact || (this.start === undefined && this.now === NOTHING)) return
    if (this.frame.builder.position !== this.level) throw new Error('what is known of the x87 ends on all ways alike')
    this.storePending()
    if (this.start !== undefined) this.check(this.start)
    this.start = undefined
    this.now = NOTHING
  }

  /** A helper that may do anything to the x87. */
  released(): void {
    if (this.isExact) return
    this.release()
    this.mayHaveRaised = true
  }

  /** In a branch that leaves the region. */
  storePending(): void {
    const { now, start } = this
    const { builder: b, vcpu } = this.frame
    if (start !== undefined && now.top !== now.storedTop) b.effect('i32.store', [vcpu, this.top()], FPU_TOP)
    if (start !== undefined && now.changed !== now.storedChanged) {
      const tags = b.get(this.tagsOf(start))
      const twice = this.op('i32.shl', this.i32(now.changed * TWICE), b.get(start.top))
      const changes = this.op('i32.and', this.op('i32.shr_u', twice, this.i32(REGISTERS)), this.i32(0xff))
      b.effect('i32.store', [vcpu, now.changed === 0 ? tags : this.op('i32.xor', tags, changes)], FPU_TAGS)
    }
    if (now.statusPending) b.effect('i32.store', [vcpu, b.get(this.statusWord)], FPU_SW)
  }

  // ---- the stack ----

  isFull(i: Value): Value {
    return this.i32(this.isKnownFull(this.register(i)) ? 1 : 0)
  }

  hasRoom(): Value {
    return this.i32(this.isKnownEmpty(this.register(this.i32(-1))) ? 1 : 0)
  }

  read(i: Value): Extended {
    const register = this.register(i)
    const bit = 1 << register
    if (!(this.now.cached & bit)) this.load(register)
    this.now = { ...this.now, cached: this.now.cached | bit }
    const { sig, se } = this.local(register)
    return { sig: this.frame.builder.get(sig), se: this.frame.builder.get(se) }
  }

  write(i: Value, value: Extended): void {
    this.put(this.register(i), value)
  }

  fill(i: Value, value: Extended): void {
    const register = this.register(i)
    if (!(this.now.known & (1 << register))) this.isKnownFull(register)
    this.put(register, value)
    this.setFull(register, true)
  }

  push(value: Extended): void {
    const register = this.register(this.i32(-1))
    this.put(register, value)
    this.setFull(register, true)
    this.now = { ...this.now, top: register }
  }

  pop(): void {
    this.setFull(this.now.top, false)
    this.now = { ...this.now, top: (this.now.top + 1) & MASK }
  }

  top(): Value {
    const { builder: b } = this.frame
    const top = b.get(this.started().top)
    return this.now.top === 0 ? top : this.op('i32.and', this.op('i32.add', top, this.i32(this.now.top)), this.i32(MASK))
  }

  status(): Value {
    const { builder: b, vcpu } = this.frame
    if (!this.now.status) b.set(this.statusWord, b.load('i32.load', vcpu, FPU_SW))
    this.now = { ...this.now, status: true }
    return b.get(this.statusWord)
  }

  setStatus(value: Value): void {
    this.frame.builder.set(this.statusWord, value)
    this.now = { ...this.now, status: true, statusPending: true, c1Clear: false }
  }

  clearC1(): void {
    if (this.now.c1Clear) return
    this.setStatus(this.op('i32.and', this.status(), this.i32(~SW_C1)))
    this.now = { ...this.now, c1Clear: true }
  }

  either(condition: Value, quick: () => void, exact: () => void): void {
    const { builder: b } = this.frame
    const known = constantOf(condition)
    if (known !== undefined) {
      if (known !== 0) return quick()
      this.release()
      return exact()
    }
    const before = this.now
    let after = before
    this.written = 0
    const quickly = (): void => {
      quick()
      after = this.now
    }
    b.if(condition, quickly, () => {
      b.rare()
      this.now = before
      this.storePending()
      this.isExact = true
      exact()
      this.isExact = false
      this.mayHaveRaised = false
      // memory has what quick() will store later
      this.now = { ...after, storedTop: after.top, storedChanged: after.changed, status: false, statusPending: false }
      this.leaveIfPending(this.status())
      for (let register = 0; register < REGISTERS; register++) {
        const bit = 1 << register
        if (after.cached & bit && (this.written & bit || !(before.cached & bit))) this.load(register)
      }
      this.now = before
    })
    this.now = {
      ...after,
      storedTop: before.storedTop === after.top ? after.top : undefined,
      storedChanged: before.storedChanged === after.changed ? after.changed : undefined,
      status: true,
      statusPending: after.statusPending,
      c1Clear: false,
    }
    if (!after.status) throw new Error('both ways say what the status word is')
  }

  exactly({ full, writes = [], pushes = false, pops = 0 }: StackEffect, exact: () => void): void {
    const changed = writes.map((i) => this.register(i))
    const asExpected = full.map((i) => this.isKnownFull(this.register(i))).every(Boolean) && (!pushes || this.isKnownEmpty(this.register(this.i32(-1))))
    if (!asExpected) {
      this.release()
      return exact()
    }
    this.storePending()
    this.isExact = true
    exact()
    this.isExact = false
    this.mayHaveRaised = true
    if (pushes) {
      const register = this.register(this.i32(-1))
      changed.push(register)
      this.setFull(register, true)
      this.now = { ...this.now, top: register }
    }
    for (let n = 0; n < pops; n++) this.pop()
    const { now } = this
    const stale = changed.reduce((bits, register) => bits | (1 << register), 0)
    this.now = { ...now, storedTop: now.top, storedChanged: now.changed, cached: now.cached & ~stale, status: false, statusPending: false, c1Clear: false }
  }

  track(): void {
    // what refuses the block must come first
    this.started()
    this.served.noteX87()
  }

  // ---- parts ----

  private get served(): X87User {
    if (this.user === undefined) throw new Error('no instruction has begun')
    return this.user
  }

  private started(): Start {
    if (this.start !== undefined) return this.start
    const { builder: b, vcpu } = this.frame
    const { served } = this
    served.settleOthers()
    const top = b.temporary('i32')
    const block = b.reserve()
    b.at(block, () => b.set(top, b.load('i32.load', vcpu, FPU_TOP)))
    this.start = { block, top, tags: undefined, full: 0, empty: 0, refuse: () => served.refuseBlock(), places: [] }
    return this.start
  }

  private tagsOf(start: Start): Variable {
    const { builder: b, vcpu } = this.frame
    if (start.tags === undefined) {
      const tags = (start.tags = b.temporary('i32'))
      b.at(start.block, () => b.set(tags, b.load('i32.load', vcpu, FPU_TAGS)))
    }
    return start.tags
  }

  /** The block is entered only if all expectations are met. */
  private check(start: Start): void {
    const looked = start.full | start.empty
    if (looked === 0) return
    const { builder: b } = this.frame
    const tags = this.tagsOf(start)
    b.at(start.block, () => {
      const fromTop = this.op('i32.shr_u', this.op('i32.mul', b.get(tags), this.i32(TWICE)), b.get(start.top))
      b.if(this.op('i32.ne', this.op('i32.and', fromTop, this.i32(looked)), this.i32(start.full)), start.refuse)
    })
  }

  /** Number from the start's TOP of the register that ST(i) is. */
  private register(i: Value): number {
    const number = constantOf(i)
    if (number === undefined) throw new Error('numbers of stack registers are known in a region')
    this.started()
    return (this.now.top + Number(number)) & MASK
  }

  private isKnownFull(register: number): boolean {
    return this.expect(register, 'full')
  }

  private isKnownEmpty(register: number): boolean {
    return this.expect(register, 'empty')
  }

  private expect(register: number, what: 'full' | 'empty'): boolean {
    const bit = 1 << register
    const { known, full } = this.now
    if (!(known & bit)) {
      this.started()[what] |= bit
      this.now = { ...this.now, known: known | bit, full: what === 'full' ? full | bit : full }
      return true
    }
    return ((full & bit) !== 0) === (what === 'full')
  }

  private setFull(register: number, isFull: boolean): void {
    const bit = 1 << register
    const { full, changed } = this.now
    if (((full & bit) !== 0) !== isFull) this.now = { ...this.now, full: full ^ bit, changed: changed ^ bit }
  }

  private put(register: number, { sig, se }: Extended): void {
    const { builder: b } = this.frame
    const place = this.placeOf(register)
    b.effect('i64.store', [place, sig], FPU_REGS)
    b.effect('i32.store', [place, se], SIGN_EXPONENT)
    const local = this.local(register)
    b.set(local.sig, sig)
    b.set(local.se, se)
    this.written |= 1 << register
    this.now = { ...this.now, cached: this.now.cached | (1 << register) }
  }

  private load(register: number): void {
    const { builder: b } = this.frame
    const place = this.placeOf(register)
    const local = this.local(register)
    b.set(local.sig, b.load('i64.load', place, FPU_REGS))
    b.set(local.se, b.load('i32.load', place, SIGN_EXPONENT))
  }

  /** Where a register lies, but for FPU_REGS. */
  private placeOf(register: number): Value {
    const { builder: b, vcpu } = this.frame
    const start = this.started()
    let place = start.places[register]
    if (place === undefined) {
      const variable = (place = start.places[register] = b.temporary('i32'))
      b.at(start.block, () => {
        const number = this.op('i32.and', this.op('i32.add', b.get(start.top), this.i32(register)), this.i32(MASK))
        b.set(variable, this.op('i32.add', vcpu, this.op('i32.shl', number, this.i32(REGISTER_SHIFT))))
      })
    }
    return b.get(place)
  }

  private local(register: number): { readonly sig: Variable; readonly se: Variable } {
    const { builder: b } = this.frame
    return (this.locals[register] ??= { sig: b.temporary('i64'), se: b.temporary('i32') })
  }

  private leaveIfPending(status: Value): void {
    const { builder: b } = this.frame
    b.if(this.op('i32.and', status, this.i32(SW_ES)), () => {
      b.rare()
      this.served.leaveBehind()
    })
  }

  private op(name: OpName, ...args: readonly Value[]): Value {
    return this.frame.builder.op(name, args)
  }

  private i32(n: number): Value {
    return this.frame.builder.constant('i32', n)
  }
}
