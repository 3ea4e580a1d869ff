/** The x87's stack as it lies in the vCPU, for one instruction. */
import { FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP } from '../layout'
import type { Emitter } from '../semantics/emitter'
import type { Extended, StackEffect, X87Stack } from '../semantics/x87-stack'
import type { Value } from '../wasm/ir'

const SW_C1 = 0x200
const SIGNIFICAND: number = FPU_REGS
const SIGN_EXPONENT: number = FPU_REGS + 8
/** log2 of FPU_REG_BYTES. */
const REGISTER_SHIFT = 4

export class StoredX87Stack implements X87Stack {
  /** Loaded where they are first asked for, which is before any branch. */
  private topNow: Value | undefined
  private tagsNow: Value | undefined

  constructor(private readonly m: Emitter & { noteX87(): void }) {}

  isFull(i: Value): Value {
    return this.inUse(this.physical(i))
  }

  hasRoom(): Value {
    return this.m.not(this.inUse(this.physical(this.m.i32(-1))))
  }

  read(i: Value): Extended {
    const { m } = this
    const place = this.place(this.physical(i))
    return { sig: m.loadStateAt('i64', place, SIGNIFICAND), se: m.loadStateAt('i32', place, SIGN_EXPONENT) }
  }

  write(i: Value, value: Extended): void {
    this.writePhysical(this.physical(i), value)
  }

  fill(i: Value, value: Extended): void {
    const register = this.physical(i)
    this.writePhysical(register, value)
    this.setTags(this.m.or(this.tags(), this.bit(register)))
  }

  push(value: Extended): void {
    const register = this.physical(this.m.i32(-1))
    this.writePhysical(register, value)
    this.setTags(this.m.or(this.tags(), this.bit(register)))
    this.setTop(register)
  }

  pop(): void {
    const { m } = this
    const top = this.top()
    this.setTags(m.and(this.tags(), m.not(this.bit(top))))
    this.setTop(m.and(m.add(top, m.i32(1)), m.i32(7)))
  }

  top(): Value {
    return (this.topNow ??= this.m.loadState('i32', FPU_TOP))
  }

  status(): Value {
    return this.m.loadState('i32', FPU_SW)
  }

  setStatus(value: Value): void {
    this.m.storeState(FPU_SW, value)
  }

  clearC1(): void {
    this.setStatus(this.m.and(this.status(), this.m.i32(~SW_C1)))
  }

  either(condition: Value, quick: () => void, exact: () => void): void {
    this.m.if(condition, quick, exact)
  }

  exactly(_effect: StackEffect, exact: () => void): void {
    exact()
  }

  track(): void {
    this.m.noteX87()
  }

  // ---- parts ----
  private tags(): Value {
    return (this.tagsNow ??= this.m.loadState('i32', FPU_TAGS))
  }

  private setTop(value: Value): void {
    this.topNow = value
    this.m.storeState(FPU_TOP, value)
  }

  private setTags(value: Value): void {
    this.tagsNow = value
    this.m.storeState(FPU_TAGS, value)
  }

  /** Number (i32) of the physical register that ST(i) is. */
  private physical(i: Value): Value {
    return this.m.and(this.m.add(this.top(), i), this.m.i32(7))
  }

  private inUse(register: Value): Value {
    return this.m.shrU(this.tags(), register)
  }

  private bit(register: Value): Value {
    return this.m.shl(this.m.i32(1), register)
  }

  private place(register: Value): Value {
    return this.m.shl(register, this.m.i32(REGISTER_SHIFT))
  }

  private writePhysical(register: Value, { sig, se }: Extended): void {
    const place = this.place(register)
    this.m.storeStateAt(place, SIGNIFICAND, sig)
    this.m.storeStateAt(place, SIGN_EXPONENT, se)
  }
}
