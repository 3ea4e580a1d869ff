/** SSE conversions between f32, f64 and integers. */
import {
  CVT_DQ2PS, CVT_PD2DQ, CVT_PD2PS, CVT_PI2PS, CVT_PS2DQ, CVT_PS2PD, CVT_PS2PI, CVT_TPD2DQ, CVT_TPS2DQ, CVT_TPS2PI,
} from '../../helpers/fpu-codes'
import type { Semantics, SemanticsTable, Value } from '../emitter'
import { asBits, asFloat, type FloatBytes, fastOr, formatOf, isClean, isOrdinary, plainControl } from './fast-path'
import { enterMmx } from './availability'
import { isMm, lowHalf, opNamed, readVector, writeVector } from './vector'

/** CVT(T)SS2SI, CVT(T)SD2SI. Truncation of what fits is WebAssembly's own; NaN and out of range give the integer indefinite value. */
const toInteger = (bytes: FloatBytes, truncate: boolean): Semantics => (m) => {
  const bits = m.read(1)
  const wide = m.size === 8
  const { float } = formatOf(bytes)
  const value = asFloat(m, bytes, bits)
  const constant = (n: number): Value => (bytes === 8 ? m.f64(n) : m.f32(n))
  const rounded = truncate ? value : opNamed(m, `${float}.nearest`, [value])
  const limit = wide ? 2 ** 63 : 2 ** 31
  const fits = opNamed(m, `${float}.lt`, [opNamed(m, `${float}.abs`, [rounded]), constant(limit)])
  const fast = opNamed(m, `i64.trunc_sat_${float}_s`, [rounded])
  const allowed = m.and(plainControl(m), fits)
  const exact = (): Value => m.helper(bytes === 8 ? 'sseF64ToInt' : 'sseF32ToInt', bits, m.i32(wide ? 64 : 32), m.i32(truncate ? 1 : 0))
  const result = fastOr(m, allowed, fast, exact)
  m.write(0, wide ? result : m.wrap(result))
}

/** CVTSI2SS, CVTSI2SD: a 32-bit integer is exact as f64, otherwise rounding may be needed. */
const fromInteger = (bytes: FloatBytes): Semantics => (m) => {
  const value = m.sext(m.readSigned(1))
  const { float } = formatOf(bytes)
  const fast = asBits(m, bytes, opNamed(m, `${float}.convert_i64_s`, [value]))
  if (bytes === 8 && m.size === 4) m.write(0, fast)
  else m.write(0, fastOr(m, plainControl(m), fast, () => m.helper(bytes === 8 ? 'sseIntToF64' : 'sseIntToF32', value)))
}

/** Exact for all but denormals and NaNs. */
const singleToDouble: Semantics = (m) => {
  const bits = m.read(1)
  const fast = asBits(m, 8, m.op('f64.promote_f32', [asFloat(m, 4, bits)]))
  m.write(0, fastOr(m, isClean(m, 4, bits), fast, () => m.helper('sseF32ToF64', bits)))
}

const doubleToSingle: Semantics = (m) => {
  const bits = m.read(1)
  const fast = asBits(m, 4, m.op('f32.demote_f64', [asFloat(m, 8, bits)]))
  // a zero result may be an underflow
  const good = m.and(m.and(isOrdinary(m, 8, bits), isOrdinary(m, 4, fast)), m.or(m.ne(m.shl(fast, m.i32(1)), m.i32(0)), m.eqz(m.shl(bits, m.i32(1)))))
  m.write(0, fastOr(m, m.and(plainControl(m), good), fast, () => m.helper('sseF64ToF32', bits)))
}

const packed = (kind: number): Semantics => (m) => {
  const source = readVector(m, 1)
  // a floating-point exception comes after the change to MMX state
  if (isMm(m, 0)) enterMmx(m)
  writeVector(m, 0, m.helper('sseConvert', m.i32(kind), source))
}
/** Two doubles from two 32-bit integers: always exact. */
const integersToDoubles: Semantics = (m) => {
  writeVector(m, 0, m.op('f64x2.convert_low_i32x4_s', [readVector(m, 1)]))
}
/** Two singles into the low half of an XMM register. */
const integersToSingles: Semantics = (m) => {
  const source = readVector(m, 1)
  if (isMm(m, 1)) enterMmx(m)
  m.write(0, lowHalf(m, m.helper('sseConvert', m.i32(CVT_PI2PS), source)))
}
const integersToSinglesXmm: Semantics = (m) => {
  const source = readVector(m, 1)
  const fast = m.op('f32x4.convert_i32x4_s', [source])
  writeVector(m, 0, fastOr(m, plainControl(m), fast, () => m.helper('sseConvert', m.i32(CVT_DQ2PS), source)))
}

export const sseConversions: SemanticsTable = {
  cvtss2si: toInteger(4, false),
  cvtsd2si: toInteger(8, false),
  cvttss2si: toInteger(4, true),
  cvttsd2si: toInteger(8, true),
  cvtsi2ss: fromInteger(4),
  cvtsi2sd: fromInteger(8),
  cvtss2sd: singleToDouble,
  cvtsd2ss: doubleToSingle,
  cvtps2pd: packed(CVT_PS2PD),
  cvtpd2ps: packed(CVT_PD2PS),
  cvtdq2ps: integersToSinglesXmm,
  cvtps2dq: packed(CVT_PS2DQ),
  cvttps2dq: packed(CVT_TPS2DQ),
  cvtpd2dq: packed(CVT_PD2DQ),
  cvttpd2dq: packed(CVT_TPD2DQ),
  cvtdq2pd: integersToDoubles,
  cvtpi2ps: integersToSingles,
  cvtpi2pd: integersToDoubles,
  cvtps2pi: packed(CVT_PS2PI),
  cvttps2pi: packed(CVT_TPS2PI),
  cvtpd2pi: packed(CVT_PD2DQ),
  cvttpd2pi: packed(CVT_TPD2DQ),
}
