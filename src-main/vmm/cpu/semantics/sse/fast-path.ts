/**
 * The one place that decides when SSE floating-point arithmetic may use WebAssembly's own operations instead of the exact helpers
 * (core/fpu/sse.ts): rounding is to nearest, all exceptions are masked, neither FZ nor DAZ, PE is set already, and neither operands nor
 * result are special: then the operation changes nothing but its destination, and WebAssembly computes the same bits.
 */
import { OP_ADD, OP_ADDSUB, OP_DIV, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import { MXCSR } from '../../layout'
import type { Emitter, Value } from '../emitter'
import { and, opNamed, or, vector, xor } from './vector'

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
  readonly magnitude: bigint
  readonly leastNormal: bigint
  readonly infinity: bigint
  readonly sign: bigint
}
const FORMATS: Readonly<Record<FloatBytes, FloatFormat>> = {
  4: {
    float: 'f32',
    int: 'i32',
    lanes: 'i32x4',
    floatLanes: 'f32x4',
    magnitude: 0x7fffffffn,
    leastNormal: 0x800000n,
    infinity: 0x7f800000n,
    sign: 0x80000000n,
  },
  8: {
    float: 'f64',
    int: 'i64',
    lanes: 'i64x2',
    floatLanes: 'f64x2',
    magnitude: 0x7fffffffffffffffn,
    leastNormal: 0x10000000000000n,
    infinity: 0x7ff0000000000000n,
    sign: 0x8000000000000000n,
  },
}
export const formatOf = (bytes: FloatBytes): FloatFormat => FORMATS[bytes]

const MXCSR_ALL_BUT_FLAGS_EXCEPT_PE = 0xffe0
const MXCSR_PLAIN = 0x1fa0

/** i32: MXCSR allows the fast path. */
export const plainControl = (m: Emitter): Value =>
  m.eq(m.and(m.loadState('i32', MXCSR), m.i32(MXCSR_ALL_BUT_FLAGS_EXCEPT_PE)), m.i32(MXCSR_PLAIN))

const magnitude = (m: Emitter, bytes: FloatBytes, bits: Value): Value => m.and(bits, m.constant(FORMATS[bytes].magnitude, bytes))

/** i32: the value (its magnitude) is normal. */
const isNormal = (m: Emitter, bytes: FloatBytes, value: Value): Value => {
  const { leastNormal, infinity } = FORMATS[bytes]
  return m.ltU(m.sub(value, m.constant(leastNormal, bytes)), m.constant(infinity - leastNormal, bytes))
}
const isNotDenormal = (m: Emitter, bytes: FloatBytes, value: Value): Value =>
  m.geU(m.sub(value, m.constant(1, bytes)), m.constant(FORMATS[bytes].leastNormal - 1n, bytes))

/** i32: zero, normal or infinite: comparing it raises nothing, whatever MXCSR says. */
export const isClean = (m: Emitter, bytes: FloatBytes, bits: Value): Value => {
  const value = magnitude(m, bytes, bits)
  return m.and(isNotDenormal(m, bytes, value), m.leU(value, m.constant(FORMATS[bytes].infinity, bytes)))
}
/** i32: zero or normal. */
export const isOrdinary = (m: Emitter, bytes: FloatBytes, bits: Value): Value => {
  const value = magnitude(m, bytes, bits)
  return m.and(isNotDenormal(m, bytes, value), m.ltU(value, m.constant(FORMATS[bytes].infinity, bytes)))
}

const asFloat = (m: Emitter, bytes: FloatBytes, bits: Value): Value =>
  opNamed(m, `${FORMATS[bytes].float}.reinterpret_${FORMATS[bytes].int}`, [bits])
const asBits = (m: Emitter, bytes: FloatBytes, value: Value): Value =>
  opNamed(m, `${FORMATS[bytes].int}.reinterpret_${FORMATS[bytes].float}`, [value])
export { asBits, asFloat }

/** A value computed fast when `allowed` (i32), else by `exact`, which may leave the instruction with a fault. */
export const fastOr = (m: Emitter, allowed: Value, fast: Value, exact: () => Value): Value => {
  const result = m.variable(fast)
  m.if(m.eqz(allowed), () => {
    m.set(result, exact())
  })
  return m.get(result)
}

/** a op b on scalars given as bits; for OP_SQRT only b counts. */
export const scalarArithmetic = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  const format = FORMATS[bytes]
  const operands = op === OP_SQRT ? [b] : [a, b]
  const result = asBits(
    m,
    bytes,
    opNamed(
      m,
      `${format.float}.${WASM_NAME[op] ?? ''}`,
      operands.map((bits) => asFloat(m, bytes, bits)),
    ),
  )
  const values = operands.map((bits) => magnitude(m, bytes, bits))
  const value = magnitude(m, bytes, result)
  const isZero = (v: Value | undefined): Value => (v ? m.eqz(v) : m.i32(0))
  // zero is exact for sums; products and quotients of nonzero numbers may have underflowed
  const zeroIsExact = op === OP_MUL ? m.or(isZero(values[0]), isZero(values[1])) : op === OP_DIV ? isZero(values[0]) : m.i32(1)
  const resultGood = m.or(isNormal(m, bytes, value), m.and(m.eqz(value), zeroIsExact))
  const operandsGood = values.map((v) => isNotDenormal(m, bytes, v)).reduce((x, y) => m.and(x, y))
  const allowed = m.and(m.and(plainControl(m), resultGood), operandsGood)
  return fastOr(m, allowed, result, () => m.helper(bytes === 8 ? 'sseF64' : 'sseF32', m.i32(op), a, b))
}

const lanes = (m: Emitter, bytes: FloatBytes, name: string, a: Value, b: Value): Value =>
  opNamed(m, `${FORMATS[bytes].lanes}.${name}`, [a, b])
const laneMagnitude = (m: Emitter, bytes: FloatBytes, v: Value): Value => and(m, v, vector(m, bytes, [FORMATS[bytes].magnitude]))
const laneZero = (m: Emitter, bytes: FloatBytes, v: Value): Value => lanes(m, bytes, 'eq', v, vector(m, bytes, [0]))
/** Zero or at least the smallest normal number. */
const laneNotDenormal = (m: Emitter, bytes: FloatBytes, v: Value): Value =>
  or(m, laneZero(m, bytes, v), lanes(m, bytes, 'ge_s', v, vector(m, bytes, [FORMATS[bytes].leastNormal])))
const laneNormal = (m: Emitter, bytes: FloatBytes, v: Value): Value =>
  and(
    m,
    lanes(m, bytes, 'ge_s', v, vector(m, bytes, [FORMATS[bytes].leastNormal])),
    lanes(m, bytes, 'lt_s', v, vector(m, bytes, [FORMATS[bytes].infinity])),
  )

/** i32: all lanes of the vectors are zero, normal or infinite. */
export const allClean = (m: Emitter, bytes: FloatBytes, ...vectors: readonly Value[]): Value => {
  const good = vectors.map((v) => {
    const value = laneMagnitude(m, bytes, v)
    return and(m, laneNotDenormal(m, bytes, value), lanes(m, bytes, 'le_s', value, vector(m, bytes, [FORMATS[bytes].infinity])))
  })
  return opNamed(m, `${FORMATS[bytes].lanes}.all_true`, [good.reduce((x, y) => and(m, x, y))])
}

/** As scalarArithmetic, on all lanes; OP_ADDSUB subtracts in even lanes. */
export const packedArithmetic = (m: Emitter, bytes: FloatBytes, op: number, a: Value, b: Value): Value => {
  const format = FORMATS[bytes]
  const operands = op === OP_SQRT ? [b] : op === OP_ADDSUB ? [a, xor(m, b, vector(m, bytes, [format.sign, 0]))] : [a, b]
  const result = opNamed(m, `${format.floatLanes}.${WASM_NAME[op] ?? ''}`, operands)
  const values = operands.map((v) => laneMagnitude(m, bytes, v))
  const value = laneMagnitude(m, bytes, result)
  const [first, second] = values
  const zero = laneZero(m, bytes, value)
  const exactZero =
    op === OP_MUL && first && second
      ? and(m, zero, or(m, laneZero(m, bytes, first), laneZero(m, bytes, second)))
      : op === OP_DIV && first
        ? and(m, zero, laneZero(m, bytes, first))
        : zero
  const good = values.map((v) => laneNotDenormal(m, bytes, v)).reduce((x, y) => and(m, x, y), or(m, laneNormal(m, bytes, value), exactZero))
  const allowed = m.and(plainControl(m), opNamed(m, `${format.lanes}.all_true`, [good]))
  return fastOr(m, allowed, result, () => m.helper(bytes === 8 ? 'ssePd' : 'ssePs', m.i32(op), a, b))
}
