/**
 * A builder that folds constants and simplifies as it goes. Operands of translated instructions are constants, so most of what a meaning says about
 * them (masks, shift counts, widenings) is known here; what V8 would simplify too is done where it spares code size or flags' computations.
 */
import { FunctionBuilder } from './builder'
import type { OpName, Value } from './nodes'

const MASK32 = 0xffffffffn
const ZERO_EXTENDING: ReadonlySet<string> = new Set(['i64.load32_u', 'i64.load16_u', 'i64.load8_u'])
/** Comparisons and their opposites. */
const OPPOSITE: Readonly<Record<string, string>> = { eq: 'ne', ne: 'eq', lt_s: 'ge_s', ge_s: 'lt_s', lt_u: 'ge_u', ge_u: 'lt_u', gt_s: 'le_s', le_s: 'gt_s', gt_u: 'le_u', le_u: 'gt_u' }
/** 32-bit operations whose low half depends on the low halves of their operands only. */
const NARROWABLE: Readonly<Record<string, OpName>> = {
  'i64.add': 'i32.add', 'i64.sub': 'i32.sub', 'i64.and': 'i32.and', 'i64.or': 'i32.or', 'i64.xor': 'i32.xor', 'i64.mul': 'i32.mul',
}

type Fold = (a: bigint, b: bigint, bits: bigint) => bigint | undefined
const unsigned = (n: bigint, bits: bigint): bigint => BigInt.asUintN(Number(bits), n)
const flag = (condition: boolean): bigint => (condition ? 1n : 0n)
/** On values sign-extended from their width. */
const BINARY: Readonly<Record<string, Fold>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b, bits) => a << (b & (bits - 1n)),
  shr_u: (a, b, bits) => unsigned(a, bits) >> (b & (bits - 1n)),
  shr_s: (a, b, bits) => a >> (b & (bits - 1n)),
  eq: (a, b) => flag(a === b),
  ne: (a, b) => flag(a !== b),
  lt_s: (a, b) => flag(a < b),
  gt_s: (a, b) => flag(a > b),
  le_s: (a, b) => flag(a <= b),
  ge_s: (a, b) => flag(a >= b),
  lt_u: (a, b, bits) => flag(unsigned(a, bits) < unsigned(b, bits)),
  gt_u: (a, b, bits) => flag(unsigned(a, bits) > unsigned(b, bits)),
  le_u: (a, b, bits) => flag(unsigned(a, bits) <= unsigned(b, bits)),
  ge_u: (a, b, bits) => flag(unsigned(a, bits) >= unsigned(b, bits)),
}

/** The number of an integer constant, sign-extended; undefined for everything else. */
export function constantOf(value: Value): bigint | undefined {
  const { source, type } = value
  if (source.kind !== 'const' || (type !== 'i32' && type !== 'i64')) return undefined
  const n = typeof source.number === 'bigint' ? source.number : BigInt(Math.trunc(source.number))
  return BigInt.asIntN(type === 'i32' ? 32 : 64, n)
}

/** The operation that makes a value, or ''. */
const opOf = (value: Value): string => (value.source.kind === 'op' ? value.source.info.name : '')

export class FoldingBuilder extends FunctionBuilder {
  override op(name: OpName, args: readonly Value[], immediates: readonly number[] = [], offset: number = 0): Value {
    const [a, b, c] = args
    if (a === undefined || offset !== 0 || immediates.length > 1) return super.op(name, args, immediates, offset)
    const simple = b === undefined ? this.unary(name, a, immediates) : c === undefined ? this.binary(name, a, b, immediates) : this.choice(name, a, b, c)
    return simple ?? super.op(name, args, immediates, offset)
  }

  private int(type: 'i32' | 'i64', n: bigint): Value {
    return this.constant(type, type === 'i32' ? Number(BigInt.asIntN(32, n)) : BigInt.asIntN(64, n))
  }

  private unary(name: OpName, a: Value, immediates: readonly number[]): Value | undefined {
    const [inner, second] = a.args
    const from = opOf(a)
    const known = constantOf(a)
    switch (name) {
      case 'i32.wrap_i64':
        if (known !== undefined) return this.int('i32', known)
        if (inner === undefined) return undefined
        if (from === 'i64.extend_i32_u' || from === 'i64.extend_i32_s') return inner
        return this.narrowed(from, inner, second)
      case 'i64.extend_i32_u':
        return known === undefined ? undefined : this.int('i64', known & MASK32)
      case 'i64.extend_i32_s':
        return known === undefined ? undefined : this.int('i64', known)
      case 'i32.extend8_s':
      case 'i32.extend16_s':
      case 'i64.extend8_s':
      case 'i64.extend16_s':
      case 'i64.extend32_s': {
        const bits = Number(/extend(\d+)/.exec(name)?.[1])
        if (known !== undefined) return this.int(name.startsWith('i32') ? 'i32' : 'i64', BigInt.asIntN(bits, known))
        // the sign of the low bits does not care what a mask does above them
        const mask = from === 'i32.and' && second !== undefined ? constantOf(second) : undefined
        const kept = (1n << BigInt(bits)) - 1n
        return mask !== undefined && (mask & kept) === kept && inner !== undefined ? this.op(name, [inner]) : undefined
      }
      case 'i32.eqz':
      case 'i64.eqz':
        if (known !== undefined) return this.int('i32', flag(known === 0n))
        return this.negated(a, from)
      case 'f64.reinterpret_i64':
        if (from === 'i64.reinterpret_f64' && inner !== undefined) return inner
        return from === 'i64x2.extract_lane' && inner !== undefined ? super.op('f64x2.extract_lane', [inner], lanesOf(a)) : undefined
      case 'f32.reinterpret_i32':
        if (from === 'i32.reinterpret_f32' && inner !== undefined) return inner
        return from === 'i32x4.extract_lane' && inner !== undefined ? super.op('f32x4.extract_lane', [inner], lanesOf(a)) : undefined
      case 'i64x2.splat':
        return from === 'i64.reinterpret_f64' && inner !== undefined ? super.op('f64x2.splat', [inner]) : undefined
      case 'i64x2.extract_lane': {
        // a lane that was just put in
        const replaced = from === 'i64x2.replace_lane' || from === 'f64x2.replace_lane'
        if (!replaced || second === undefined || inner === undefined) return undefined
        if (lanesOf(a)[0] !== immediates[0]) return this.op(name, [inner], immediates)
        return second.type === 'f64' ? super.op('i64.reinterpret_f64', [second]) : second
      }
      default:
        return undefined
    }
  }

  /** wrap(x op y) as a 32-bit operation, where that needs no conversion of its own on at least one side. */
  private narrowed(from: string, x: Value, y: Value | undefined): Value | undefined {
    const narrow = NARROWABLE[from]
    if (y === undefined) return undefined
    const isNarrow = (v: Value): boolean => constantOf(v) !== undefined || opOf(v) === 'i64.extend_i32_u' || opOf(v) === 'i64.extend_i32_s' || opOf(v) in NARROWABLE
    if (narrow !== undefined && isNarrow(x) && isNarrow(y)) return this.op(narrow, [this.op('i32.wrap_i64', [x]), this.op('i32.wrap_i64', [y])])
    const count = constantOf(y)
    if (from === 'i64.shl' && count !== undefined && count < 32n && isNarrow(x)) return this.op('i32.shl', [this.op('i32.wrap_i64', [x]), this.int('i32', count)])
    return undefined
  }

  private negated(a: Value, from: string): Value | undefined {
    const dot = from.indexOf('.')
    const opposite = OPPOSITE[from.slice(dot + 1)]
    // ordered comparisons of floats have no opposite
    if (opposite === undefined || !from.startsWith('i') || from.includes('x')) return undefined
    return this.op(`${from.slice(0, dot)}.${opposite}` as OpName, a.args)
  }

  private binary(name: OpName, a: Value, b: Value, immediates: readonly number[]): Value | undefined {
    if (name === 'i64x2.replace_lane' && opOf(b) === 'i64.reinterpret_f64' && b.args[0] !== undefined) return super.op('f64x2.replace_lane', [a, b.args[0]], immediates)
    if (a.type !== 'i32' && a.type !== 'i64') return undefined
    const operation = name.slice(4)
    const fold = BINARY[operation]
    if (fold === undefined || !(name.startsWith('i32.') || name.startsWith('i64.'))) return undefined
    const bits = a.type === 'i32' ? 32n : 64n
    const [x, y] = [constantOf(a), constantOf(b)]
    if (x !== undefined && y !== undefined) {
      const result = fold(x, y, bits)
      return result === undefined ? undefined : this.int(/^(eq|ne|lt|gt|le|ge)/.test(operation) ? 'i32' : a.type, result)
    }
    if (y !== undefined) return this.withConstant(name, operation, a, y)
    // constants to the right
    if (x !== undefined && ['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne'].includes(operation)) return this.op(name, [b, a])
    if (a === b) {
      if (operation === 'xor' || operation === 'sub') return this.int(a.type, 0n)
      if (operation === 'and' || operation === 'or') return a
    }
    return undefined
  }

  private withConstant(name: OpName, operation: string, a: Value, y: bigint): Value | undefined {
    const type = a.type === 'i32' ? 'i32' : 'i64'
    const inner = a.args[0]
    const within = a.args[1] === undefined ? undefined : constantOf(a.args[1])
    switch (operation) {
      case 'add':
        if (y === 0n) return a
        return opOf(a) === name && within !== undefined && inner !== undefined ? this.op(name, [inner, this.int(type, within + y)]) : undefined
      case 'sub':
        return y === 0n ? a : undefined
      case 'or':
      case 'xor':
        return y === 0n ? a : undefined
      case 'shl':
      case 'shr_u':
      case 'shr_s':
        return (y & (type === 'i32' ? 31n : 63n)) === 0n ? a : undefined
      case 'mul':
        return y === 0n ? this.int(type, 0n) : y === 1n ? a : undefined
      case 'eq':
        return y === 0n ? this.op(type === 'i32' ? 'i32.eqz' : 'i64.eqz', [a]) : undefined
      case 'ne':
        return y === 0n && type === 'i32' && isFlag(a) ? a : undefined
      case 'and': {
        if (y === 0n) return this.int(type, 0n)
        if (y === -1n) return a
        if (type === 'i32' && y === 1n && isFlag(a)) return a
        if (opOf(a) === name && within !== undefined && inner !== undefined) return this.op(name, [inner, this.int(type, within & y)])
        if (fitsIn(a, y)) return a
        return type === 'i64' ? this.lowHalf(a, y) : undefined
      }
      default:
        return undefined
    }
  }

  /** a & y where y does not reach above, or covers all of, the low half. */
  private lowHalf(a: Value, y: bigint): Value | undefined {
    if (opOf(a) === 'i64.extend_i32_u') {
      const low = a.args[0]
      if ((y & MASK32) === MASK32) return a
      if ((y & MASK32) === 0n) return this.int('i64', 0n)
      return low === undefined ? undefined : this.op('i64.extend_i32_u', [this.op('i32.and', [low, this.int('i32', y)])])
    }
    if (ZERO_EXTENDING.has(opOf(a)) && (y & MASK32) === MASK32) return a
    if (y !== MASK32) return undefined
    const narrow = this.narrowed(opOf(a), a.args[0] ?? a, a.args[1])
    return narrow === undefined ? undefined : this.op('i64.extend_i32_u', [narrow])
  }

  private choice(name: OpName, a: Value, b: Value, condition: Value): Value | undefined {
    if (name !== 'select') return undefined
    const known = constantOf(condition)
    if (known !== undefined) return known === 0n ? b : a
    return a === b ? a : undefined
  }
}

const lanesOf = (value: Value): readonly number[] => (value.source.kind === 'op' ? value.source.immediates : [])

/** A comparison: 0 or 1. */
function isFlag(value: Value): boolean {
  const name = opOf(value)
  return /^(i32|i64|f32|f64)\.(eqz|eq|ne|lt|gt|le|ge)/.test(name) || /\.(all|any)_true$/.test(name)
}

/** The value has no bits but those of the mask. */
function fitsIn(value: Value, mask: bigint): boolean {
  switch (opOf(value)) {
    case 'i32.load8_u':
    case 'i64.load8_u':
      return (mask & 0xffn) === 0xffn
    case 'i32.load16_u':
    case 'i64.load16_u':
      return (mask & 0xffffn) === 0xffffn
    case 'i32.and': {
      const within = value.args[1] === undefined ? undefined : constantOf(value.args[1])
      return within !== undefined && within >= 0n && (within & ~mask) === 0n
    }
    case 'i32.shr_u': {
      const count = value.args[1] === undefined ? undefined : constantOf(value.args[1])
      return count !== undefined && mask >= 0n && (MASK32 >> (count & 31n) & ~mask) === 0n
    }
    default:
      return false
  }
}
