/**
 * A builder that folds constants and simplifies as it goes. Operands of translated instructions are constants, so most of what a meaning says about
 * them (masks, shift counts, widenings) is known here; what V8 would simplify too is done where it spares code size or flags' computations.
 *
 * Every operation of every translated instruction comes through here: what depends on the operation alone stands in a table (RULES).
 */
import { FunctionBuilder, NO_IMMEDIATES } from './builder'
import { FOLDED_NAMES, and64, constantOf, foldIntegers, integer64, low32 } from './integer-constants'
import type { FoldedName, Integer } from './integer-constants'
import { OP_INFO, opInfo } from './nodes'
import type { OpInfo, OpName, Value } from './nodes'

const MASK32 = 0xffffffff

const WRAP = opInfo('i32.wrap_i64')
const EXTEND_U = opInfo('i64.extend_i32_u')
const EXTEND_S = opInfo('i64.extend_i32_s')
const AND_32 = opInfo('i32.and')
const SHL_32 = opInfo('i32.shl')
const SHL_64 = opInfo('i64.shl')
const REPLACE_64 = opInfo('i64x2.replace_lane')
const REPLACE_32 = opInfo('i32x4.replace_lane')

/** Comparisons and their opposites; ordered comparisons of floats have none. */
const OPPOSITE: Readonly<Partial<Record<FoldedName, FoldedName>>> = { eq: 'ne', ne: 'eq', lt_s: 'ge_s', ge_s: 'lt_s', lt_u: 'ge_u', ge_u: 'lt_u', gt_s: 'le_s', le_s: 'gt_s', gt_u: 'le_u', le_u: 'gt_u' }
/** Operations whose low half depends on the low halves of their operands only. */
const NARROWABLE: ReadonlySet<FoldedName> = new Set(['add', 'sub', 'and', 'or', 'xor', 'mul'])
const COMMUTATIVE: ReadonlySet<FoldedName> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne'])

/** An operation on two integers. */
interface Binary {
  readonly name: FoldedName
  /** Of the operands. */
  readonly type: 'i32' | 'i64'
  readonly result: 'i32' | 'i64'
  readonly commutes: boolean
  readonly opposite: OpInfo | undefined
}

/** What folding wants to know about an operation. */
interface Rule {
  readonly binary: Binary | undefined
  /** Of a 64-bit operation: the 32-bit one that gives the low half of the result from those of the operands. */
  readonly narrow: OpInfo | undefined
  /** The low half of the result is an i32 that is at hand, or computed as one. */
  readonly hasLowHalf: boolean
  /** The result is 0 or 1. */
  readonly isFlag: boolean
  /** Of a load: the result has no bits but these. */
  readonly loadedBits: number | undefined
  /** Of a sign extension: from how many bits. */
  readonly signBits: number | undefined
}

const LOADED_BITS: Readonly<Partial<Record<OpName, number>>> = {
  'i32.load8_u': 0xff, 'i64.load8_u': 0xff, 'i32.load16_u': 0xffff, 'i64.load16_u': 0xffff, 'i64.load32_u': MASK32,
}

function binaryOf(name: OpName): Binary | undefined {
  const type = name.startsWith('i32.') ? 'i32' : name.startsWith('i64.') ? 'i64' : undefined
  const folded = FOLDED_NAMES.find((one) => name === `${type}.${one}`)
  if (type === undefined || folded === undefined) return undefined
  const opposite = OPPOSITE[folded]
  const result = opposite === undefined ? type : 'i32'
  return { name: folded, type, result, commutes: COMMUTATIVE.has(folded), opposite: opposite && opInfo(`${type}.${opposite}`) }
}

function ruleOf(info: OpInfo): Rule {
  const { name } = info
  const binary = binaryOf(name)
  const narrow = binary?.type === 'i64' && NARROWABLE.has(binary.name) ? opInfo(`i32.${binary.name}` as OpName) : undefined
  const signBits = /extend(\d+)_s$/.exec(name)?.[1]
  return {
    binary,
    narrow,
    hasLowHalf: narrow !== undefined || info === EXTEND_U || info === EXTEND_S,
    isFlag: /^(i32|i64|f32|f64)\.(eqz|eq|ne|lt|gt|le|ge)/.test(name) || /\.(all|any)_true$/.test(name),
    loadedBits: LOADED_BITS[name],
    signBits: signBits === undefined ? undefined : Number(signBits),
  }
}

/** By OpInfo.index. */
const RULES: readonly Rule[] = [...OP_INFO.values()].map(ruleOf)

/** The operation that makes a value. */
const opOf = ({ source }: Value): OpInfo | undefined => (source.kind === 'op' ? source.what : undefined)
const isZero = ({ type, source }: Value): boolean => type === 'v128' && source.kind === 'const' && source.immediates.every((byte) => byte === 0)
const ruleFor = ({ source }: Value): Rule | undefined => (source.kind === 'op' ? RULES[source.what.index] : undefined)
const secondOf = ({ args }: Value): Integer | undefined => (args.length < 2 ? undefined : constantOf(args[1]!))

export class FoldingBuilder extends FunctionBuilder {
  override operation(info: OpInfo, args: readonly Value[], immediates?: readonly number[], offset?: number): Value {
    return this.simplified(info, args, immediates, offset) ?? super.operation(info, args, immediates, offset)
  }

  private simplified(info: OpInfo, args: readonly Value[], immediates: readonly number[] = NO_IMMEDIATES, offset: number = 0): Value | undefined {
    if (offset !== 0 || immediates.length > 1) return undefined
    switch (args.length) {
      case 1:
        return this.unary(info, args[0]!, immediates)
      case 2:
        return this.binary(info, args[0]!, args[1]!, immediates)
      case 3:
        return info.name === 'select' ? choice(args[0]!, args[1]!, args[2]!) : undefined
      default:
        return undefined
    }
  }

  private i32(n: Integer): Value {
    return this.constant('i32', low32(n))
  }

  private int(type: 'i32' | 'i64', n: Integer): Value {
    return type === 'i32' ? this.i32(n) : this.constant('i64', integer64(n))
  }

  private unary(info: OpInfo, a: Value, immediates: readonly number[]): Value | undefined {
    const known = constantOf(a)
    const inner = a.args[0]
    const from = opOf(a)
    switch (info.name) {
      case 'i32.wrap_i64':
        if (known !== undefined) return this.i32(known)
        if (inner === undefined || from === undefined) return undefined
        return from === EXTEND_U || from === EXTEND_S ? inner : this.narrowed(from, a.args)
      case 'i64.extend_i32_u':
        return known === undefined ? undefined : this.int('i64', low32(known) >>> 0)
      case 'i64.extend_i32_s':
        return known === undefined ? undefined : this.int('i64', known)
      case 'i32.eqz':
      case 'i64.eqz':
        if (known !== undefined) return this.i32(known === 0 ? 1 : 0)
        return this.negated(a)
      case 'f64.reinterpret_i64':
        if (inner === undefined) return undefined
        if (from?.name === 'i64.reinterpret_f64') return inner
        return from?.name === 'i64x2.extract_lane' ? super.operation(opInfo('f64x2.extract_lane'), [inner], a.source.immediates) : undefined
      case 'f32.reinterpret_i32':
        if (inner === undefined) return undefined
        if (from?.name === 'i32.reinterpret_f32') return inner
        return from?.name === 'i32x4.extract_lane' ? super.operation(opInfo('f32x4.extract_lane'), [inner], a.source.immediates) : undefined
      case 'i64x2.splat':
        return from?.name === 'i64.reinterpret_f64' && inner !== undefined ? super.operation(opInfo('f64x2.splat'), [inner]) : undefined
      case 'i64x2.extract_lane': {
        // a lane that was just put in
        const second = a.args[1]
        const replaced = from?.name === 'i64x2.replace_lane' || from?.name === 'f64x2.replace_lane'
        if (!replaced || second === undefined || inner === undefined) return undefined
        if (a.source.immediates[0] !== immediates[0]) return this.operation(info, [inner], immediates)
        return second.type === 'f64' ? super.operation(opInfo('i64.reinterpret_f64'), [second]) : second
      }
      default: {
        const bits = RULES[info.index]!.signBits
        return bits === undefined ? undefined : this.signExtended(info, bits, a, known)
      }
    }
  }

  private signExtended(info: OpInfo, bits: number, a: Value, known: Integer | undefined): Value | undefined {
    const above = 32 - bits
    if (known !== undefined) return this.int(a.type === 'i32' ? 'i32' : 'i64', (low32(known) << above) >> above)
    // the sign of the low bits does not care what a mask does above them
    const mask = opOf(a) === AND_32 ? secondOf(a) : undefined
    return mask !== undefined && low32(mask) << above === -1 << above ? this.operation(info, [a.args[0]!]) : undefined
  }

  /** wrap(x op y) as a 32-bit operation, where that needs no conversion of its own on at least one side. */
  private narrowed(from: OpInfo, [x, y]: readonly Value[]): Value | undefined {
    if (x === undefined || y === undefined) return undefined
    const { narrow } = RULES[from.index]!
    if (narrow !== undefined && isNarrow(x) && isNarrow(y)) return this.operation(narrow, [this.operation(WRAP, [x]), this.operation(WRAP, [y])])
    const count = from === SHL_64 ? constantOf(y) : undefined
    return count !== undefined && count < 32 && isNarrow(x) ? this.operation(SHL_32, [this.operation(WRAP, [x]), this.i32(count)]) : undefined
  }

  private negated(a: Value): Value | undefined {
    const opposite = ruleFor(a)?.binary?.opposite
    return opposite === undefined ? undefined : this.operation(opposite, a.args)
  }

  private binary(info: OpInfo, a: Value, b: Value, immediates: readonly number[]): Value | undefined {
    const rule = RULES[info.index]!.binary
    if (rule === undefined) {
      return info === REPLACE_64 || info === REPLACE_32 ? this.replaced(info, a, b, immediates) : undefined
    }
    const { name, type } = rule
    const x = constantOf(a)
    const y = constantOf(b)
    if (y !== undefined) return x === undefined ? this.withConstant(info, rule, a, y) : this.int(rule.result, foldIntegers(type, name, x, y))
    // constants to the right
    if (x !== undefined && rule.commutes) return this.operation(info, [b, a])
    if (a === b) {
      if (name === 'xor' || name === 'sub') return this.int(type, 0)
      if (name === 'and' || name === 'or') return a
    }
    return undefined
  }

  /** Numbers that come from vectors or memory go to vectors without a general register between. */
  private replaced(info: OpInfo, a: Value, b: Value, immediates: readonly number[]): Value | undefined {
    const is64 = info === REPLACE_64
    const from = opOf(b)
    const [inner] = b.args
    if (inner === undefined) return undefined
    if (is64 && from?.name === 'i64.reinterpret_f64') return super.operation(opInfo('f64x2.replace_lane'), [a, inner], immediates)
    if (from?.name !== (is64 ? 'i64x2.extract_lane' : 'i32x4.extract_lane')) return undefined
    const lanes = b.source.immediates
    if (immediates[0] === 0 && lanes[0] === 0 && isZero(a) && opOf(inner)?.name === (is64 ? 'v128.load64_zero' : 'v128.load32_zero')) return inner
    const lane = super.operation(opInfo(is64 ? 'f64x2.extract_lane' : 'f32x4.extract_lane'), [inner], lanes)
    return super.operation(opInfo(is64 ? 'f64x2.replace_lane' : 'f32x4.replace_lane'), [a, lane], immediates)
  }

  private withConstant(info: OpInfo, { name, type }: Binary, a: Value, y: Integer): Value | undefined {
    switch (name) {
      case 'add': {
        if (y === 0) return a
        const within = opOf(a) === info ? secondOf(a) : undefined
        return within === undefined ? undefined : this.operation(info, [a.args[0]!, this.int(type, foldIntegers(type, 'add', within, y))])
      }
      case 'sub':
      case 'or':
      case 'xor':
        return y === 0 ? a : undefined
      case 'shl':
      case 'shr_u':
      case 'shr_s':
        return (low32(y) & (type === 'i32' ? 31 : 63)) === 0 ? a : undefined
      case 'mul':
        return y === 0 ? this.int(type, 0) : y === 1 ? a : undefined
      case 'eq':
        return y === 0 ? this.op(type === 'i32' ? 'i32.eqz' : 'i64.eqz', [a]) : undefined
      case 'ne':
        return y === 0 && type === 'i32' && isFlag(a) ? a : undefined
      case 'and': {
        if (y === 0) return this.int(type, 0)
        if (y === -1) return a
        if (type === 'i32' && y === 1 && isFlag(a)) return a
        const within = opOf(a) === info ? secondOf(a) : undefined
        if (within !== undefined) return this.operation(info, [a.args[0]!, this.int(type, and64(within, y))])
        if (fitsIn(a, y)) return a
        return type === 'i64' ? this.lowHalf(a, y) : undefined
      }
      default:
        return undefined
    }
  }

  /** a & y where y does not reach above, or covers all of, the low half. */
  private lowHalf(a: Value, y: Integer): Value | undefined {
    const from = opOf(a)
    if (from === undefined) return undefined
    const low = low32(y)
    if (from === EXTEND_U) {
      if (low === -1) return a
      if (low === 0) return this.int('i64', 0)
      return this.operation(EXTEND_U, [this.operation(AND_32, [a.args[0]!, this.i32(low)])])
    }
    if (low === -1 && RULES[from.index]!.loadedBits !== undefined) return a
    if (y !== MASK32) return undefined
    const narrow = this.narrowed(from, a.args)
    return narrow === undefined ? undefined : this.operation(EXTEND_U, [narrow])
  }
}

function choice(a: Value, b: Value, condition: Value): Value | undefined {
  const known = constantOf(condition)
  if (known !== undefined) return known === 0 ? b : a
  return a === b ? a : undefined
}

/** Its low half needs no conversion of its own. */
function isNarrow(value: Value): boolean {
  return ruleFor(value)?.hasLowHalf ?? constantOf(value) !== undefined
}

/** A comparison: 0 or 1. */
function isFlag(value: Value): boolean {
  return ruleFor(value)?.isFlag === true
}

/** The value has no bits but those of the mask. */
function fitsIn(value: Value, mask: Integer): boolean {
  const from = opOf(value)
  if (from === undefined) return false
  switch (from.name) {
    case 'i32.load8_u':
    case 'i64.load8_u':
    case 'i32.load16_u':
    case 'i64.load16_u':
      return covers(low32(mask), RULES[from.index]!.loadedBits!)
    case 'i32.and': {
      const within = secondOf(value)
      return within !== undefined && within >= 0 && covers(low32(mask), low32(within))
    }
    case 'i32.shr_u': {
      const count = secondOf(value)
      return count !== undefined && mask >= 0 && covers(low32(mask), 0xffffffff >>> low32(count))
    }
    default:
      return false
  }
}

/** All of `bits` are in the mask. */
const covers = (mask: number, bits: number): boolean => (bits & ~mask) === 0
