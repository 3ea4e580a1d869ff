/**
 * What a meaning may say. Each operation of the instruction table has one function (m: Emitter) => void that reads like the manual's
 * pseudocode; who runs it (a decoded record interpreted, or constants in a translated region) is the binding's business.
 *
 * Rules for meanings:
 * - Precise state: everything that can fault (memory reads, write checks, segment loads) comes before the first change of registers or flags.
 *   modify() and address() check for writing before they return, so what follows cannot fault.
 * - Values are immutable (SSA); a value made inside if/loop must not be used outside. Use a Variable to carry values across.
 * - Integers: operands of 1, 2 and 4 bytes are i32 (zero-extended), of 8 bytes i64. `m.type` is the type of the operand size.
 */
import type { Form } from '../isa/form'
import type { IrType, OpName, Value, Variable } from '../wasm/ir'
import type { InvariantName } from './invariants'
import type { X87Stack } from './x87-stack'

export type Semantics = (m: Emitter) => void
/** Name of an operation in the instruction table -> its meaning. Each family exports one; semantics/index.ts joins them. */
export type SemanticsTable = Readonly<Record<string, Semantics>>

/** Condition codes as in the low four bits of Jcc (0 O, 1 NO, 2 B, 3 AE, 4 E, 5 NE, 6 BE, 7 A, 8 S, 9 NS, 10 P, 11 NP, 12 L, 13 GE, 14 LE, 15 G). */
export type ConditionCode = number

export type FlagName = 'cf' | 'pf' | 'af' | 'zf' | 'sf' | 'of'

/** A checked memory location: reading and writing it cannot fault any more (for 'write' intent). */
export interface Reference {
  readonly bytes: 1 | 2 | 4 | 8 | 16
  load(): Value
  store(value: Value): void
}

/** Explicit memory address: segment (SEG_* constant, or 'operand' for the one of the memory operand) and effective address (i64). */
export interface SegmentedAddress {
  readonly segment: number | 'operand'
  readonly offset: Value
}

/** Arithmetic on values, WebAssembly's own operations. */
export interface Arithmetic {
  i32(n: number): Value
  i64(n: number | bigint): Value
  f32(n: number): Value
  f64(n: number): Value
  /** 16 bytes. */
  v128(bytes: readonly number[]): Value
  /** Any WebAssembly operation by its standard name ('f64.add', 'i8x16.shuffle' with lanes in `immediates`, 'i32x4.extract_lane' ...). */
  op(name: OpName, args: readonly Value[], immediates?: readonly number[]): Value
  // the type (i32 or i64) follows the first argument
  add(a: Value, b: Value): Value
  sub(a: Value, b: Value): Value
  mul(a: Value, b: Value): Value
  /** The caller makes sure that the divisor is not 0 (and the quotient fits). */
  divU(a: Value, b: Value): Value
  divS(a: Value, b: Value): Value
  remU(a: Value, b: Value): Value
  remS(a: Value, b: Value): Value
  and(a: Value, b: Value): Value
  or(a: Value, b: Value): Value
  xor(a: Value, b: Value): Value
  not(a: Value): Value
  neg(a: Value): Value
  /** Shift counts are taken modulo the width of the type, as in WebAssembly; the count may be i32 or i64, it is converted. */
  shl(a: Value, count: Value): Value
  shrU(a: Value, count: Value): Value
  shrS(a: Value, count: Value): Value
  rotl(a: Value, count: Value): Value
  rotr(a: Value, count: Value): Value
  clz(a: Value): Value
  ctz(a: Value): Value
  popcnt(a: Value): Value
  /** Comparisons give i32 0 or 1. */
  eq(a: Value, b: Value): Value
  ne(a: Value, b: Value): Value
  ltU(a: Value, b: Value): Value
  ltS(a: Value, b: Value): Value
  gtU(a: Value, b: Value): Value
  gtS(a: Value, b: Value): Value
  leU(a: Value, b: Value): Value
  leS(a: Value, b: Value): Value
  geU(a: Value, b: Value): Value
  geS(a: Value, b: Value): Value
  eqz(a: Value): Value
  select(condition: Value, ifTrue: Value, ifFalse: Value): Value
  /** i64 -> i32 (no-op on i32). */
  wrap(a: Value): Value
  /** -> i64 (no-op on i64). */
  zext(a: Value): Value
  sext(a: Value): Value
  /** Sign-extends the low `bytes` within the value's own type. */
  sextFrom(a: Value, bytes: 1 | 2 | 4): Value
  /** Keeps the low `bytes` (1, 2, 4: result i32; 8: i64), zero-extended. */
  truncate(a: Value, bytes: 1 | 2 | 4 | 8): Value
  /** An unsigned/zero-extended constant of the type used for `bytes`. */
  constant(n: number | bigint, bytes: 1 | 2 | 4 | 8): Value
}

/** An operation on floating-point numbers that WebAssembly does itself unless there is anything special about operands or MXCSR. */
export interface FloatOperation {
  /** OP_* of helpers/fpu-codes. */
  readonly op: number
  /** Of an element. */
  readonly bytes: 4 | 8
  /** f32 or f64, or v128. */
  readonly operands: readonly Value[]
  /** MXCSR must be plain: rounding to nearest, PE set. */
  readonly plain: boolean
  fast(operands: readonly Value[]): Value
  /** i32: the operands may be special. */
  special(): Value
  /** The helper that does it exactly, its arguments, and what its result stands for. */
  readonly exact: {
    readonly helper: string
    args(operands: readonly Value[]): readonly Value[]
    result(value: Value): Value
  }
}

export interface Emitter extends Arithmetic {
  /** The form being emitted: operand size, operands, variant, rep, address size. */
  readonly form: Form
  readonly size: 1 | 2 | 4 | 8
  /** i32 for sizes 1, 2, 4; i64 for 8. */
  readonly type: 'i32' | 'i64'

  // ---- operands by position in the form ----
  /**
   * Reads operand `i`: integer kinds zero-extended (immediates truncated to `bytes`); xmm/mem of 16 bytes as v128; mm as i64; scalar xmm as i32/i64 of its
   * low bytes; sreg: selector; cr/dr: i64. `aligned`: 16-byte memory operands must be aligned (#GP(0)).
   */
  read(i: number, options?: { readonly aligned?: boolean }): Value
  /** Reads operand `i` sign-extended into the type of `toBytes` (default: the operand size). */
  readSigned(i: number, toBytes?: 1 | 2 | 4 | 8): Value
  /** Writes operand `i`. 32-bit general-purpose writes clear the upper half; scalar xmm writes leave the rest of the register. */
  write(i: number, value: Value, options?: { readonly aligned?: boolean }): void
  /** Read-modify-write of operand `i`; memory is checked for writing first. `f` may set flags; its result is stored. Honours LOCK. */
  modify(i: number, f: (old: Value) => Value): void
  isMemory(i: number): boolean
  /** Number (i32) of a register operand: XMM/MM/ST/segment/CR/DR number; for gpr its byte offset in the register file. */
  registerField(i: number): Value
  /** Effective address (i64, masked to the address size, no segment base) of the memory operand. */
  effectiveAddress(): Value
  /** The mask (i64) of the instruction's address size. */
  addressMask(): Value
  /** The memory operand as an address, for accesses at offsets from it. */
  memoryOperand(): SegmentedAddress
  /** Number (i32, SEG_*) of the memory operand's segment: DS of string sources unless overridden. For helpers that check limits themselves. */
  operandSegment(): Value

  // ---- explicit memory ----
  /** 1, 2, 4 bytes: i32; 8: i64; 16: v128. May fault (segment limit, canonical, page). The linear address is segment base + (offset & mask). */
  load(bytes: 1 | 2 | 4 | 8 | 16, address: SegmentedAddress): Value
  store(bytes: 1 | 2 | 4 | 8 | 16, address: SegmentedAddress, value: Value): void
  /** Checks the location for writing (and reading) without touching it. */
  reference(bytes: 1 | 2 | 4 | 8 | 16, address: SegmentedAddress): Reference
  /** Linear address (i64) of [address, address + bytes) after the segment checks for `intent`; for helpers that access memory themselves. */
  linear(address: SegmentedAddress, bytes: number, intent: 'read' | 'write'): Value

  // ---- stack ----
  /** SS:(RSP + delta) masked to the stack size, as an address. */
  stackAddress(delta: number): SegmentedAddress
  /** Stores below RSP, then moves RSP. */
  push(bytes: 2 | 4 | 8, value: Value): void
  /** The value at the top of the stack; RSP does not move yet. */
  top(bytes: 2 | 4 | 8): Value
  /** RSP += delta under the stack mask. */
  adjustStack(delta: number | Value): void

  // ---- registers and state ----
  /** General-purpose register by number (0..15), its low `bytes`. */
  gpr(register: number, bytes: 1 | 2 | 4 | 8): Value
  setGpr(register: number, bytes: 1 | 2 | 4 | 8, value: Value): void
  /** Register masked to the form's address size (CX/ECX/RCX, SI/ESI/RSI ...), as i64, and its write with that size's rules. */
  addressRegister(register: number): Value
  setAddressRegister(register: number, value: Value): void
  xmm(index: number | Value): Value
  setXmm(index: number | Value, value: Value): void
  /** A field of the vCPU by its layout offset. */
  loadState(type: 'i32' | 'i64' | 'f64' | 'v128', offset: number): Value
  storeState(offset: number, value: Value): void
  loadState8(offset: number): Value
  loadState16(offset: number): Value
  storeState8(offset: number, value: Value): void
  storeState16(offset: number, value: Value): void
  /** Field at a computed offset (i32) from the vCPU's base, e.g. FPU_REGS + top * 16. */
  loadStateAt(type: 'i32' | 'i64' | 'f64' | 'v128', index: Value, offset: number): Value
  storeStateAt(index: Value, offset: number, value: Value): void

  /** A condition of invariants.ts (i32, 0: the usual case). */
  invariant(name: InvariantName): Value
  /** The instruction has changed what the condition depends on. */
  changed(name: InvariantName): void

  // ---- floating point ----
  readonly x87: X87Stack
  floatOperation(operation: FloatOperation): Value
  /** `exact` sets what follows from a comparison of f32 or f64 that are special; what is usual is set already. */
  floatComparison(bytes: 4 | 8, operands: readonly Value[], special: () => Value, exact: (operands: readonly Value[]) => void): void

  // ---- flags ----
  /** r = a + b (+ carry in): all six flags. Values of the operand size (`bytes`, default the form's size); r need not be truncated above it for i32. */
  flagsAdd(a: Value, b: Value, r: Value, bytes?: 1 | 2 | 4 | 8): void
  /** r = a - b (- borrow in). */
  flagsSub(a: Value, b: Value, r: Value, bytes?: 1 | 2 | 4 | 8): void
  /** CF = OF = AF = 0; ZF, SF, PF from r. */
  flagsLogic(r: Value, bytes?: 1 | 2 | 4 | 8): void
  /** As flagsAdd(old, 1, r) / flagsSub(old, 1, r) with CF kept. */
  flagsInc(old: Value, r: Value, bytes?: 1 | 2 | 4 | 8): void
  flagsDec(old: Value, r: Value, bytes?: 1 | 2 | 4 | 8): void
  /** ZF, SF, PF from r; CF, OF, AF as given (i32 0 or 1; missing: 0). */
  flagsResult(r: Value, flags: { readonly cf?: Value; readonly of?: Value; readonly af?: Value }, bytes?: 1 | 2 | 4 | 8): void
  /** Of a * b, both sign-extended to their type: CF and OF say that the product does not fit, the others are as of what fits. */
  flagsSignedProduct(a: Value, b: Value, bytes?: 1 | 2 | 4 | 8): void
  /** Sets some flags (i32 0 or 1) and keeps the others. */
  setFlags(flags: Readonly<Partial<Record<FlagName, Value>>>): void
  flag(name: FlagName): Value
  condition(code: ConditionCode): Value
  /** All six status flags in their EFLAGS positions (i32); and setting them all from such a value. */
  statusFlags(): Value
  setStatusFlags(value: Value): void
  /** DF as +1/-1 is often wanted: i64 step of `bytes` by the direction flag. */
  stringStep(bytes: number): Value
  /**
   * REP MOVS or REP STOS of no more elements than a dispatch does, all of it or nothing, where that can be said in one go: whatever it cannot do leaves. False:
   * there is no such way.
   */
  repeatAtOnce(operation: 'movs' | 'stos'): boolean

  // ---- control ----
  if(condition: Value, then: () => void, otherwise?: () => void): void
  /** Runs body; repeats while body calls again(). */
  loop(body: (again: (condition: Value) => void) => void): void
  variable(initial: Value): Variable
  get(variable: Variable): Value
  set(variable: Variable, value: Value): void
  /** Address of the current / the next instruction (offset in CS, i64). */
  rip(): Value
  nextRip(): Value
  /** Near jump to an absolute offset (i64, already masked to the operand size); checks CS limit or canonical form (#GP(0)) before it takes effect. */
  jump(target: Value): void
  /** Relative jump by the 'rel' operand, when the condition (i32) holds; without condition always. */
  jumpRelative(condition?: Value): void
  /** The target of the 'rel' operand (i64), masked to the operand size. */
  relativeTarget(): Value
  /** Records an exception and leaves the instruction. */
  raise(vector: number, errorCode?: Value | number): void
  /**
   * Calls a helper of the core (cpu/helpers/); the vCPU's base is passed first. Results of kind 'status' leave the instruction when not
   * STATUS_NEXT; kind 'T or fault' leaves when an exception is recorded.
   */
  helper(name: string, ...args: readonly Value[]): Value
  /** As helper() for those without result. */
  call(name: string, ...args: readonly Value[]): void
  /** Ends the instruction here, successfully (STATUS_JUMP: the run loop looks around before the next one). */
  endBlock(): void
  /** The record's raw fields. */
  immediate(): Value
  immediate2(): Value
}

export type { Form, InvariantName, IrType, OpName, Value, Variable }
