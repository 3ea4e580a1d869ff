/** Packed integer operations that exist for MMX and XMM registers; each is one or a few of WebAssembly's SIMD operations. */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import {
  and, andNot, concatLow, iota, isMmxForm, lanesOf, lowHalf, maskOf, opNamed, or, readVector, shuffle, vector, writeVector, xor,
} from '../sse/vector'

type Combine = (m: Emitter, a: Value, b: Value) => Value

/** destination = f(destination, source) */
const binary = (f: Combine): Semantics => (m) => {
  const b = readVector(m, 1)
  writeVector(m, 0, f(m, readVector(m, 0), b))
}
const direct = (op: string): Semantics => binary((m, a, b) => opNamed(m, op, [a, b]))

/** Operations whose result is the destination's part followed by the source's; in an MMX register both parts stand in its 64 bits. */
const joined = (f: Combine): Semantics => (m) => {
  const b = readVector(m, 1)
  const a = readVector(m, 0)
  if (isMmxForm(m)) {
    const both = concatLow(m, a, b)
    writeVector(m, 0, f(m, both, both))
  } else writeVector(m, 0, f(m, a, b))
}

/** Interleaves the low or high halves' elements of `bytes`. */
const unpack = (bytes: number, high: boolean): Semantics => (m) => {
  const b = readVector(m, 1)
  const a = readVector(m, 0)
  const count = 16 / bytes
  const half = isMmxForm(m) ? count / 4 : count / 2
  const from = high ? half : 0
  const elements = Array.from({ length: count }, (_, i) => from + ((i >> 1) % half) + (i & 1 ? count : 0))
  writeVector(m, 0, shuffle(m, a, b, lanesOf(bytes, elements)))
}

/** Shift count: an immediate, or the low 64 bits of the source. */
const shiftCount = (m: Emitter): Value => {
  const operand = m.form.operands[1]
  if (operand?.kind === 'imm') return m.zext(m.read(1))
  return lowHalf(m, readVector(m, 1))
}
const shift = (lanes: 'i16x8' | 'i32x4' | 'i64x2', op: 'shl' | 'shr_u' | 'shr_s'): Semantics => (m) => {
  const bits = lanes === 'i16x8' ? 16 : lanes === 'i32x4' ? 32 : 64
  const count = shiftCount(m)
  const a = readVector(m, 0)
  const small = m.ltU(count, m.i64(bits))
  if (op === 'shr_s') writeVector(m, 0, opNamed(m, `${lanes}.shr_s`, [a, m.select(small, m.wrap(count), m.i32(bits - 1))]))
  else writeVector(m, 0, and(m, opNamed(m, `${lanes}.${op}`, [a, m.wrap(count)]), maskOf(m, small)))
}

/** The upper halves of the 32-bit products of words. */
const multiplyHigh = (sign: 's' | 'u'): Semantics => binary((m, a, b) => {
  const low = opNamed(m, `i32x4.extmul_low_i16x8_${sign}`, [a, b])
  const high = opNamed(m, `i32x4.extmul_high_i16x8_${sign}`, [a, b])
  return shuffle(m, low, high, lanesOf(2, [1, 3, 5, 7, 9, 11, 13, 15]))
})

const sumOfDifferences: Combine = (m, a, b) => {
  const difference = or(m, m.op('i8x16.sub_sat_u', [a, b]), m.op('i8x16.sub_sat_u', [b, a]))
  const quads = m.op('i32x4.extadd_pairwise_i16x8_u', [m.op('i16x8.extadd_pairwise_i8x16_u', [difference])])
  return m.op('i64x2.add', [and(m, quads, vector(m, 8, [0xffffffffn])), m.op('i64x2.shr_u', [quads, m.i32(32)])])
}

/** Products of the even doublewords. */
const multiplyEven: Combine = (m, a, b) => {
  const low = vector(m, 8, [0xffffffffn])
  return m.op('i64x2.mul', [and(m, a, low), and(m, b, low)])
}

/** Neighbours combined, destination first. */
const pairwise = (bytes: 2 | 4, op: string): Semantics => joined((m, a, b) => {
  const count = 16 / bytes
  const even = Array.from({ length: count }, (_, i) => i * 2)
  return opNamed(m, op, [shuffle(m, a, b, lanesOf(bytes, even)), shuffle(m, a, b, lanesOf(bytes, even.map((i) => i + 1)))])
})

/** PMADDUBSW: unsigned bytes of the destination times signed bytes of the source, neighbours added with saturation. */
const multiplyAddBytes: Combine = (m, a, b) => {
  const even = m.op('i16x8.mul', [and(m, a, vector(m, 2, [0xff])), m.op('i16x8.shr_s', [m.op('i16x8.shl', [b, m.i32(8)]), m.i32(8)])])
  const odd = m.op('i16x8.mul', [m.op('i16x8.shr_u', [a, m.i32(8)]), m.op('i16x8.shr_s', [b, m.i32(8)])])
  return m.op('i16x8.add_sat_s', [even, odd])
}

/** PMULHRSW differs from WebAssembly's only in 8000h * 8000h, which does not saturate. */
const multiplyRounded: Combine = (m, a, b) => {
  const least = vector(m, 2, [0x8000])
  const both = and(m, m.op('i16x8.eq', [a, least]), m.op('i16x8.eq', [b, least]))
  return xor(m, m.op('i16x8.q15mulr_sat_s', [a, b]), both)
}

/** PSIGNx: negated where the source is negative, 0 where it is 0. */
const sign = (lanes: string, bytes: 1 | 2 | 4): Semantics => binary((m, a, b) => {
  const zero = vector(m, bytes, [0])
  const negative = opNamed(m, `${lanes}.lt_s`, [b, zero])
  const signedValue = opNamed(m, `${lanes}.sub`, [xor(m, a, negative), negative])
  return andNot(m, signedValue, opNamed(m, `${lanes}.eq`, [b, zero]))
})

const absolute = (lanes: string): Semantics => (m) => {
  writeVector(m, 0, opNamed(m, `${lanes}.abs`, [readVector(m, 1)]))
}

const pshufb: Semantics = (m) => {
  const control = readVector(m, 1)
  const a = readVector(m, 0)
  // an index with its top bit set is out of range for swizzle too: 0
  writeVector(m, 0, m.op('i8x16.swizzle', [a, and(m, control, vector(m, 1, [isMmxForm(m) ? 0x87 : 0x8f]))]))
}

/** Indexes `from` + 0..15 (i32), for swizzle: anything outside 0..15 gives 0. */
const indexesFrom = (m: Emitter, from: Value): Value => m.op('i8x16.add', [iota(m), m.op('i8x16.splat', [from])])
const atMost = (m: Emitter, value: Value, limit: number): Value => m.select(m.ltU(value, m.i32(limit)), value, m.i32(limit))

/** PALIGNR: the destination above the source, shifted right by bytes. */
const alignRight: Semantics = (m) => {
  const b = readVector(m, 1)
  const a = readVector(m, 0)
  const immediate = m.wrap(m.read(2))
  if (isMmxForm(m)) writeVector(m, 0, m.op('i8x16.swizzle', [concatLow(m, b, a), indexesFrom(m, atMost(m, immediate, 16))]))
  else {
    const count = atMost(m, immediate, 32)
    const fromSource = m.op('i8x16.swizzle', [b, indexesFrom(m, count)])
    const fromDestination = m.op('i8x16.swizzle', [a, indexesFrom(m, m.sub(count, m.i32(16)))])
    writeVector(m, 0, or(m, fromSource, fromDestination))
  }
}
const shiftBytes = (right: boolean): Semantics => (m) => {
  const count = atMost(m, m.wrap(m.read(1)), 16)
  m.write(0, m.op('i8x16.swizzle', [m.read(0), indexesFrom(m, right ? count : m.neg(count))]))
}

/** Insertion of the low part of a general-purpose register or memory at the element the immediate names. */
const insert = (lanes: string, bytes: 1 | 2 | 4 | 8): Semantics => (m) => {
  const value = m.read(1)
  const a = readVector(m, 0)
  const count = 16 / bytes
  const index = m.and(m.wrap(m.read(2)), m.i32((isMmxForm(m) ? count / 2 : count) - 1))
  const numbers = vector(m, bytes, Array.from({ length: count }, (_, i) => i))
  const wanted = opNamed(m, `${lanes}.splat`, [bytes === 8 ? m.zext(index) : index])
  const there = opNamed(m, `${lanes}.eq`, [numbers, wanted])
  writeVector(m, 0, m.op('v128.bitselect', [opNamed(m, `${lanes}.splat`, [bytes === 8 ? m.zext(value) : m.wrap(value)]), a, there]))
}
/** PINSRD and, with REX.W, PINSRQ. */
const insertBySize: Semantics = (m) => {
  if (m.size === 8) insert('i64x2', 8)(m)
  else insert('i32x4', 4)(m)
}

/** Extraction: the wanted element is moved to the bottom, the destination takes as much as it holds. */
const extract = (bytes: 1 | 2 | 4 | 8): Semantics => (m) => {
  const source = readVector(m, 1)
  const count = isMmxForm(m) ? 8 / bytes : 16 / bytes
  const index = m.and(m.wrap(m.read(2)), m.i32(count - 1))
  const moved = m.op('i8x16.swizzle', [source, indexesFrom(m, m.mul(index, m.i32(bytes)))])
  if (bytes === 8) {
    m.write(0, lowHalf(m, moved))
    return
  }
  const value = m.truncate(m.op('i32x4.extract_lane', [moved], [0]), bytes)
  const destination = m.form.operands[0]
  const wide = destination?.kind === 'gpr' && destination.bytes === 8
  m.write(0, wide ? m.zext(value) : value)
}
const extractBySize: Semantics = (m) => {
  if (m.size === 8) extract(8)(m)
  else extract(4)(m)
}

const lanesOps = (names: Readonly<Record<string, string>>): SemanticsTable =>
  Object.fromEntries(Object.entries(names).map(([name, op]) => [name, direct(op)]))

export const packedInteger: SemanticsTable = {
  ...lanesOps({
    paddb: 'i8x16.add', paddw: 'i16x8.add', paddd: 'i32x4.add', paddq: 'i64x2.add',
    psubb: 'i8x16.sub', psubw: 'i16x8.sub', psubd: 'i32x4.sub', psubq: 'i64x2.sub',
    paddsb: 'i8x16.add_sat_s', paddsw: 'i16x8.add_sat_s', paddusb: 'i8x16.add_sat_u', paddusw: 'i16x8.add_sat_u',
    psubsb: 'i8x16.sub_sat_s', psubsw: 'i16x8.sub_sat_s', psubusb: 'i8x16.sub_sat_u', psubusw: 'i16x8.sub_sat_u',
    pcmpeqb: 'i8x16.eq', pcmpeqw: 'i16x8.eq', pcmpeqd: 'i32x4.eq', pcmpgtb: 'i8x16.gt_s', pcmpgtw: 'i16x8.gt_s', pcmpgtd: 'i32x4.gt_s',
    pmullw: 'i16x8.mul', pmaddwd: 'i32x4.dot_i16x8_s', pavgb: 'i8x16.avgr_u', pavgw: 'i16x8.avgr_u',
    pminub: 'i8x16.min_u', pmaxub: 'i8x16.max_u', pminsw: 'i16x8.min_s', pmaxsw: 'i16x8.max_s',
    // SSE4, XMM only
    pcmpeqq: 'i64x2.eq', pcmpgtq: 'i64x2.gt_s', pmulld: 'i32x4.mul', packusdw: 'i16x8.narrow_i32x4_u',
    pminsb: 'i8x16.min_s', pminsd: 'i32x4.min_s', pminuw: 'i16x8.min_u', pminud: 'i32x4.min_u',
    pmaxsb: 'i8x16.max_s', pmaxsd: 'i32x4.max_s', pmaxuw: 'i16x8.max_u', pmaxud: 'i32x4.max_u',
  }),
  packsswb: joined((m, a, b) => m.op('i8x16.narrow_i16x8_s', [a, b])),
  packuswb: joined((m, a, b) => m.op('i8x16.narrow_i16x8_u', [a, b])),
  packssdw: joined((m, a, b) => m.op('i16x8.narrow_i32x4_s', [a, b])),
  punpcklbw: unpack(1, false), punpcklwd: unpack(2, false), punpckldq: unpack(4, false),
  punpckhbw: unpack(1, true), punpckhwd: unpack(2, true), punpckhdq: unpack(4, true),
  psrlw: shift('i16x8', 'shr_u'), psrld: shift('i32x4', 'shr_u'), psrlq: shift('i64x2', 'shr_u'),
  psraw: shift('i16x8', 'shr_s'), psrad: shift('i32x4', 'shr_s'),
  psllw: shift('i16x8', 'shl'), pslld: shift('i32x4', 'shl'), psllq: shift('i64x2', 'shl'),
  psrldq: shiftBytes(true), pslldq: shiftBytes(false),
  pmulhw: multiplyHigh('s'), pmulhuw: multiplyHigh('u'), pmulhrsw: binary(multiplyRounded), pmuludq: binary(multiplyEven),
  pmaddubsw: binary(multiplyAddBytes), psadbw: binary(sumOfDifferences),
  phaddw: pairwise(2, 'i16x8.add'), phaddd: pairwise(4, 'i32x4.add'), phaddsw: pairwise(2, 'i16x8.add_sat_s'),
  phsubw: pairwise(2, 'i16x8.sub'), phsubd: pairwise(4, 'i32x4.sub'), phsubsw: pairwise(2, 'i16x8.sub_sat_s'),
  psignb: sign('i8x16', 1), psignw: sign('i16x8', 2), psignd: sign('i32x4', 4),
  pabsb: absolute('i8x16'), pabsw: absolute('i16x8'), pabsd: absolute('i32x4'),
  pshufb, palignr: alignRight,
  pinsrw: insert('i16x8', 2), pinsrb: insert('i8x16', 1), pinsrd: insertBySize,
  pextrw: extract(2), pextrb: extract(1), pextrd: extractBySize, extractps: extract(4),
}
