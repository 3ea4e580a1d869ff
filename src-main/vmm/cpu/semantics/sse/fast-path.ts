/**
 * The one place that decides when SSE floating-point arithmetic may use WebAssembly's own operations instead of the exact helpers (core/fpu/sse.ts).
 * MXCSR must be plain: rounding to nearest, all exceptions masked, PE set already. Then an operation changes nothing but its destination, and
 * WebAssembly computes the same bits, unless operands or result are special (zero-divide, NaN, infinite, denormal).
 *
 * Results need no look: operands are let through only from windows of exponents so narrow that no result overflows or is tiny. What is outside (zeros of
 * scalars, too) goes to the helpers, which have a fast path for zeros.
 */
import { OP_ADD, OP_ADDSUB, OP_DIV, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import type { Emitter, FloatOperation, Value } from '../emitter'
import { and, andNot, opNamed, or, vector, xor } from './vector'

/** Bytes of an element: 4 is f32, 8 is f64. */
export type FloatBytes = 4 | 8

const WASM_NAME: Readonly<Record<number, string>> = {
  [OP_ADD]: 'add',
  [OP_SUB]: 'sub',
  [OP_MUL]: 'mul',
  [OP_DIV]: 'div',
  [OP_SQRT]: 'sqrt',
  [OP_ADDSUB]: 'add',
}

interface FloatFormat {
  readonly float: 'f32' | 'f64'
  readonly int: 'i32' | 'i64'
  readonly lanes: string
  readonly floatLanes: string
  readonly sign: bigint
  /** Of the upper 32 bits: 1 in the exponent, and the exponent of infinity. */
  readonly exponentUnit: number
  readonly exponentEnd: number
  readonly leastNormal: number
  /** As integers after a shift by one bit to the left, which drops the sign. */
  readonly leastNormalShifted: bigint
}
const FORMATS: Readonly<Record<FloatBytes, FloatFormat>> = {
  4: {
    float: 'f32',
    int: 'i32',
    lanes: 'i32x4',
    floatLanes: 'f32x4',
    sign: 0x80000000n,
    exponentUnit: 0x800000,
    exponentEnd: 0x7f800000,
    leastNormal: 2 ** -126,
    leastNormalShifted: 0x1000000n,
  },
  8: {
    float: 'f64',
    int: 'i64',
    lanes: 'i64x2',
    floatLanes: 'f64x2',
    sign: 0x8000000000000000n,
    exponentUnit: 0x100000,
    exponentEnd: 0x7ff00000,
    leastNormal: 2 ** -1022,
    leastNormalShifted: 0x20000000000000n,
  },
}
export const formatOf = (bytes: FloatBytes): FloatFormat => FORMATS[bytes]

const asFloat = (m: Emitter, bytes: FloatBytes, bits: Value): Value =>
  opNamed(m, `${FORMATS[bytes].float}.reinterpret_${FORMATS[bytes].int}`, [bits])
const asBits = (m: Emitter, bytes: FloatBytes, value: Value): Value =>
  opNamed(m, `${FORMATS[bytes].int}.reinterpret_${FORMATS[bytes].float}`, [value])
export { asBits, asFloat }

/** The result of an exact helper, which may set MXCSR's sticky flags (or leave the instruction with a fault). */
export const exactly = (m: Emitter, name: string, ...args: readonly Value[]): Value => {
  const result = m.helper(name, ...args)
  m.changed('mxcsr-special')
  return result
}

/** `fast`, or what `exact` gives when `special` (i32) is not 0. */
export const fastOr = (m: Emitter, special: Value, fast: Value, exact: () => Value): Value => {
  const result = m.variable(fast)
  m.if(special, () => {
    m.set(result, exact())
  })
  return m.get(result)
}
/** Likewise, for operations that also want a plain MXCSR. */
export const fastWhenPlain = (m: Emitter, special: Value | undefined, fast: Value, exact: () => Value): Value => {
  const mxcsr = m.invariant('mxcsr-special')
  return fastOr(m, special ? m.or(special, mxcsr) : mxcsr, fast, exact)
}

// ---- scalars ----

/** Sign, exponent and the upper bits of the fraction. */
const upper = (m: Emitter, bytes: FloatBytes, bits: Value): Value => (bytes === 8 ? m.wrap(m.shrU(bits, m.i32(32))) : bits)

/** i32: 0 when the value's exponent (its magnitude's) is in [first, end). */
export const outsideExponents = (m: Emitter, bytes: FloatBytes, bits: Value, first: number, end: number): Value => {
  const unit = FORMATS[bytes].exponentUnit * 2
  return m.geU(m.sub(m.shl(upper(m, bytes, bits), m.i32(1)), m.i32(first * unit)), m.i32((end - first) * unit))
}
/** i32: the value is normal and positive, or not (nonzero). */
const notPositiveNormal = (m: Emitter, bytes: FloatBytes, bits: Value): Value => {
  const { exponentUnit, exponentEnd } = FORMATS[bytes]
  return m.geU(m.sub(upper(m, bytes, bits), m.i32(exponentUnit)), m.i32(exponentEnd - exponentUnit))
}

/*
 * Windows of exponents by the upper bits of (upper 32 bits of the value - the window's start): the middle half of all exponents by bit 30, the
 * middle quarter by bits 30 and 29. Sums of the middle half cannot overflow, and being multiples of their operands' last places they cannot be tiny either;
 * products and quotients of the middle quarter are in the middle half. Of f32 the quarter would be too narrow for real programs: 126 exponents are taken.
 */
const HALF_START = 0x20000000
const HALF_BITS = 0x40000000
const QUARTER_START = 0x30000000
const QUARTER_BITS = 0x60000000
const F32_FACTOR_FIRST = 64
const F32_FACTOR_END = 190

const isSum = (op: number): boolean => op === OP_ADD || op === OP_SUB || op === OP_ADDSUB

/** i32: 0 when the operands are so ordinary that the operation can do nothing special. */
const specialOperands = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  if (op === OP_SQRT) return notPositiveNormal(m, bytes, b)
  if (bytes === 4 && !isSum(op)) {
    const outside = (bits: Value): Value => outsideExponents(m, 4, bits, F32_FACTOR_FIRST, F32_FACTOR_END)
    return m.or(outside(a), outside(b))
  }
  const [start, bits] = isSum(op) ? [HALF_START, HALF_BITS] : [QUARTER_START, QUARTER_BITS]
  const offset = (value: Value): Value => m.sub(upper(m, bytes, value), m.i32(start))
  return m.and(m.or(offset(a), offset(b)), m.i32(bits))
}

/** a op b on scalars given as bits; for OP_SQRT only b counts. */
export const scalarArithmetic = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  const name = `${FORMATS[bytes].float}.${WASM_NAME[op] ?? ''}`
  const result = m.floatOperation({
    op,
    bytes,
    operands: (op === OP_SQRT ? [b] : [a, b]).map((bits) => asFloat(m, bytes, bits)),
    plain: true,
    fast: (operands) => opNamed(m, name, operands),
    special: () => specialOperands(m, bytes, op, a, b),
    exact: exactScalar(m, bytes, op),
  })
  return asBits(m, bytes, result)
}
/** The helper for scalars that are given as numbers; it takes and returns bits. */
export const exactScalar = (m: Emitter, bytes: FloatBytes, op: number | Value): FloatOperation['exact'] => ({
  helper: bytes === 8 ? 'sseF64' : 'sseF32',
  args: (operands) => {
    const all = operands.map((operand) => asBits(m, bytes, operand))
    const last = all.at(-1)!
    return [typeof op === 'number' ? m.i32(op) : op, all[0] ?? last, last]
  },
  result: (bits) => asFloat(m, bytes, bits),
})
export const exactPacked = (m: Emitter, bytes: FloatBytes, op: number | Value): FloatOperation['exact'] => ({
  helper: bytes === 8 ? 'ssePd' : 'ssePs',
  args: (operands) => [typeof op === 'number' ? m.i32(op) : op, operands[0]!, operands.at(-1)!],
  result: (value) => value,
})

/** i32: the value is denormal (zero is not). */
export const isDenormal = (m: Emitter, bytes: FloatBytes, bits: Value): Value => {
  const shifted = m.shl(bits, m.i32(1))
  return m.ltU(m.sub(shifted, m.constant(1, bytes)), m.constant(FORMATS[bytes].leastNormalShifted - 1n, bytes))
}

/** How two scalars compare (i32 0 or 1 each), and whether comparing them raises anything: a NaN or a denormal. */
export interface Comparison {
  readonly equal: Value
  readonly less: Value
  readonly greater: Value
  readonly special: () => Value
}
export const comparison = (m: Emitter, bytes: FloatBytes, a: Value, b: Value): Comparison => {
  const floats = [asFloat(m, bytes, a), asFloat(m, bytes, b)]
  const compare = (name: string): Value => opNamed(m, `${FORMATS[bytes].float}.${name}`, floats)
  const equal = compare('eq')
  const less = compare('lt')
  const greater = compare('gt')
  const unordered = (): Value => m.eqz(m.or(m.or(less, greater), equal))
  const special = (): Value => m.or(m.or(isDenormal(m, bytes, a), isDenormal(m, bytes, b)), unordered())
  return { equal, less, greater, special }
}

// ---- vectors ----

const lanes = (m: Emitter, bytes: FloatBytes, name: string, a: Value, b: Value): Value =>
  opNamed(m, `${FORMATS[bytes].lanes}.${name}`, [a, b])
const floatLanes = (m: Emitter, bytes: FloatBytes, name: string, a: Value, b: Value): Value =>
  opNamed(m, `${FORMATS[bytes].floatLanes}.${name}`, [a, b])
export const laneConstant = (m: Emitter, bytes: FloatBytes, n: number): Value =>
  opNamed(m, `${FORMATS[bytes].floatLanes}.splat`, [bytes === 8 ? m.f64(n) : m.f32(n)])
const laneNonzero = (m: Emitter, bytes: FloatBytes, v: Value): Value => floatLanes(m, bytes, 'ne', v, vector(m, bytes, [0]))
/** Lanes' top bits, as a number. */
const topBits = (m: Emitter, bytes: FloatBytes, v: Value): Value => opNamed(m, `${FORMATS[bytes].lanes}.bitmask`, [v])

/** Each lane minus the start of a window: only the upper 32 bits of an element count. */
const laneOffset = (m: Emitter, bytes: FloatBytes, v: Value, start: number): Value =>
  m.op('i32x4.sub', [v, bytes === 8 ? vector(m, 8, [BigInt(start) << 32n]) : vector(m, 4, [start])])

/** i32: 0 when all lanes of both vectors are so ordinary that the operation can do nothing special. Zeros are all right but as divisors. */
const specialLanes = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  if (op === OP_SQRT) {
    const { exponentUnit, exponentEnd } = FORMATS[bytes]
    const first = bytes === 8 ? vector(m, 8, [BigInt(exponentUnit) << 32n]) : vector(m, 4, [exponentUnit])
    const end = bytes === 8 ? vector(m, 8, [BigInt(exponentEnd) << 32n]) : vector(m, 4, [exponentEnd])
    // as signed integers: negative ones are below the least normal number
    return topBits(m, bytes, and(m, or(m, lanes(m, bytes, 'lt_s', b, first), lanes(m, bytes, 'ge_s', b, end)), laneNonzero(m, bytes, b)))
  }
  const start = isSum(op) || bytes === 4 ? HALF_START : QUARTER_START
  const outside = (v: Value): Value => {
    const offset = laneOffset(m, bytes, v, start)
    const top = m.op('i32x4.shl', [offset, m.i32(1)])
    if (isSum(op)) return top
    if (bytes === 8) return or(m, top, m.op('i32x4.shl', [offset, m.i32(2)]))
    // not below F32_FACTOR_END
    return or(m, top, m.op('i32x4.gt_s', [top, vector(m, 4, [(F32_FACTOR_END - F32_FACTOR_FIRST) * 0x1000000 - 1])]))
  }
  const outsideA = and(m, outside(a), laneNonzero(m, bytes, a))
  const outsideB = op === OP_DIV ? outside(b) : and(m, outside(b), laneNonzero(m, bytes, b))
  return topBits(m, bytes, or(m, outsideA, outsideB))
}

/** As scalarArithmetic, on all lanes; OP_ADDSUB subtracts in even lanes. */
export const packedArithmetic = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  const { floatLanes: type, sign } = FORMATS[bytes]
  const name = `${type}.${WASM_NAME[op] ?? ''}`
  return m.floatOperation({
    op,
    bytes,
    operands: op === OP_SQRT ? [b] : [a, b],
    plain: true,
    fast: (operands) => opNamed(m, name, op === OP_ADDSUB ? [operands[0]!, xor(m, operands[1]!, vector(m, bytes, [sign, 0]))] : operands),
    special: () => specialLanes(m, bytes, op, a, b),
    exact: exactPacked(m, bytes, op),
  })
}

/** Lanes that are denormal or NaN: all ones. */
export const uncleanLanes = (m: Emitter, bytes: FloatBytes, v: Value, leastNormal: number = FORMATS[bytes].leastNormal): Value => {
  const magnitude = opNamed(m, `${FORMATS[bytes].floatLanes}.abs`, [v])
  // no order is true of a NaN
  const proper = floatLanes(m, bytes, 'ge', magnitude, laneConstant(m, bytes, leastNormal))
  return andNot(m, laneNonzero(m, bytes, v), proper)
}
/** i32: 0 when comparing the lanes raises nothing. */
export const unclean = (m: Emitter, bytes: FloatBytes, a: Value, b: Value): Value =>
  m.op('v128.any_true', [or(m, uncleanLanes(m, bytes, a), uncleanLanes(m, bytes, b))])
