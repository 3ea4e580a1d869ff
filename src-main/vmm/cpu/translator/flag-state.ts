/**
 * Status flags of a region: what set them last, not what they are. Only a reader or an exit computes them. The operands of that
 * operation stand in locals (slots) together with a number that tells the operation, which costs nothing until somebody reads them. INC and
 * DEC keep CF, bit tests change nothing else: both lie as layers over what was there before, so that a loop that counts need not know what that is.
 */
import * as L from '../layout'
import type { FunctionBuilder, IrType, Value, Variable } from '../wasm/ir'

type Bytes = 1 | 2 | 4 | 8

/** Operands of each kind: add, sub: a, b (r = a op b); adc, sbb: a, b, r with carry or borrow in r; logic: r; product: a, b (signed);
 * result: r, cf, of, af; bits: cf, pf, af, zf, sf, of. */
export type FlagKind = 'add' | 'sub' | 'adc' | 'sbb' | 'logic' | 'product' | 'result' | 'bits'
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

/** 'canonical': FLAG_RESULT and FLAG_AUX are where FlagSlots keeps them; 'dynamic': whatever the slots' numbers say. */
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
  product: ['same', 'same'],
  result: ['same', 'bit', 'bit', 'bit'],
  bits: ['bit', 'bit', 'bit', 'bit', 'bit', 'bit'],
}
const SIZES: readonly Bytes[] = [1, 2, 4, 8]
export const KIND_BITS = 0x3f
export const COUNT_SHIFT = 6
export const COUNT_BITS = 0xf
export const CARRY_BIT = 0x400
const SLOTS_32 = 6
const SLOTS_64 = 3

export interface NumberedKind<Kind> {
  readonly number: number
  readonly kind: Kind
  readonly bytes: Bytes
}
const numbered = <Kind extends string>(kinds: readonly Kind[]): readonly NumberedKind<Kind>[] =>
  kinds.flatMap((kind, i) => SIZES.map((bytes, j) => ({ number: 1 + i * SIZES.length + j, kind, bytes })))
const FLAG_KINDS: readonly FlagKind[] = ['add', 'sub', 'adc', 'sbb', 'logic', 'product', 'result', 'bits']
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
  /** FLAG_RESULT and FLAG_AUX, when they live in locals. */
  private readonly resultWord: Variable
  private readonly auxWord: Variable
  /** Number of the kind in the slots (0: canonical), of the count over it (0: none), and whether CF is in `carry`: KIND_BITS, COUNT_BITS, CARRY_BIT. */
  private readonly kinds: Variable
  private readonly narrow: readonly Variable[]
  private readonly wide: readonly Variable[]
  private readonly countNarrow: Variable
  private readonly countWide: Variable
  private readonly carry: Variable

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly vcpu: Value,
    /** The two words are in locals; otherwise in the vCPU, as registers are (registers.ts). */
    private readonly resident: boolean,
  ) {
    const some = (type: IrType, count: number): Variable[] => Array.from({ length: count }, () => builder.variable(type))
    this.resultWord = builder.variable('i64')
    this.auxWord = builder.variable('i32')
    this.kinds = builder.variable('i32')
    this.narrow = some('i32', SLOTS_32)
    this.wide = some('i64', SLOTS_64)
    this.countNarrow = builder.variable('i32')
    this.countWide = builder.variable('i64')
    this.carry = builder.variable('i32')
  }

  /** FLAG_RESULT, i64: what the canonical state says. */
  result(): Value {
    return this.resident ? this.builder.get(this.resultWord) : this.builder.load('i64.load', this.vcpu, L.FLAG_RESULT)
  }

  /** FLAG_AUX, i32. */
  aux(): Value {
    return this.resident ? this.builder.get(this.auxWord) : this.builder.load('i32.load', this.vcpu, L.FLAG_AUX)
  }

  setResult(value: Value): void {
    if (this.resident) this.builder.set(this.resultWord, value)
    else this.builder.effect('i64.store', [this.vcpu, value], L.FLAG_RESULT)
  }

  setAux(value: Value): void {
    if (this.resident) this.builder.set(this.auxWord, value)
    else this.builder.effect('i32.store', [this.vcpu, value], L.FLAG_AUX)
  }

  /** For the entry, and after somebody has written them to the vCPU. */
  loadWords(): void {
    if (!this.resident) return
    this.builder.set(this.resultWord, this.builder.load('i64.load', this.vcpu, L.FLAG_RESULT))
    this.builder.set(this.auxWord, this.builder.load('i32.load', this.vcpu, L.FLAG_AUX))
  }

  /** For the exit. */
  storeWords(): void {
    if (!this.resident) return
    this.builder.effect('i64.store', [this.vcpu, this.builder.get(this.resultWord)], L.FLAG_RESULT)
    this.builder.effect('i32.store', [this.vcpu, this.builder.get(this.auxWord)], L.FLAG_AUX)
  }

  /** Everything that flag-words.ts computes the two words from. */
  values(): readonly Value[] {
    const { kinds, narrow, wide, countNarrow, countWide, carry } = this
    return [kinds, ...narrow, ...wide, countNarrow, countWide, carry].map((variable) => this.builder.get(variable))
  }

  /** `before`: the state up to now. What it kept and the new one does not is cleared: a loop would carry it, and compute it, for nobody. */
  put(base: PendingFlags, before: FlagState): void {
    const { kind, bytes, values } = base
    this.mark({ base, count: undefined, carry: undefined })
    const slots = operandsOf(kind, bytes, this.narrow, this.wide)
    slots.forEach((slot, i) => this.builder.set(slot, values[i]!))
    for (const slot of this.kept(before)) if (!slots.includes(slot)) this.builder.set(slot, this.builder.constant(slot.type === 'i64' ? 'i64' : 'i32', 0))
  }

  private kept({ base, count, carry }: FlagState): readonly Variable[] {
    const kept: Variable[] = typeof base === 'string' ? [] : [...operandsOf(base.kind, base.bytes, this.narrow, this.wide)]
    if (count !== undefined && count !== 'dynamic') kept.push(count.bytes === 8 ? this.countWide : this.countNarrow)
    if (carry !== undefined && carry !== 'dynamic') kept.push(this.carry)
    return kept
  }

  /** `state`: with the new count. */
  putCount(state: FlagState, { bytes, result }: PendingCount): void {
    this.mark(state)
    this.builder.set(bytes === 8 ? this.countWide : this.countNarrow, result)
  }

  putCarry(state: FlagState, cf: Value): void {
    this.mark(state)
    this.builder.set(this.carry, cf)
  }

  /** The two words are in their locals. */
  putCanonical(): void {
    this.mark(CANONICAL)
  }

  /** i32: not 0 when the words are not canonical. */
  pending(): Value {
    return this.builder.get(this.kinds)
  }

  /** A state that was put here in another block, as values of this one. */
  load(state: FlagState): FlagState {
    const { builder } = this
    const { base, count, carry } = state
    if (state === CANONICAL) return state
    return {
      base: typeof base === 'string' ? base : { ...base, values: operandsOf(base.kind, base.bytes, this.narrow, this.wide).map((slot) => builder.get(slot)) },
      count: count === undefined || count === 'dynamic' ? count : { ...count, result: builder.get(count.bytes === 8 ? this.countWide : this.countNarrow) },
      carry: carry === undefined || carry === 'dynamic' ? carry : builder.get(this.carry),
    }
  }

  private mark({ base, count, carry }: FlagState): void {
    const { builder } = this
    const number =
      (typeof base === 'string' ? 0 : numberOf(KINDS, base.kind, base.bytes)) |
      (count === undefined || count === 'dynamic' ? 0 : numberOf(COUNTS, count.kind, count.bytes) << COUNT_SHIFT) |
      (carry === undefined || carry === 'dynamic' ? 0 : CARRY_BIT)
    const kept = (base === 'dynamic' ? KIND_BITS : 0) | (count === 'dynamic' ? COUNT_BITS << COUNT_SHIFT : 0) | (carry === 'dynamic' ? CARRY_BIT : 0)
    const known = builder.constant('i32', number)
    const below = kept === 0 ? undefined : builder.op('i32.and', [builder.get(this.kinds), builder.constant('i32', kept)])
    builder.set(this.kinds, below === undefined ? known : builder.op('i32.or', [below, known]))
  }
}
