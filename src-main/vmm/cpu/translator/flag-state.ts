/**
 * Status flags of a region: what set them last, not what they are. Only a reader or an exit computes them. The operands of that
 * operation stand in locals (slots) together with a number that tells the operation, which costs nothing until somebody reads them. INC and DEC keep CF: they
 * lie as a layer over what was there before, so that a loop that counts need not know what that is.
 */
import type { FunctionBuilder, IrType, Value, Variable } from '../wasm/ir'

type Bytes = 1 | 2 | 4 | 8

/** Operands of each kind: add, sub: a, b (r = a op b); adc, sbb: a, b, r with carry or borrow in r; logic: r; result: r, cf, of, af. */
export type FlagKind = 'add' | 'sub' | 'adc' | 'sbb' | 'logic' | 'result'
export type LayerKind = 'inc' | 'dec'

export interface PendingFlags {
  readonly kind: FlagKind
  readonly bytes: Bytes
  readonly values: readonly Value[]
}
export interface PendingLayer {
  readonly kind: LayerKind
  readonly bytes: Bytes
  readonly result: Value
}

/** 'canonical': FLAG_RESULT and FLAG_AUX are in their locals; 'dynamic': whatever the slots' numbers say. */
export interface FlagState {
  readonly base: 'canonical' | 'dynamic' | PendingFlags
  readonly layer: undefined | 'dynamic' | PendingLayer
}
export const CANONICAL: FlagState = { base: 'canonical', layer: undefined }
export const DYNAMIC: FlagState = { base: 'dynamic', layer: 'dynamic' }
export const isDynamic = (state: FlagState): boolean => state.base === 'dynamic' || state.layer === 'dynamic'

type Operand = 'same' | 'bit'
/** Types of the operands: as wide as the operation, or i32 0 or 1. */
const OPERANDS: Readonly<Record<FlagKind, readonly Operand[]>> = {
  add: ['same', 'same'],
  sub: ['same', 'same'],
  adc: ['same', 'same', 'same'],
  sbb: ['same', 'same', 'same'],
  logic: ['same'],
  result: ['same', 'bit', 'bit', 'bit'],
}
const SIZES: readonly Bytes[] = [1, 2, 4, 8]
/** In FlagSlots' number of kinds. */
export const LAYER_UNIT = 32
const SLOTS_32 = 4
const SLOTS_64 = 3

export interface NumberedKind<Kind> {
  readonly number: number
  readonly kind: Kind
  readonly bytes: Bytes
}
const numbered = <Kind extends string>(kinds: readonly Kind[]): readonly NumberedKind<Kind>[] =>
  kinds.flatMap((kind, i) => SIZES.map((bytes, j) => ({ number: 1 + i * SIZES.length + j, kind, bytes })))
const FLAG_KINDS: readonly FlagKind[] = ['add', 'sub', 'adc', 'sbb', 'logic', 'result']
const LAYER_KINDS: readonly LayerKind[] = ['inc', 'dec']
/** What the slots' numbers mean; 0: canonical, no layer. */
export const KINDS: readonly NumberedKind<FlagKind>[] = numbered(FLAG_KINDS)
export const LAYERS: readonly NumberedKind<LayerKind>[] = numbered(LAYER_KINDS)
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
  /** Number of the kind in the slots (0: canonical) + LAYER_UNIT * number of the layer (0: none). */
  private readonly kinds: Variable
  private readonly narrow: readonly Variable[]
  private readonly wide: readonly Variable[]
  private readonly layerNarrow: Variable
  private readonly layerWide: Variable

  constructor(private readonly builder: FunctionBuilder) {
    const some = (type: IrType, count: number): Variable[] => Array.from({ length: count }, () => builder.variable(type))
    this.result = builder.variable('i64')
    this.aux = builder.variable('i32')
    this.kinds = builder.variable('i32')
    this.narrow = some('i32', SLOTS_32)
    this.wide = some('i64', SLOTS_64)
    this.layerNarrow = builder.variable('i32')
    this.layerWide = builder.variable('i64')
  }

  /** Everything that flag-words.ts computes the two words from. */
  values(): readonly Value[] {
    return [this.kinds, ...this.narrow, ...this.wide, this.layerNarrow, this.layerWide].map((variable) => this.builder.get(variable))
  }

  put({ kind, bytes, values }: PendingFlags): void {
    this.mark(this.kinds, numberOf(KINDS, kind, bytes))
    operandsOf(kind, bytes, this.narrow, this.wide).forEach((slot, i) => this.builder.set(slot, values[i]!))
  }

  putLayer({ kind, bytes, result }: PendingLayer): void {
    const { builder } = this
    const below = builder.op('i32.and', [builder.get(this.kinds), builder.constant('i32', LAYER_UNIT - 1)])
    builder.set(this.kinds, builder.op('i32.or', [below, builder.constant('i32', numberOf(LAYERS, kind, bytes) * LAYER_UNIT)]))
    this.builder.set(bytes === 8 ? this.layerWide : this.layerNarrow, result)
  }

  /** The two words are in their locals. */
  putCanonical(): void {
    this.mark(this.kinds, 0)
  }

  /** i32: not 0 when the words are not canonical. */
  pending(): Value {
    return this.builder.get(this.kinds)
  }

  /** A state that was put here in another block, as values of this one. */
  load({ base, layer }: FlagState): FlagState {
    const { builder } = this
    return {
      base: typeof base === 'string' ? base : { ...base, values: operandsOf(base.kind, base.bytes, this.narrow, this.wide).map((slot) => builder.get(slot)) },
      layer: layer === undefined || layer === 'dynamic' ? layer : { ...layer, result: builder.get(layer.bytes === 8 ? this.layerWide : this.layerNarrow) },
    }
  }

  private mark(variable: Variable, number: number): void {
    this.builder.set(variable, this.builder.constant('i32', number))
  }
}
