/**
 * FLAG_RESULT and FLAG_AUX out of what set the flags last (flag-state.ts): inline where that is known, otherwise by two functions that each module of regions
 * contains.
 */
import type { IntegerBytes, OperandBinding } from '../emit/binding'
import { FlagsEmitter } from '../emit/flags-emitter'
import type { FlagWords } from '../emit/flags-emitter'
import type { HelperImports } from '../emit/helper-imports'
import { FoldingBuilder } from '../wasm/ir'
import type { FunctionBuilder, IrFunction, IrType, Value } from '../wasm/ir'
import { CARRY_BIT, COUNTS, COUNT_BITS, COUNT_SHIFT, KINDS, KIND_BITS, operandsOf } from './flag-state'
import type { FlagSlots, NumberedKind, PendingCount, PendingFlags } from './flag-state'

const CF_SHIFT = 31

export class PendingWords extends FlagsEmitter {
  constructor(builder: FunctionBuilder, binding: OperandBinding | undefined) {
    super(builder, binding ?? NO_STATE, 8)
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

/** Makes the slots canonical, whatever is in them. */
export function settleSlots(builder: FunctionBuilder, slots: FlagSlots, helpers: HelperImports): void {
  builder.if(slots.pending(), () => {
    const values = slots.values()
    const result = builder.call(helpers.local('flag_result', () => wordFunction('flag_result')), [...values, builder.get(slots.result)], true)
    const aux = builder.call(helpers.local('flag_aux', () => wordFunction('flag_aux')), [...values, builder.get(slots.aux)], true)
    builder.set(slots.result, result)
    builder.set(slots.aux, aux)
    slots.putCanonical()
  })
}

const PARAMETERS: readonly IrType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i32', 'i64', 'i32']

/** (slots in the order of FlagSlots.values, the word as it was) -> the word. */
function wordFunction(name: 'flag_result' | 'flag_aux'): IrFunction {
  const isResult = name === 'flag_result'
  const type = isResult ? 'i64' : 'i32'
  const b = new FoldingBuilder(name, [...PARAMETERS, type], [type])
  const words = new PendingWords(b, undefined)
  const parameters = [...PARAMETERS, type].map((_, i) => b.param(i))
  const kinds = parameters[0]!
  const number = (n: number): Value => b.constant('i32', n)
  const [narrow, wide] = [parameters.slice(1, 7), parameters.slice(7, 10)]
  const [countNarrow, countWide, carry, before] = parameters.slice(10)
  const word = b.variable(type, before!)
  const put = (from: FlagWords): void => b.set(word, isResult ? from.result() : from.aux())
  const choose = <Kind>(index: Value, all: readonly NumberedKind<Kind>[], from: (kind: NumberedKind<Kind>) => FlagWords): void => {
    const cases = [(): void => undefined, ...all.map((kind) => (): void => put(from(kind)))]
    b.switch(index, cases.map((_, i) => i).concat(0), cases)
  }
  choose(b.op('i32.and', [kinds, number(KIND_BITS)]), KINDS, ({ kind, bytes }) => words.of({ kind, bytes, values: operandsOf(kind, bytes, narrow, wide) }))
  const below: FlagWords = { result: () => b.get(word), aux: () => b.get(word) }
  choose(b.op('i32.and', [b.op('i32.shr_u', [kinds, number(COUNT_SHIFT)]), number(COUNT_BITS)]), COUNTS, ({ kind, bytes }) => words.counted({ kind, bytes, result: bytes === 8 ? countWide! : countNarrow! }, below))
  b.if(b.op('i32.and', [kinds, number(CARRY_BIT)]), () => put(words.carried(carry!, below)))
  b.return(b.get(word))
  return b
}
