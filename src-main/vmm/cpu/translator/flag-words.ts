/**
 * FLAG_RESULT and FLAG_AUX out of what set the flags last (flag-state.ts): inline where that is known, otherwise by a function of the interpreter's
 * module.
 */
import type { IntegerBytes, OperandBinding } from '../emit/binding'
import { FlagsEmitter } from '../emit/flags-emitter'
import type { FlagWords } from '../emit/flags-emitter'
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { FoldingBuilder } from '../wasm/ir'
import type { FunctionBuilder, IrFunction, IrType, Value } from '../wasm/ir'
import { CARRY_BIT, COUNTS, COUNT_BITS, COUNT_SHIFT, KINDS, KIND_BITS, operandsOf } from './flag-state'
import type { FlagSlots, NumberedKind, PendingCount, PendingFlags } from './flag-state'

const CF_SHIFT = 31

export class PendingWords extends FlagsEmitter {
  /** For flags that do not come from below. */
  readonly none: FlagWords = { result: () => this.i64(0), aux: () => this.i32(0) }

  constructor(builder: FunctionBuilder) {
    super(builder, NO_STATE, 8)
  }

  of({ kind, bytes, values }: PendingFlags): FlagWords {
    const [first, second, third, fourth] = values
    const result = (r: Value) => (): Value => this.lazyResult(r, bytes)
    switch (kind) {
      case 'add':
        return { result: () => this.lazyResult(this.add(first!, second!), bytes), aux: () => this.auxOfAdd(first!, second!, this.add(first!, second!), bytes) }
      case 'sub':
        return { result: () => this.lazyResult(this.sub(first!, second!), bytes), aux: () => this.auxOfSub(first!, second!, this.sub(first!, second!), bytes) }
      case 'adc':
        return { result: result(third!), aux: () => this.auxOfAdd(first!, second!, third!, bytes) }
      case 'sbb':
        return { result: result(third!), aux: () => this.auxOfSub(first!, second!, third!, bytes) }
      case 'logic':
        return { result: result(first!), aux: () => this.i32(0) }
      case 'product':
        return this.wordsOfSignedProduct(first!, second!, bytes)
      case 'result':
        return { result: result(first!), aux: () => this.auxiliaryOf(second, third, fourth) }
      case 'bits': {
        const [cf, pf, af, zf, sf, of] = values
        return this.wordsOfBits({ cf: cf!, pf: pf!, af: af!, zf: zf!, sf: sf!, of: of! })
      }
    }
  }

  /** INC and DEC: CF is that of the flags below. */
  counted({ kind, bytes, result }: PendingCount, below: FlagWords): FlagWords {
    const one = this.like(result, 1)
    const aux = (): Value =>
      kind === 'inc'
        ? this.auxOfAdd(this.narrow(this.sub(result, one), bytes), one, result, bytes)
        : this.auxOfSub(this.narrow(this.add(result, one), bytes), one, result, bytes)
    return { result: () => this.lazyResult(result, bytes), aux: () => this.withCarryOf(aux(), below.aux()) }
  }

  /** Other flags with this CF (i32 0 or 1). */
  carried(cf: Value, below: FlagWords): FlagWords {
    return { result: () => below.result(), aux: () => this.withCarryOf(below.aux(), this.shl(cf, this.i32(CF_SHIFT))) }
  }

  /** One flag (i32 0 or 1). */
  bit(name: Parameters<FlagsEmitter['flag']>[0], words: FlagWords): Value {
    return this.flagOf(name, words)
  }

  /** The low `bytes` of a value that is kept in 32 bits (8 bytes: as it is). */
  narrow(value: Value, bytes: IntegerBytes): Value {
    return bytes === 8 ? value : this.truncate(value, bytes)
  }
}

const NO_STATE = new Proxy({} as OperandBinding, {
  get: () => {
    throw new Error('these words do not come from a vCPU')
  },
})

/** Writes the two words to the vCPU, whatever is in the slots: at a region's exit. */
export function storeFlags(builder: FunctionBuilder, vcpu: Value, slots: FlagSlots, helpers: HelperImports): void {
  builder.if(
    slots.pending(),
    () => callStore(builder, vcpu, slots, helpers),
    () => slots.storeWords(),
  )
}

/** Makes the slots canonical, whatever is in them. */
export function settleSlots(builder: FunctionBuilder, vcpu: Value, slots: FlagSlots, helpers: HelperImports): void {
  builder.if(slots.pending(), () => {
    callStore(builder, vcpu, slots, helpers)
    slots.loadWords()
    slots.putCanonical()
  })
}

function callStore(builder: FunctionBuilder, vcpu: Value, slots: FlagSlots, helpers: HelperImports): void {
  builder.callVoid(helpers.import(STORE_FLAGS, STORE_FLAGS_PARAMETERS, []), [vcpu, ...slots.values(), slots.result(), slots.aux()])
}

const STORE_FLAGS = 'store_flags'
const STORE_FLAGS_PARAMETERS: readonly IrType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i32', 'i64', 'i32', 'i64', 'i32']

/**
 * (vcpu, slots in the order of FlagSlots.values, the words as they were). Of the interpreter's module: when each module of regions had its own, that was a
 * fifth of what was emitted, encoded and compiled.
 */
export function buildStoreFlags(): IrFunction {
  const b = new FoldingBuilder(STORE_FLAGS, STORE_FLAGS_PARAMETERS, [])
  const words = new PendingWords(b)
  const parameters = STORE_FLAGS_PARAMETERS.map((_, i) => b.param(i))
  const [vcpu, kinds] = [parameters[0]!, parameters[1]!]
  const number = (n: number): Value => b.constant('i32', n)
  const [narrow, wide] = [parameters.slice(2, 8), parameters.slice(8, 11)]
  const [countNarrow, countWide, carry, resultBefore, auxBefore] = parameters.slice(11)
  const result = b.variable('i64', resultBefore!)
  const aux = b.variable('i32', auxBefore!)
  const put = (from: FlagWords): void => {
    const [newResult, newAux] = [from.result(), from.aux()]
    b.set(result, newResult)
    b.set(aux, newAux)
  }
  const choose = <Kind>(index: Value, all: readonly NumberedKind<Kind>[], from: (kind: NumberedKind<Kind>) => FlagWords): void => {
    const cases = [(): void => undefined, ...all.map((kind) => (): void => put(from(kind)))]
    b.switch(index, cases.map((_, i) => i).concat(0), cases)
  }
  choose(b.op('i32.and', [kinds, number(KIND_BITS)]), KINDS, ({ kind, bytes }) => words.of({ kind, bytes, values: operandsOf(kind, bytes, narrow, wide) }))
  const below: FlagWords = { result: () => b.get(result), aux: () => b.get(aux) }
  choose(b.op('i32.and', [b.op('i32.shr_u', [kinds, number(COUNT_SHIFT)]), number(COUNT_BITS)]), COUNTS, ({ kind, bytes }) =>
    words.counted({ kind, bytes, result: bytes === 8 ? countWide! : countNarrow! }, below),
  )
  b.if(b.op('i32.and', [kinds, number(CARRY_BIT)]), () => put(words.carried(carry!, below)))
  b.effect('i64.store', [vcpu, b.get(result)], L.FLAG_RESULT)
  b.effect('i32.store', [vcpu, b.get(aux)], L.FLAG_AUX)
  return b
}
