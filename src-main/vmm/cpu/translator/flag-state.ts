/**
 * Status flags of a region: what set them last, not what they are. Only a reader or an exit computes them. The operands of that
 * operation stand in locals (slots) together with a number that tells the operation, which costs nothing until somebody reads them. INC and
 * DEC keep CF, bit tests change nothing else: both lie as layers over what was there before, so that a loop that counts need not know what that is.
 */
import type { FunctionBuilder, IrType, Value, Variable } from '../wasm/ir'

type Bytes = 1 | 2 | 4 | 8

/** Operands of each kind: add, sub: a, b (r = a op b); adc, sbb: a, b, r with carry or borrow in r; logic: r; result: r, cf, of, af; bits: cf, pf, af,
 * zf, sf, of. */
export type FlagKind = 'add' | 'sub' | 'adc' | 'sbb' | 'logic' | 'result' | 'bits'
export type CountKind = 'inc' | 'dec'

export interface PendingFlags {
  readonly kind: FlagKind
  readonly bytes: Bytes
  readonly values: readonly Value[]
}
/** All flags but CF. */
export interface PendingCount {
  readonly kind: CountKind
  readonly bytes: Bytes
  readonly result: Value
}

/** 'canonical': FLAG_RESULT and FLAG_AUX are in their locals; 'dynamic': whatever the slots' numbers say. */
export interface FlagState {
  readonly base: 'canonical' | 'dynamic' | PendingFlags
  readonly count: undefined | 'dynamic' | PendingCount
  /** CF alone, i32 0 or 1. */
  readonly carry: undefined | 'dynamic' | Value
}
export const CANONICAL: FlagState = { base: 'canonical', count: undefined, carry: undefined }
export const DYNAMIC: FlagState = { base: 'dynamic', count: 'dynamic', carry: 'dynamic' }
export const isDynamic = ({ base, count, carry }: FlagState): boolean => base === 'dynamic' || count === 'dynamic' || carry === 'dynamic'

type Operand = 'same' | 'bit'
/** Types of the operands: as wide as the operation, or i32 0 or 1. */
const OPERANDS: Readonly<Record<FlagKind, readonly Operand[]>> = {
  add: ['same', 'same'],
  sub: ['same', 'same'],
  adc: ['same', 'same', 'same'],
  sbb: ['same', 'same', 'same'],
  logic: ['same'],
  result: ['same', 'bit', 'bit', 'bit'],
  bits: ['bit', 'bit', 'bit', 'bit', 'bit', 'bit'],
}
const SIZES: readonly Bytes[] = [1, 2, 4, 8]
const SLOTS_32 = 6
const SLOTS_64 = 3

export interface NumberedKind<Kind> {
  readonly number: number
  readonly kind: Kind
  readonly bytes: Bytes
}
const numbered = <Kind extends string>(kinds: readonly Kind[]): readonly NumberedKind<Kind>[] =>
  kinds.flatMap((kind, i) => SIZES.map((bytes, j) => ({ number: 1 + i * SIZES.length + j, kind, bytes })))
const FLAG_KINDS: readonly FlagKind[] = ['add', 'sub', 'adc', 'sbb', 'logic', 'result', 'bits']
const COUNT_KINDS: readonly CountKind[] = ['inc', 'dec']
/** What the slots' numbers mean; 0: canonical, nothing counted. */
export const KINDS: readonly NumberedKind<FlagKind>[] = numbered(FLAG_KINDS)
export const COUNTS: readonly NumberedKind<CountKind>[] = numbered(COUNT_KINDS)
const numberOf = <Kind>(all: readonly NumberedKind<Kind>[], kind: Kind, bytes: Bytes): number =>
  all.find((one) => one.kind === kind && one.bytes === bytes)?.number ?? 0

/** The operands of a kind out of the slots' values, which are the 32-bit ones and the 64-bit ones. */
export function operandsOf<T>(kind: FlagKind, bytes: Bytes, narrow: readonly T[], wide: readonly T[]): readonly T[] {
  return OPERANDS[kind].map((operand, i) => (operand === 'same' && bytes === 8 ? wide[i]! : narrow[i]!))
}

export class FlagSlots {
  /** FLAG_RESULT and FLAG_AUX. */
  readonly result: Variable
  readonly aux: Variable
  /** Number of the kind in the slots, 0: canonical; of the count over it, 0: none; 1: CF is in `carry`. */
  private readonly kind: Variable
  private readonly countKind: Variable
  private readonly hasCarry: Variable
  private readonly narrow: readonly Variable[]
  private readonly wide: readonly Variable[]
  private readonly countNarrow: Variable
  private readonly countWide: Variable
  private readonly carry: Variable

  constructor(private readonly builder: FunctionBuilder) {
    const some = (type: IrType, count: number): Variable[] => Array.from({ length: count }, () => builder.variable(type))
    this.result = builder.variable('i64')
    this.aux = builder.variable('i32')
    this.kind = builder.variable('i32')
    this.countKind = builder.variable('i32')
    this.hasCarry = builder.variable('i32')
    this.narrow = some('i32', SLOTS_32)
    this.wide = some('i64', SLOTS_64)
    this.countNarrow = builder.variable('i32')
    this.countWide = builder.variable('i64')
    this.carry = builder.variable('i32')
  }

  /** Everything that flag-words.ts computes the two words from. */
  values(): readonly Value[] {
    const { kind, countKind, hasCarry, narrow, wide, countNarrow, countWide, carry } = this
    return [kind, countKind, hasCarry, ...narrow, ...wide, countNarrow, countWide, carry].map((variable) => this.builder.get(variable))
  }

  /** `before`: the state up to now. */
  put({ kind, bytes, values }: PendingFlags, before: FlagState): void {
    this.mark(this.kind, numberOf(KINDS, kind, bytes))
    this.takeOff(before)
    operandsOf(kind, bytes, this.narrow, this.wide).forEach((slot, i) => this.builder.set(slot, values[i]!))
  }

  putCount({ kind, bytes, result }: PendingCount): void {
    this.mark(this.countKind, numberOf(COUNTS, kind, bytes))
    this.builder.set(bytes === 8 ? this.countWide : this.countNarrow, result)
  }

  putCarry(cf: Value): void {
    this.mark(this.hasCarry, 1)
    this.builder.set(this.carry, cf)
  }

  /** The two words are in their locals. */
  putCanonical(before: FlagState): void {
    this.mark(this.kind, 0)
    this.takeOff(before)
  }

  /** i32: not 0 when the words are not canonical. */
  pending(): Value {
    const { builder } = this
    return [this.kind, this.countKind, this.hasCarry].map((variable) => builder.get(variable)).reduce((a, b) => builder.op('i32.or', [a, b]))
  }

  /** A state that was put here in another block, as values of this one. */
  load({ base, count, carry }: FlagState): FlagState {
    const { builder } = this
    return {
      base: typeof base === 'string' ? base : { ...base, values: operandsOf(base.kind, base.bytes, this.narrow, this.wide).map((slot) => builder.get(slot)) },
      count: count === undefined || count === 'dynamic' ? count : { ...count, result: builder.get(count.bytes === 8 ? this.countWide : this.countNarrow) },
      carry: carry === undefined || carry === 'dynamic' ? carry : builder.get(this.carry),
    }
  }

  private takeOff({ count, carry }: FlagState): void {
    if (count !== undefined) this.mark(this.countKind, 0)
    if (carry !== undefined) this.mark(this.hasCarry, 0)
  }

  private mark(variable: Variable, number: number): void {
    this.builder.set(variable, this.builder.constant('i32', number))
  }
}
