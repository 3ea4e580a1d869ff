/** The rest of SSE4.1 and SSE4.2. */
import { SCRATCH } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RAX, RCX, RDX } from '../values'
import { and, andNot, bitSelect, opNamed, readUnaligned, readVector, vector, writeVector } from './vector'

/** PMOVSX/PMOVZX: `steps` widenings of the low lanes. */
const widen =
  (from: 1 | 2 | 4, to: 2 | 4 | 8, sign: 's' | 'u'): Semantics =>
  (m) => {
    const LANES: Readonly<Record<number, string>> = { 1: 'i8x16', 2: 'i16x8', 4: 'i32x4', 8: 'i64x2' }
    let value = readUnaligned(m, 1)
    for (let bytes: number = from; bytes < to; bytes *= 2)
      value = opNamed(m, `${LANES[bytes * 2] ?? ''}.extend_low_${LANES[bytes] ?? ''}_${sign}`, [value])
    m.write(0, value)
  }

/** PBLENDVB, BLENDVPS, BLENDVPD: where the sign bit of XMM0's element is set, the source. */
const blendVariable =
  (lanes: string, bits: number): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const mask = opNamed(m, `${lanes}.shr_s`, [m.xmm(0), m.i32(bits - 1)])
    m.write(0, bitSelect(m, b, m.read(0), mask))
  }

/** BLENDPS, BLENDPD, PBLENDW: where the immediate's bit is set, the source. */
const blendImmediate =
  (lanes: string, bytes: 2 | 4 | 8): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const bits = vector(
      m,
      bytes,
      Array.from({ length: 16 / bytes }, (_, i) => 1 << i),
    )
    const immediate = m.wrap(m.read(2))
    const chosen = and(m, opNamed(m, `${lanes}.splat`, [bytes === 8 ? m.zext(immediate) : immediate]), bits)
    m.write(0, bitSelect(m, b, m.read(0), opNamed(m, `${lanes}.eq`, [chosen, bits])))
  }

/** INSERTPS: an element of the source (or the memory doubleword) into an element of the destination, then zeros by mask. */
const insertps: Semantics = (m) => {
  const immediate = m.wrap(m.read(2))
  const memory = m.isMemory(1)
  const b = readUnaligned(m, 1)
  const from = m.shl(m.and(m.shrU(immediate, m.i32(6)), m.i32(3)), m.i32(2))
  const index = m.op('i8x16.add', [m.op('i8x16.splat', [from]), m.v128([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])])
  const element = memory ? b : m.op('i8x16.swizzle', [b, index])
  const at = m.op('i32x4.splat', [m.and(m.shrU(immediate, m.i32(4)), m.i32(3))])
  const inserted = bitSelect(m, element, m.read(0), m.op('i32x4.eq', [at, vector(m, 4, [0, 1, 2, 3])]))
  const bits = vector(m, 4, [1, 2, 4, 8])
  m.write(0, andNot(m, inserted, m.op('i32x4.eq', [and(m, m.op('i32x4.splat', [immediate]), bits), bits])))
}

const ptest: Semantics = (m) => {
  const b = readVector(m, 1)
  const a = m.read(0)
  const none = (v: Value): Value => m.eqz(m.op('v128.any_true', [v]))
  // ZF bit 6, CF bit 0
  m.setStatusFlags(m.or(m.shl(none(and(m, a, b)), m.i32(6)), none(andNot(m, b, a))))
}

/** Signed products of the even doublewords. */
const pmuldq: Semantics = (m) => {
  const b = readVector(m, 1)
  const even = (v: Value): Value => m.op('i64x2.shr_s', [m.op('i64x2.shl', [v, m.i32(32)]), m.i32(32)])
  m.write(0, m.op('i64x2.mul', [even(m.read(0)), even(b)]))
}

const mpsadbw: Semantics = (m) => {
  const b = readVector(m, 1)
  m.write(0, m.helper('sseMpsadbw', m.read(0), b, m.wrap(m.read(2))))
}
const phminposuw: Semantics = (m) => {
  writeVector(m, 0, m.helper('ssePhminposuw', readVector(m, 1)))
}

/** The explicit length in EAX or EDX: its magnitude, at most the number of elements. */
const explicitLength = (m: Emitter, register: number, immediate: Value): Value => {
  const raw = m.sext(m.size === 8 ? m.gpr(register, 8) : m.gpr(register, 4))
  const magnitude = m.select(m.ltS(raw, m.i64(0)), m.neg(raw), raw)
  const limit = m.select(m.and(immediate, m.i32(1)), m.i64(8), m.i64(16))
  return m.wrap(m.select(m.ltU(magnitude, limit), magnitude, limit))
}
const compareStrings =
  (explicit: boolean, index: boolean): Semantics =>
  (m) => {
    const b = readUnaligned(m, 1)
    const immediate = m.wrap(m.read(2))
    const la = explicit ? explicitLength(m, RAX, immediate) : m.i32(-1)
    const lb = explicit ? explicitLength(m, RDX, immediate) : m.i32(-1)
    const args = [m.read(0), b, immediate, la, lb]
    if (index) m.setGpr(RCX, 4, m.helper('sseStringIndex', ...args))
    else m.setXmm(0, m.helper('sseStringMask', ...args))
    m.setStatusFlags(m.loadState('i32', SCRATCH))
  }

export const sse4: SemanticsTable = {
  pmovsxbw: widen(1, 2, 's'),
  pmovsxbd: widen(1, 4, 's'),
  pmovsxbq: widen(1, 8, 's'),
  pmovsxwd: widen(2, 4, 's'),
  pmovsxwq: widen(2, 8, 's'),
  pmovsxdq: widen(4, 8, 's'),
  pmovzxbw: widen(1, 2, 'u'),
  pmovzxbd: widen(1, 4, 'u'),
  pmovzxbq: widen(1, 8, 'u'),
  pmovzxwd: widen(2, 4, 'u'),
  pmovzxwq: widen(2, 8, 'u'),
  pmovzxdq: widen(4, 8, 'u'),
  pblendvb: blendVariable('i8x16', 8),
  blendvps: blendVariable('i32x4', 32),
  blendvpd: blendVariable('i64x2', 64),
  blendps: blendImmediate('i32x4', 4),
  blendpd: blendImmediate('i64x2', 8),
  pblendw: blendImmediate('i16x8', 2),
  insertps,
  ptest,
  pmuldq,
  mpsadbw,
  phminposuw,
  pcmpestri: compareStrings(true, true),
  pcmpestrm: compareStrings(true, false),
  pcmpistri: compareStrings(false, true),
  pcmpistrm: compareStrings(false, false),
}
