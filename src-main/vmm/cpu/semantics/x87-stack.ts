/** The x87's register stack as meanings see it. What follows from it (TOP, tags, status word) is the engine's business. */
import type { Value } from '../wasm/ir'

/** A number of 80 bits: i64 and, sign and exponent, i32. */
export interface Extended {
  readonly sig: Value
  readonly se: Value
}

/** What a helper does to the stack, as long as it raises no unmasked exception. Numbers are those of ST(i) before it. */
export interface StackEffect {
  /** Registers that it expects in use. */
  readonly full: readonly Value[]
  /** Those that it changes, but for what it pushes. */
  readonly writes?: readonly Value[]
  /** It pushes one number. */
  readonly pushes?: boolean
  readonly pops?: number
}

export interface X87Stack {
  /** Lowest bit (i32): ST(i) is in use. */
  isFull(i: Value): Value
  /** Lowest bit (i32): one more number has room. */
  hasRoom(): Value
  read(i: Value): Extended
  /** Of a register in use. */
  write(i: Value, value: Extended): void
  /** As write(); the register becomes in use. */
  fill(i: Value, value: Extended): void
  push(value: Extended): void
  pop(): void
  /** TOP (i32). */
  top(): Value
  /** The status word without TOP (i32). */
  status(): Value
  setStatus(value: Value): void
  clearC1(): void
  /**
   * The instruction in two ways: `quick` when the condition (i32) is not 0, else `exact` by helpers, which know nothing of this interface. Both do the same to
   * the stack, unless an unmasked exception is raised. It is the last thing that an instruction does.
   */
  either(condition: Value, quick: () => void, exact: () => void): void
  /** What only helpers do. */
  exactly(effect: StackEffect, exact: () => void): void
  /** This is the instruction that FIP, FOP and FDP are of from now on. */
  track(): void
}
