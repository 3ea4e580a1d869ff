/** SSE conversions between f32, f64 and integers. */
import {
  CVT_DQ2PS, CVT_PD2DQ, CVT_PD2PS, CVT_PI2PS, CVT_PS2DQ, CVT_PS2PD, CVT_PS2PI, CVT_TPD2DQ, CVT_TPS2DQ, CVT_TPS2PI,
} from '../../helpers/fpu-codes'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import {
  asBits, asFloat, exactly, type FloatBytes, fastOr, fastWhenPlain, formatOf, isDenormal, laneConstant, outsideExponents, uncleanLanes,
} from './fast-path'
import { enterMmx } from './availability'
import { and, isMm, lowHalf, opNamed, or, readVector, vector, writeVector } from './vector'

/** CVT(T)SS2SI, CVT(T)SD2SI. Truncation of what fits is WebAssembly's own; NaN and out of range give the integer indefinite value. */
const toInteger = (bytes: FloatBytes, truncate: boolean): Semantics => (m) => {
  const bits = m.read(1)
  const wide = m.size === 8
  const { float } = formatOf(bytes)
  const value = asFloat(m, bytes, bits)
  const constant = (n: number): Value => (bytes === 8 ? m.f64(n) : m.f32(n))
  const rounded = truncate ? value : opNamed(m, `${float}.nearest`, [value])
  const fits = opNamed(m, `${float}.lt`, [opNamed(m, `${float}.abs`, [rounded]), constant(wide ? 2 ** 63 : 2 ** 31)])
  const fast = opNamed(m, `${wide ? 'i64' : 'i32'}.trunc_sat_${float}_s`, [rounded])
  const exact = (): Value => {
    const result = exactly(m, bytes === 8 ? 'sseF64ToInt' : 'sseF32ToInt', bits, m.i32(wide ? 64 : 32), m.i32(truncate ? 1 : 0))
    return wide ? result : m.wrap(result)
  }
  m.write(0, fastWhenPlain(m, m.eqz(fits), fast, exact))
}

/** CVTSI2SS, CVTSI2SD: a 32-bit integer is exact as f64, otherwise rounding may be needed. */
const fromInteger = (bytes: FloatBytes): Semantics => (m) => {
  const value = m.readSigned(1)
  const { float } = formatOf(bytes)
  const fast = opNamed(m, `${float}.convert_${value.type}_s`, [value])
  const exact = (): Value => asFloat(m, bytes, exactly(m, bytes === 8 ? 'sseIntToF64' : 'sseIntToF32', m.sext(value)))
  m.write(0, asBits(m, bytes, bytes === 8 && value.type === 'i32' ? fast : fastWhenPlain(m, undefined, fast, exact)))
}

/** Exact for all but denormals and NaNs. */
const singleToDouble: Semantics = (m) => {
  const bits = m.read(1)
  const value = asFloat(m, 4, bits)
  const special = m.or(isDenormal(m, 4, bits), m.op('f32.ne', [value, value]))
  m.write(0, asBits(m, 8, fastOr(m, special, m.op('f64.promote_f32', [value]), () => asFloat(m, 8, exactly(m, 'sseF32ToF64', bits)))))
}

/** Exponents of f64 that f32 has too, but for the uppermost, which may overflow. */
const F32_IN_F64 = { first: 1023 - 126, end: 1023 + 127 }

const doubleToSingle: Semantics = (m) => {
  const bits = m.read(1)
  const special = outsideExponents(m, 8, bits, F32_IN_F64.first, F32_IN_F64.end)
  const fast = m.op('f32.demote_f64', [asFloat(m, 8, bits)])
  m.write(0, asBits(m, 4, fastWhenPlain(m, special, fast, () => asFloat(m, 4, exactly(m, 'sseF64ToF32', bits)))))
}

const packed = (kind: number): Semantics => (m) => {
  const source = readVector(m, 1)
  // a floating-point exception comes after the change to MMX state
  if (isMm(m, 0)) enterMmx(m)
  writeVector(m, 0, exactly(m, 'sseConvert', m.i32(kind), source))
}
const exactConversion = (m: Emitter, kind: number, source: Value) => (): Value => exactly(m, 'sseConvert', m.i32(kind), source)

/** CVT(T)PS2DQ, CVT(T)PD2DQ: as the scalar ones. */
const packedToIntegers = (bytes: FloatBytes, kind: number, truncate: boolean): Semantics => (m) => {
  const source = readVector(m, 1)
  const { floatLanes, lanes } = formatOf(bytes)
  const rounded = truncate ? source : opNamed(m, `${floatLanes}.nearest`, [source])
  const fits = opNamed(m, `${floatLanes}.lt`, [opNamed(m, `${floatLanes}.abs`, [rounded]), laneConstant(m, bytes, 2 ** 31)])
  const fast = m.op(bytes === 8 ? 'i32x4.trunc_sat_f64x2_s_zero' : 'i32x4.trunc_sat_f32x4_s', [rounded])
  writeVector(m, 0, fastWhenPlain(m, m.eqz(opNamed(m, `${lanes}.all_true`, [fits])), fast, exactConversion(m, kind, source)))
}
const singlesToDoubles: Semantics = (m) => {
  const source = readVector(m, 1)
  const fast = m.op('f64x2.promote_low_f32x4', [source])
  // denormal as f32
  const special = m.op('v128.any_true', [uncleanLanes(m, 8, fast, 2 ** -126)])
  writeVector(m, 0, fastOr(m, special, fast, exactConversion(m, CVT_PS2PD, source)))
}
const doublesToSingles: Semantics = (m) => {
  const source = readVector(m, 1)
  const fast = m.op('f32x4.demote_f64x2_zero', [source])
  const magnitude = m.op('f64x2.abs', [source])
  const inside = and(m, m.op('f64x2.ge', [magnitude, laneConstant(m, 8, 2 ** -126)]), m.op('f64x2.lt', [magnitude, laneConstant(m, 8, 2 ** 127)]))
  const good = or(m, inside, m.op('f64x2.eq', [source, vector(m, 8, [0])]))
  writeVector(m, 0, fastWhenPlain(m, m.eqz(m.op('i64x2.all_true', [good])), fast, exactConversion(m, CVT_PD2PS, source)))
}
/** Two doubles from two 32-bit integers: always exact. */
const integersToDoubles: Semantics = (m) => {
  writeVector(m, 0, m.op('f64x2.convert_low_i32x4_s', [readVector(m, 1)]))
}
/** Two singles into the low half of an XMM register. */
const integersToSingles: Semantics = (m) => {
  const source = readVector(m, 1)
  if (isMm(m, 1)) enterMmx(m)
  m.write(0, lowHalf(m, exactly(m, 'sseConvert', m.i32(CVT_PI2PS), source)))
}
const integersToSinglesXmm: Semantics = (m) => {
  const source = readVector(m, 1)
  const fast = m.op('f32x4.convert_i32x4_s', [source])
  writeVector(m, 0, fastWhenPlain(m, undefined, fast, exactConversion(m, CVT_DQ2PS, source)))
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
  cvtps2pd: singlesToDoubles,
  cvtpd2ps: doublesToSingles,
  cvtdq2ps: integersToSinglesXmm,
  cvtps2dq: packedToIntegers(4, CVT_PS2DQ, false),
  cvttps2dq: packedToIntegers(4, CVT_TPS2DQ, true),
  cvtpd2dq: packedToIntegers(8, CVT_PD2DQ, false),
  cvttpd2dq: packedToIntegers(8, CVT_TPD2DQ, true),
  cvtdq2pd: integersToDoubles,
  cvtpi2ps: integersToSingles,
  cvtpi2pd: integersToDoubles,
  cvtps2pi: packed(CVT_PS2PI),
  cvttps2pi: packed(CVT_TPS2PI),
  cvtpd2pi: packed(CVT_PD2DQ),
  cvttpd2pi: packed(CVT_TPD2DQ),
}
