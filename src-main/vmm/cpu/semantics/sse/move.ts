/** Moves between XMM registers, memory and general-purpose registers. */
import { SIMD_EXTRA } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RDI } from '../values'
import {
  concatLow, highHalf, isMm, lanesOf, lowHalf, opNamed, readUnaligned, readVector, scalarVector, shuffle, writeVector,
} from './vector'

const aligned: Semantics = (m) => {
  m.write(0, m.read(1, { aligned: true }), { aligned: true })
}
const unaligned: Semantics = (m) => {
  m.write(0, m.read(1))
}

const setXmm = (m: Emitter, i: number, value: Value): void => {
  m.setXmm(m.registerField(i), value)
}

/** MOVSS, MOVSD: a load clears the rest of the register, a register move keeps it. */
const scalar: Semantics = (m) => {
  if (m.isMemory(1)) setXmm(m, 0, scalarVector(m, m.read(1)))
  else m.write(0, m.read(1))
}

/** MOVQ: to XMM it clears the upper half, from a register too. */
const quadword: Semantics = (m) => {
  const value = m.read(1)
  if (isMm(m, 0) || m.isMemory(0)) m.write(0, value)
  else setXmm(m, 0, scalarVector(m, value))
}

/** MOVD, and with REX.W MOVQ, between general-purpose registers or memory and MMX or XMM registers. */
const doubleword: Semantics = (m) => {
  const to = m.form.operands[0]
  if (to?.kind === 'xmm') setXmm(m, 0, scalarVector(m, m.read(1)))
  else if (to?.kind === 'mm') m.write(0, m.zext(m.read(1)))
  else {
    const source = m.read(1)
    const low = source.type === 'v128' ? lowHalf(m, source) : source
    m.write(0, m.size === 8 ? m.zext(low) : m.wrap(low))
  }
}

/** MOVLPS, MOVLPD: both forms move 8 bytes of the low half, which is what the operands say. */
const low: Semantics = (m) => {
  m.write(0, m.read(1))
}
const high: Semantics = (m) => {
  if (m.isMemory(0)) m.write(0, highHalf(m, m.read(1)))
  else {
    const value = m.read(1)
    m.write(0, m.op('i64x2.replace_lane', [m.read(0), value], [1]))
  }
}

const fromShuffle = (bytes: number, elements: readonly number[]): Semantics => (m) => {
  const b = readVector(m, 1)
  m.write(0, shuffle(m, m.read(0), b, lanesOf(bytes, elements)))
}
const duplicate = (elements: readonly number[]): Semantics => (m) => {
  const b = readVector(m, 1)
  m.write(0, shuffle(m, b, b, lanesOf(4, elements)))
}

const mask = (op: string): Semantics => (m) => {
  const bits = opNamed(m, op, [readVector(m, 1)])
  m.write(0, isMm(m, 1) ? m.and(bits, m.i32(0xff)) : bits)
}

/** MASKMOVQ, MASKMOVDQU: bytes whose mask byte has its top bit set go to DS:rDI (or the segment of an override). */
const maskedMove: Semantics = (m) => {
  const selected = m.op('i8x16.bitmask', [readVector(m, 1)])
  const bits = isMm(m, 0) ? m.and(selected, m.i32(0xff)) : selected
  m.storeState(SIMD_EXTRA, readVector(m, 0))
  const rest = m.variable(bits)
  const base = m.addressRegister(RDI)
  const addressMask = m.form.addressSize === 2 ? 0xffffn : m.form.addressSize === 4 ? 0xffffffffn : -1n
  // the whole operand must be writable, whatever is selected (Intel leaves it open, AMD's processors check)
  m.reference(isMm(m, 0) ? 8 : 16, { segment: 'operand', offset: base })
  m.loop((again) => {
    m.if(m.ne(m.get(rest), m.i32(0)), () => {
      const i = m.ctz(m.get(rest))
      const offset = m.and(m.add(base, m.zext(i)), m.i64(addressMask))
      m.store(1, { segment: 'operand', offset }, m.and(m.loadStateAt('i32', i, SIMD_EXTRA), m.i32(0xff)))
      m.set(rest, m.and(m.get(rest), m.sub(m.get(rest), m.i32(1))))
    })
    again(m.ne(m.get(rest), m.i32(0)))
  })
}

/** MOVQ2DQ, MOVDQ2Q. */
const mmToXmm: Semantics = (m) => {
  setXmm(m, 0, scalarVector(m, m.read(1)))
}
const xmmToMm: Semantics = (m) => {
  const source = m.read(1)
  m.write(0, source.type === 'v128' ? lowHalf(m, source) : source)
}

/** An index vector for i8x16.swizzle that picks elements of `bytes` by small numbers in the lanes of that size. */
const pshufd: Semantics = (m) => {
  const b = readVector(m, 1)
  const immediate = m.op('i32x4.splat', [m.wrap(m.read(2))])
  // 2-bit fields: multiply them up to bit 6, shift down
  const fields = selectors(m, immediate)
  const index = m.op('i32x4.add', [m.op('i32x4.mul', [fields, m.op('i32x4.splat', [m.i32(0x04040404)])]), m.op('i32x4.splat', [m.i32(0x03020100)])])
  m.write(0, m.op('i8x16.swizzle', [b, index]))
}
const selectors = (m: Emitter, immediate: Value): Value => {
  const scaled = m.op('i32x4.mul', [immediate, m.v128([64, 0, 0, 0, 16, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0])])
  const shifted = m.op('i32x4.shr_u', [scaled, m.i32(6)])
  return m.op('v128.and', [shifted, m.op('i32x4.splat', [m.i32(3)])])
}

const WORD_INDEX = (offset: number): readonly number[] => Array.from({ length: 16 }, (_, i) => (i & 1) + offset)
/** PSHUFLW (half 0), PSHUFHW (half 1), and PSHUFW on MMX: four words of one half by 2-bit fields. */
const shuffleWords = (half: 0 | 1): Semantics => (m) => {
  const b = readVector(m, 1)
  const scaled = m.op('i16x8.mul', [m.op('i16x8.splat', [m.wrap(m.read(2))]), m.v128([64, 0, 16, 0, 4, 0, 1, 0, 64, 0, 16, 0, 4, 0, 1, 0])])
  const fields = m.op('v128.and', [m.op('i16x8.shr_u', [scaled, m.i32(6)]), m.op('i16x8.splat', [m.i32(3)])])
  const index = m.op('i8x16.add', [m.op('i16x8.mul', [fields, m.op('i16x8.splat', [m.i32(0x0202)])]), m.v128(WORD_INDEX(half * 8))])
  const moved = m.op('i8x16.swizzle', [b, index])
  if (isMm(m, 0)) m.write(0, lowHalf(m, moved))
  else m.write(0, half === 0 ? shuffle(m, moved, b, lanesOf(8, [0, 3])) : shuffle(m, b, moved, lanesOf(8, [0, 3])))
}

const shufps: Semantics = (m) => {
  const b = readVector(m, 1)
  const a = m.read(0)
  const fields = selectors(m, m.op('i32x4.splat', [m.wrap(m.read(2))]))
  const index = m.op('i32x4.add', [m.op('i32x4.mul', [fields, m.op('i32x4.splat', [m.i32(0x04040404)])]), m.op('i32x4.splat', [m.i32(0x03020100)])])
  m.write(0, shuffle(m, m.op('i8x16.swizzle', [a, index]), m.op('i8x16.swizzle', [b, index]), lanesOf(8, [0, 3])))
}
const shufpd: Semantics = (m) => {
  const b = readVector(m, 1)
  const a = m.read(0)
  const immediate = m.wrap(m.read(2))
  const upper = (bit: number): Value => m.ne(m.and(immediate, m.i32(bit)), m.i32(0))
  const first = m.select(upper(1), highHalf(m, a), lowHalf(m, a))
  const second = m.select(upper(2), highHalf(m, b), lowHalf(m, b))
  m.write(0, m.op('i64x2.replace_lane', [m.op('i64x2.splat', [first]), second], [1]))
}

const logical = (op: string, swapped: boolean): Semantics => (m) => {
  const b = readVector(m, 1)
  const a = readVector(m, 0)
  writeVector(m, 0, opNamed(m, op, swapped ? [b, a] : [a, b]))
}

const movddup: Semantics = (m) => {
  const b = readUnaligned(m, 1)
  m.write(0, concatLow(m, b, b))
}

export const sseMoves: SemanticsTable = {
  movaps: aligned, movapd: aligned, movdqa: aligned, movntps: aligned, movntpd: aligned, movntdq: aligned, movntdqa: aligned,
  movups: unaligned, movupd: unaligned, movdqu: unaligned, lddqu: unaligned,
  movss: scalar, movsd: scalar,
  movd: doubleword, movq: quadword, movq2dq: mmToXmm, movdq2q: xmmToMm,
  movlps: low, movlpd: low, movhps: high, movhpd: high,
  movhlps: fromShuffle(8, [3, 1]),
  movlhps: fromShuffle(8, [0, 2]),
  unpcklps: fromShuffle(4, [0, 4, 1, 5]), unpckhps: fromShuffle(4, [2, 6, 3, 7]),
  unpcklpd: fromShuffle(8, [0, 2]), unpckhpd: fromShuffle(8, [1, 3]),
  punpcklqdq: fromShuffle(8, [0, 2]), punpckhqdq: fromShuffle(8, [1, 3]),
  movsldup: duplicate([0, 0, 2, 2]), movshdup: duplicate([1, 1, 3, 3]), movddup,
  movmskps: mask('i32x4.bitmask'), movmskpd: mask('i64x2.bitmask'), pmovmskb: mask('i8x16.bitmask'),
  maskmovdqu: maskedMove, maskmovq: maskedMove,
  pshufd, pshuflw: shuffleWords(0), pshufhw: shuffleWords(1), pshufw: shuffleWords(0), shufps, shufpd,
  andps: logical('v128.and', false), andpd: logical('v128.and', false), orps: logical('v128.or', false), orpd: logical('v128.or', false),
  xorps: logical('v128.xor', false), xorpd: logical('v128.xor', false),
  andnps: logical('v128.andnot', true), andnpd: logical('v128.andnot', true),
  pand: logical('v128.and', false), por: logical('v128.or', false), pxor: logical('v128.xor', false), pandn: logical('v128.andnot', true),
}
