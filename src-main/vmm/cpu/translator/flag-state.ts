/**
 * Status flags of a region: what set them last, not what they are. Only a reader or an exit computes them. Between basic blocks the operands of that
 * operation travel in locals (slots) together with a number that tells the operation; within a block they are values. INC and DEC keep CF: they
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

const OPERANDS_OF_SIZE: Readonly<Record<FlagKind, number>> = { add: 2, sub: 2, adc: 3, sbb: 3, logic: 1, result: 1 }
const COUNT: Readonly<Record<FlagKind, number>> = { add: 2, sub: 2, adc: 3, sbb: 3, logic: 1, result: 4 }
const NONE = 0

/** A kind and size that some block leaves. */
export interface Stored<Kind> {
  readonly number: number
  readonly kind: Kind
  readonly bytes: Bytes
}

export class FlagSlots {
  /** FLAG_RESULT and FLAG_AUX. */
  readonly result: Variable
  readonly aux: Variable
  /** Number of the kind in the slots, 0: canonical; and of the layer, 0: none. */
  readonly number: Variable
  readonly layer: Variable
  private readonly slots = new Map<string, Variable>()
  private readonly kinds = new Map<string, Stored<FlagKind>>()
  private readonly layerKinds = new Map<string, Stored<LayerKind>>()

  constructor(private readonly builder: FunctionBuilder) {
    this.result = builder.variable('i64')
    this.aux = builder.variable('i32')
    this.number = builder.variable('i32')
    this.layer = builder.variable('i32')
  }

  get stored(): readonly Stored<FlagKind>[] {
    return [...this.kinds.values()]
  }

  get storedLayers(): readonly Stored<LayerKind>[] {
    return [...this.layerKinds.values()]
  }

  /** Puts a state into the slots, so that it is DYNAMIC. */
  store({ base, layer }: FlagState): void {
    if (base === 'canonical') {
      this.mark(this.number, NONE)
    } else if (base !== 'dynamic') {
      this.mark(this.number, numbered(this.kinds, base))
      base.values.forEach((value, i) => this.put(this.slot(base.kind, base.bytes, i), value))
    }
    if (layer === undefined) {
      this.mark(this.layer, NONE)
    } else if (layer !== 'dynamic') {
      this.mark(this.layer, numbered(this.layerKinds, layer))
      this.put(this.layerSlot(layer.bytes), layer.result)
    }
  }

  /** A state that store() put into the slots, as values of the present block. */
  load({ base, layer }: FlagState): FlagState {
    return {
      base: typeof base === 'string' ? base : this.loadBase(base),
      layer: layer === undefined || layer === 'dynamic' ? layer : this.loadLayer(layer),
    }
  }

  loadBase({ kind, bytes }: { readonly kind: FlagKind; readonly bytes: Bytes }): PendingFlags {
    return { kind, bytes, values: Array.from({ length: COUNT[kind] }, (_, i) => this.builder.get(this.slot(kind, bytes, i))) }
  }

  loadLayer({ kind, bytes }: { readonly kind: LayerKind; readonly bytes: Bytes }): PendingLayer {
    return { kind, bytes, result: this.builder.get(this.layerSlot(bytes)) }
  }

  private put(slot: Variable, value: Value): void {
    const there = value.source.kind === 'get' && value.source.variable === slot
    if (!there) this.builder.set(slot, value)
  }

  private mark(variable: Variable, number: number): void {
    this.builder.set(variable, this.builder.constant('i32', number))
  }

  private slot(kind: FlagKind, bytes: Bytes, i: number): Variable {
    return this.named(bytes === 8 && i < OPERANDS_OF_SIZE[kind] ? 'i64' : 'i32', String(i))
  }

  private layerSlot(bytes: Bytes): Variable {
    return this.named(bytes === 8 ? 'i64' : 'i32', 'layer')
  }

  private named(type: IrType, name: string): Variable {
    const key = `${type} ${name}`
    let slot = this.slots.get(key)
    if (slot === undefined) this.slots.set(key, (slot = this.builder.variable(type)))
    return slot
  }
}

function numbered<Kind extends string>(kinds: Map<string, Stored<Kind>>, { kind, bytes }: { readonly kind: Kind; readonly bytes: Bytes }): number {
  const key = `${kind}${bytes}`
  let stored = kinds.get(key)
  if (stored === undefined) kinds.set(key, (stored = { number: kinds.size + 1, kind, bytes }))
  return stored.number
}
