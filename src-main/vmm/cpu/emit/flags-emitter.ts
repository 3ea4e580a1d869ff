/** The lazy status flags of layout.ts: FLAG_RESULT and FLAG_AUX, their setting and their reading. */
import * as L from '../layout'
import type { ConditionCode, FlagName } from '../semantics/emitter'
import type { FunctionBuilder, Value } from '../wasm/ir'
import { ArithmeticEmitter } from './arithmetic-emitter'
import type { IntegerBytes, OperandBinding } from './binding'
import { highOfSignedProduct } from './wide-product'

const AUX_CF = 0x80000000 | 0
const AUX_CF_SHIFT = 31
const AUX_OF_SHIFT = 30
const AUX_AF_SHIFT = 3
const AUX_SF_SHIFT = 16
/** The two top bits and AF's. */
const AUX_KEPT = AUX_CF | L.FLAG_AUX_OF_XOR_CF
/** Positions in EFLAGS. */
const EFLAGS_SHIFT: Readonly<Record<FlagName, number>> = { cf: 0, pf: 2, af: 4, zf: 6, sf: 7, of: 11 }
const FLAG_NAMES: readonly FlagName[] = ['cf', 'pf', 'af', 'zf', 'sf', 'of']

/** Where the two words of the lazy scheme come from. */
export interface FlagWords {
  result(): Value
  aux(): Value
}

export abstract class FlagsEmitter extends ArithmeticEmitter {
  constructor(
    builder: FunctionBuilder,
    protected readonly binding: OperandBinding,
    readonly size: IntegerBytes,
  ) {
    super(builder)
  }

  /** The words in the vCPU. */
  protected get words(): FlagWords {
    return {
      result: () => this.binding.loadState('i64.load', L.FLAG_RESULT),
      aux: () => this.binding.loadState('i32.load', L.FLAG_AUX),
    }
  }

  // ---- setting ----
  flagsAdd(a: Value, b: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.auxOfAdd(a, b, r, bytes))
  }

  flagsSub(a: Value, b: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.auxOfSub(a, b, r, bytes))
  }

  flagsLogic(r: Value, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.i32(0))
  }

  flagsInc(old: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.withCarryOf(this.auxOfAdd(old, this.like(old, 1), r, bytes), this.words.aux()))
  }

  flagsDec(old: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.withCarryOf(this.auxOfSub(old, this.like(old, 1), r, bytes), this.words.aux()))
  }

  flagsResult(r: Value, flags: { readonly cf?: Value; readonly of?: Value; readonly af?: Value }, bytes: IntegerBytes = this.size): void {
    this.setLazy(r, bytes, this.auxiliaryOf(flags.cf, flags.of, flags.af))
  }

  flagsSignedProduct(a: Value, b: Value, bytes: IntegerBytes = this.size): void {
    const { result, aux } = this.wordsOfSignedProduct(a, b, bytes)
    this.binding.storeState('i64.store', L.FLAG_RESULT, result())
    this.binding.storeState('i32.store', L.FLAG_AUX, aux())
  }

  setFlags(flags: Readonly<Partial<Record<FlagName, Value>>>): void {
    const { cf, pf, af, zf, sf, of } = flags
    if (pf !== undefined || zf !== undefined || sf !== undefined) {
      const value = (name: FlagName): Value => flags[name] ?? this.flag(name)
      return this.setAll({ cf: value('cf'), pf: value('pf'), af: value('af'), zf: value('zf'), sf: value('sf'), of: value('of') })
    }
    let aux = this.words.aux()
    // OF is kept as its difference from CF
    if (of !== undefined) {
      const difference = this.xor(cf ?? this.shrU(aux, this.i32(AUX_CF_SHIFT)), of)
      aux = this.or(this.and(aux, this.i32(~L.FLAG_AUX_OF_XOR_CF)), this.shl(difference, this.i32(AUX_OF_SHIFT)))
      if (cf !== undefined) aux = this.or(this.and(aux, this.i32(~AUX_CF)), this.shl(cf, this.i32(AUX_CF_SHIFT)))
    } else if (cf !== undefined) {
      aux = this.withCarryOf(aux, this.shl(cf, this.i32(AUX_CF_SHIFT)))
    }
    if (af !== undefined) aux = this.or(this.and(aux, this.i32(~L.FLAG_AUX_AF)), this.shl(af, this.i32(AUX_AF_SHIFT)))
    this.binding.storeState('i32.store', L.FLAG_AUX, aux)
  }

  setStatusFlags(value: Value): void {
    const flags = this.wrap(value)
    const bit = (name: FlagName): Value => this.and(this.shrU(flags, this.i32(EFLAGS_SHIFT[name])), this.i32(1))
    this.setAll({ cf: bit('cf'), pf: bit('pf'), af: bit('af'), zf: bit('zf'), sf: bit('sf'), of: bit('of') })
  }

  // ---- reading ----
  flag(name: FlagName): Value {
    return this.flagOf(name, this.words)
  }

  condition(code: ConditionCode): Value {
    const positive = this.positiveCondition(code & ~1)
    return (code & 1) === 0 ? positive : this.eqz(positive)
  }

  statusFlags(): Value {
    return FLAG_NAMES.map((name) => this.shl(this.flag(name), this.i32(EFLAGS_SHIFT[name]))).reduce((all, flag) => this.or(all, flag))
  }

  private positiveCondition(code: ConditionCode): Value {
    switch (code) {
      case 0:
        return this.flag('of')
      case 2:
        return this.flag('cf')
      case 4:
        return this.flag('zf')
      case 6:
        return this.or(this.flag('cf'), this.flag('zf'))
      case 8:
        return this.flag('sf')
      case 10:
        return this.flag('pf')
      case 12:
        return this.xor(this.flag('sf'), this.flag('of'))
      case 14:
        return this.or(this.flag('zf'), this.xor(this.flag('sf'), this.flag('of')))
      default:
        throw new Error(`no condition code ${code}`)
    }
  }

  // ---- the scheme ----
  /** One flag (i32 0 or 1) out of the two words. */
  protected flagOf(name: FlagName, { result, aux }: FlagWords): Value {
    switch (name) {
      case 'cf':
        return this.shrU(aux(), this.i32(AUX_CF_SHIFT))
      case 'of': {
        const both = aux()
        return this.shrU(this.xor(both, this.shl(both, this.i32(1))), this.i32(AUX_CF_SHIFT))
      }
      case 'af':
        return this.and(this.shrU(aux(), this.i32(AUX_AF_SHIFT)), this.i32(1))
      case 'zf':
        return this.eqz(result())
      case 'sf': {
        const sign = this.wrap(this.shrU(result(), this.i64(63)))
        return this.and(this.xor(sign, this.shrU(aux(), this.i32(AUX_SF_SHIFT))), this.i32(1))
      }
      case 'pf': {
        const low = this.xor(this.wrap(result()), this.shrU(aux(), this.i32(L.FLAG_AUX_PF_SHIFT)))
        return this.eqz(this.and(this.popcnt(this.and(low, this.i32(0xff))), this.i32(1)))
      }
    }
  }

  /** FLAG_RESULT of a result of `bytes`. */
  protected lazyResult(r: Value, bytes: IntegerBytes): Value {
    return bytes === 8 ? r : this.sext(this.sextFrom(this.wrap(r), bytes))
  }

  protected setLazy(r: Value, bytes: IntegerBytes, aux: Value): void {
    this.binding.storeState('i64.store', L.FLAG_RESULT, this.lazyResult(r, bytes))
    this.binding.storeState('i32.store', L.FLAG_AUX, aux)
  }

  /** FLAG_AUX of a + b (+ carry) = r and of a - b (- borrow) = r. */
  protected auxOfAdd(a: Value, b: Value, r: Value, bytes: IntegerBytes): Value {
    return this.auxiliary(this.carriesOfAdd(a, b, r), bytes)
  }

  protected auxOfSub(a: Value, b: Value, r: Value, bytes: IntegerBytes): Value {
    return this.auxiliary(this.borrowsOfSub(a, b, r), bytes)
  }

  /** Vector of carries out of each bit of a + b (+ carry) = r. */
  private carriesOfAdd(a: Value, b: Value, r: Value): Value {
    return this.or(this.and(a, b), this.and(this.or(a, b), this.not(r)))
  }

  /** Vector of borrows out of each bit of a - b (- borrow) = r. */
  private borrowsOfSub(a: Value, b: Value, r: Value): Value {
    const notA = this.not(a)
    return this.or(this.and(notA, b), this.and(this.or(notA, b), r))
  }

  /** FLAG_AUX of a vector of carries. */
  private auxiliary(carries: Value, bytes: IntegerBytes): Value {
    if (bytes === 4) return this.and(carries, this.i32(AUX_KEPT | L.FLAG_AUX_AF))
    const top = bytes === 8 ? this.wrap(this.shrU(carries, this.i64(32))) : this.shl(carries, this.i32(32 - bytes * 8))
    return this.or(this.and(top, this.i32(AUX_KEPT)), this.and(this.wrap(carries), this.i32(L.FLAG_AUX_AF)))
  }

  protected auxiliaryOf(cf?: Value, of?: Value, af?: Value): Value {
    const parts: Value[] = []
    if (cf !== undefined) parts.push(this.shl(cf, this.i32(AUX_CF_SHIFT)))
    if (cf !== undefined || of !== undefined) {
      const difference = cf === undefined ? of! : of === undefined ? cf : this.xor(cf, of)
      parts.push(this.shl(difference, this.i32(AUX_OF_SHIFT)))
    }
    if (af !== undefined) parts.push(this.shl(af, this.i32(AUX_AF_SHIFT)))
    return parts.length === 0 ? this.i32(0) : parts.reduce((all, part) => this.or(all, part))
  }

  /** `aux` with the carry (bit 31) of `other`; OF stays what it is in `aux`. */
  protected withCarryOf(aux: Value, other: Value): Value {
    const difference = this.and(this.xor(aux, other), this.i32(AUX_CF))
    return this.xor(this.xor(aux, difference), this.shrU(difference, this.i32(1)))
  }

  /** SF, ZF, AF and PF are undefined after a multiplication. */
  protected wordsOfSignedProduct(a: Value, b: Value, bytes: IntegerBytes): FlagWords {
    const aux = (overflow: Value): Value => this.auxiliaryOf(overflow, overflow)
    if (bytes === 8) {
      const low = this.mul(a, b)
      return { result: () => low, aux: () => aux(this.ne(highOfSignedProduct(this, a, b), this.shrS(low, this.i64(63)))) }
    }
    if (bytes === 4) {
      const product = this.mul(this.sext(a), this.sext(b))
      return { result: () => this.lazyResult(this.mul(a, b), 4), aux: () => aux(this.ne(this.sextFrom(product, 4), product)) }
    }
    const product = this.mul(a, b)
    return { result: () => this.lazyResult(product, bytes), aux: () => aux(this.ne(this.sextFrom(product, bytes), product)) }
  }

  /** A result of 0 or 1 says ZF; SF and PF are put right by the flip bits. */
  protected wordsOfBits({ cf, pf, af, zf, sf, of }: Readonly<Record<FlagName, Value>>): FlagWords {
    return {
      result: () => this.zext(this.xor(zf, this.i32(1))),
      aux: () => {
        const flips = this.or(this.shl(sf, this.i32(AUX_SF_SHIFT)), this.shl(this.xor(zf, pf), this.i32(L.FLAG_AUX_PF_SHIFT)))
        return this.or(flips, this.auxiliaryOf(cf, of, af))
      },
    }
  }

  private setAll(flags: Readonly<Record<FlagName, Value>>): void {
    const words = this.wordsOfBits(flags)
    this.binding.storeState('i64.store', L.FLAG_RESULT, words.result())
    this.binding.storeState('i32.store', L.FLAG_AUX, words.aux())
  }
}
