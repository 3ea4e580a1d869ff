/** SSE floating-point arithmetic, comparisons and the horizontal forms. */
import { OP_ADD, OP_ADDSUB, OP_COMPARE, OP_DIV, OP_MAX, OP_MIN, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { allClean, asFloat, type FloatBytes, fastOr, formatOf, isClean, packedArithmetic, scalarArithmetic } from './fast-path'
import { lanesOf, opNamed, readVector, shuffle, writeVector } from './vector'

const packed =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    writeVector(m, 0, packedArithmetic(m, bytes, op, readVector(m, 0), b))
  }
const scalar =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = m.read(1)
    m.write(0, scalarArithmetic(m, bytes, op, m.read(0), b))
  }

/** a < b ? a : b (MIN), a > b ? a : b (MAX): the second operand when they are equal or unordered. */
const packedMinMax =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const a = readVector(m, 0)
    const fast = opNamed(m, `${formatOf(bytes).floatLanes}.${op === OP_MIN ? 'pmin' : 'pmax'}`, [b, a])
    writeVector(
      m,
      0,
      fastOr(m, allClean(m, bytes, a, b), fast, () => m.helper(bytes === 8 ? 'ssePd' : 'ssePs', m.i32(op), a, b)),
    )
  }
const scalarMinMax =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = m.read(1)
    const a = m.read(0)
    const first = opNamed(m, `${formatOf(bytes).float}.${op === OP_MIN ? 'lt' : 'gt'}`, [asFloat(m, bytes, a), asFloat(m, bytes, b)])
    const clean = m.and(isClean(m, bytes, a), isClean(m, bytes, b))
    m.write(
      0,
      fastOr(m, clean, m.select(first, a, b), () => m.helper(bytes === 8 ? 'sseF64' : 'sseF32', m.i32(op), a, b)),
    )
  }

/** The predicate is an immediate: all eight results follow from "equal", "less" and "unordered"; clean operands are never unordered. */
const cleanPredicate = (m: Emitter, predicate: Value, equal: Value, less: Value): Value => {
  const is = (n: number): Value => m.eq(m.and(predicate, m.i32(3)), m.i32(n))
  const base = m.select(is(0), equal, m.select(is(1), less, m.select(is(2), m.or(equal, less), m.i32(0))))
  return m.xor(base, m.and(m.shrU(predicate, m.i32(2)), m.i32(1)))
}
const scalarCompare =
  (bytes: FloatBytes): Semantics =>
  (m) => {
    const b = m.read(1)
    const a = m.read(0)
    const predicate = m.and(m.wrap(m.read(2)), m.i32(7))
    const { float } = formatOf(bytes)
    const floats = [asFloat(m, bytes, a), asFloat(m, bytes, b)]
    const holds = cleanPredicate(m, predicate, opNamed(m, `${float}.eq`, floats), opNamed(m, `${float}.lt`, floats))
    const fast = m.neg(bytes === 8 ? m.zext(holds) : holds)
    const clean = m.and(isClean(m, bytes, a), isClean(m, bytes, b))
    m.write(
      0,
      fastOr(m, clean, fast, () => m.helper(bytes === 8 ? 'sseF64' : 'sseF32', m.add(predicate, m.i32(OP_COMPARE)), a, b)),
    )
  }
const packedCompare =
  (bytes: FloatBytes): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const a = readVector(m, 0)
    const predicate = m.and(m.wrap(m.read(2)), m.i32(7))
    writeVector(m, 0, m.helper(bytes === 8 ? 'ssePd' : 'ssePs', m.add(predicate, m.i32(OP_COMPARE)), a, b))
  }

const ZF = 0x40
const CF = 1

/** COMISx and UCOMISx: ZF PF CF = 111 unordered, 000 greater, 001 less, 100 equal; OF SF AF = 0. */
const compareToFlags =
  (bytes: FloatBytes, signaling: boolean): Semantics =>
  (m) => {
    const b = m.read(1)
    const a = m.read(0)
    const { float } = formatOf(bytes)
    const floats = [asFloat(m, bytes, a), asFloat(m, bytes, b)]
    const fast = m.or(
      m.select(opNamed(m, `${float}.eq`, floats), m.i32(ZF), m.i32(0)),
      m.select(opNamed(m, `${float}.lt`, floats), m.i32(CF), m.i32(0)),
    )
    const clean = m.and(isClean(m, bytes, a), isClean(m, bytes, b))
    m.setStatusFlags(
      fastOr(m, clean, fast, () => m.helper(bytes === 8 ? 'sseCompareF64' : 'sseCompareF32', m.i32(signaling ? 1 : 0), a, b)),
    )
  }

/** Sums or differences of neighbours: the destination's give the low half, the source's the high half. */
const horizontal =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const a = readVector(m, 0)
    const even = lanesOf(bytes, bytes === 8 ? [0, 2] : [0, 2, 4, 6])
    const odd = lanesOf(bytes, bytes === 8 ? [1, 3] : [1, 3, 5, 7])
    writeVector(m, 0, packedArithmetic(m, bytes, op, shuffle(m, a, b, even), shuffle(m, a, b, odd)))
  }

const withHelper =
  (name: string): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    writeVector(m, 0, m.helper(name, readVector(m, 0), b, m.wrap(m.read(2))))
  }

const packedApproximation =
  (name: string): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    let result = b
    for (let lane = 0; lane < 4; lane++) {
      result = m.op('i32x4.replace_lane', [result, m.helper(name, m.op('i32x4.extract_lane', [b], [lane]))], [lane])
    }
    writeVector(m, 0, result)
  }
const scalarApproximation =
  (name: string): Semantics =>
  (m) => {
    m.write(0, m.helper(name, m.read(1)))
  }

const packedRound =
  (name: string): Semantics =>
  (m) => {
    writeVector(m, 0, m.helper(name, readVector(m, 1), m.wrap(m.read(2))))
  }
const scalarRound =
  (name: string): Semantics =>
  (m) => {
    m.write(0, m.helper(name, m.read(1), m.wrap(m.read(2))))
  }

const family = (
  name: string,
  op: number,
  make: { readonly packed: (bytes: FloatBytes, op: number) => Semantics; readonly scalar: (bytes: FloatBytes, op: number) => Semantics },
): SemanticsTable => ({
  [`${name}ps`]: make.packed(4, op),
  [`${name}pd`]: make.packed(8, op),
  [`${name}ss`]: make.scalar(4, op),
  [`${name}sd`]: make.scalar(8, op),
})

export const sseArithmetic: SemanticsTable = {
  ...family('add', OP_ADD, { packed, scalar }),
  ...family('sub', OP_SUB, { packed, scalar }),
  ...family('mul', OP_MUL, { packed, scalar }),
  ...family('div', OP_DIV, { packed, scalar }),
  ...family('sqrt', OP_SQRT, { packed, scalar }),
  ...family('min', OP_MIN, { packed: packedMinMax, scalar: scalarMinMax }),
  ...family('max', OP_MAX, { packed: packedMinMax, scalar: scalarMinMax }),
  cmpps: packedCompare(4),
  cmppd: packedCompare(8),
  cmpss: scalarCompare(4),
  cmpsd: scalarCompare(8),
  ucomiss: compareToFlags(4, false),
  ucomisd: compareToFlags(8, false),
  comiss: compareToFlags(4, true),
  comisd: compareToFlags(8, true),
  rcpps: packedApproximation('sseReciprocal'),
  rcpss: scalarApproximation('sseReciprocal'),
  rsqrtps: packedApproximation('sseReciprocalRoot'),
  rsqrtss: scalarApproximation('sseReciprocalRoot'),
  addsubps: packed(4, OP_ADDSUB),
  addsubpd: packed(8, OP_ADDSUB),
  haddps: horizontal(4, OP_ADD),
  haddpd: horizontal(8, OP_ADD),
  hsubps: horizontal(4, OP_SUB),
  hsubpd: horizontal(8, OP_SUB),
  dpps: withHelper('sseDotPs'),
  dppd: withHelper('sseDotPd'),
  roundps: packedRound('sseRoundPs'),
  roundpd: packedRound('sseRoundPd'),
  roundss: scalarRound('sseRoundF32'),
  roundsd: scalarRound('sseRoundF64'),
}
