/** SSE floating-point arithmetic, comparisons and the horizontal forms. */
import { OP_ADD, OP_ADDSUB, OP_COMPARE, OP_DIV, OP_MAX, OP_MIN, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import {
  asBits, asFloat, comparison, exactly, exactPacked, exactScalar, type FloatBytes, fastWhenPlain, formatOf, outsideExponents, packedArithmetic, scalarArithmetic,
  unclean,
} from './fast-path'
import { and, lanesOf, maskOf, opNamed, or, readVector, shuffle, writeVector, xor } from './vector'

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
    const name = `${formatOf(bytes).floatLanes}.${op === OP_MIN ? 'pmin' : 'pmax'}`
    const result = m.floatOperation({
      op,
      bytes,
      operands: [a, b],
      plain: false,
      fast: ([first, second]) => opNamed(m, name, [second!, first!]),
      special: () => unclean(m, bytes, a, b),
      exact: exactPacked(m, bytes, op),
    })
    writeVector(m, 0, result)
  }
const scalarMinMax =
  (bytes: FloatBytes, op: number): Semantics =>
  (m) => {
    const b = m.read(1)
    const a = m.read(0)
    const name = `${formatOf(bytes).float}.${op === OP_MIN ? 'lt' : 'gt'}`
    const result = m.floatOperation({
      op,
      bytes,
      operands: [asFloat(m, bytes, a), asFloat(m, bytes, b)],
      plain: false,
      fast: (operands) => m.select(opNamed(m, name, operands), operands[0]!, operands[1]!),
      special: () => comparison(m, bytes, a, b).special(),
      exact: exactScalar(m, bytes, op),
    })
    m.write(0, asBits(m, bytes, result))
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
    const { equal, less, special } = comparison(m, bytes, a, b)
    const result = m.floatOperation({
      op: OP_COMPARE,
      bytes,
      operands: [asFloat(m, bytes, a), asFloat(m, bytes, b)],
      plain: false,
      fast: () => {
        const holds = cleanPredicate(m, predicate, equal, less)
        return m.neg(bytes === 8 ? m.zext(holds) : holds)
      },
      special,
      exact: { ...exactScalar(m, bytes, m.add(predicate, m.i32(OP_COMPARE))), result: (bits) => bits },
    })
    m.write(0, result)
  }
const packedCompare =
  (bytes: FloatBytes): Semantics =>
  (m) => {
    const b = readVector(m, 1)
    const a = readVector(m, 0)
    const predicate = m.and(m.wrap(m.read(2)), m.i32(7))
    const one = m.i32(1)
    // EQ LT LE UNORD: "equal" counts in 0 and 2, "less" in 1 and 2
    const counts = { equal: m.xor(m.and(predicate, one), one), less: m.and(m.xor(predicate, m.shrU(predicate, one)), one) }
    const fast = (operands: readonly Value[]): Value => {
      const lanes = (name: string): Value => opNamed(m, `${formatOf(bytes).floatLanes}.${name}`, operands)
      const base = or(m, and(m, lanes('eq'), maskOf(m, counts.equal)), and(m, lanes('lt'), maskOf(m, counts.less)))
      return xor(m, base, maskOf(m, m.shrU(predicate, m.i32(2))))
    }
    const special = (): Value => unclean(m, bytes, a, b)
    const exact = exactPacked(m, bytes, m.add(predicate, m.i32(OP_COMPARE)))
    writeVector(m, 0, m.floatOperation({ op: OP_COMPARE, bytes, operands: [a, b], plain: false, fast, special, exact }))
  }

/** COMISx and UCOMISx: ZF PF CF = 111 unordered, 000 greater, 001 less, 100 equal; OF SF AF = 0. */
const compareToFlags =
  (bytes: FloatBytes, signaling: boolean): Semantics =>
  (m) => {
    const b = m.read(1)
    const a = m.read(0)
    const { equal, less, special } = comparison(m, bytes, a, b)
    const [zf, cf, pf] = [m.variable(equal), m.variable(less), m.variable(m.i32(0))]
    const operands = [asFloat(m, bytes, a), asFloat(m, bytes, b)]
    m.floatComparison(bytes, operands, special, (again) => {
      const flags = exactly(m, bytes === 8 ? 'sseCompareF64' : 'sseCompareF32', m.i32(signaling ? 1 : 0), ...again.map((operand) => asBits(m, bytes, operand)))
      m.set(zf, m.and(m.shrU(flags, m.i32(6)), m.i32(1)))
      m.set(cf, m.and(flags, m.i32(1)))
      m.set(pf, m.and(m.shrU(flags, m.i32(2)), m.i32(1)))
    })
    const zero = m.i32(0)
    m.setFlags({ zf: m.get(zf), cf: m.get(cf), pf: m.get(pf), sf: zero, of: zero, af: zero })
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
    writeVector(m, 0, exactly(m, name, readVector(m, 0), b, m.wrap(m.read(2))))
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
    writeVector(m, 0, exactly(m, name, readVector(m, 1), m.wrap(m.read(2))))
  }
/** Immediate: bits 1:0 the mode, bit 2 = MXCSR's instead, which is to nearest when MXCSR is plain. Zero and denormal values (DAZ) are left to the helper. */
const scalarRound =
  (bytes: FloatBytes): Semantics =>
  (m) => {
    const bits = m.read(1)
    const immediate = m.wrap(m.read(2))
    const { float, exponentEnd, exponentUnit } = formatOf(bytes)
    const value = asFloat(m, bytes, bits)
    const rounded = (name: string): Value => opNamed(m, `${float}.${name}`, [value])
    const mode = m.select(m.and(immediate, m.i32(4)), m.i32(0), m.and(immediate, m.i32(3)))
    const is = (n: number): Value => m.eq(mode, m.i32(n))
    const fast = m.select(is(0), rounded('nearest'), m.select(is(1), rounded('floor'), m.select(is(2), rounded('ceil'), rounded('trunc'))))
    const special = outsideExponents(m, bytes, bits, 1, exponentEnd / exponentUnit)
    const exact = (): Value => asFloat(m, bytes, exactly(m, bytes === 8 ? 'sseRoundF64' : 'sseRoundF32', bits, immediate))
    m.write(0, asBits(m, bytes, fastWhenPlain(m, special, fast, exact)))
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
  roundss: scalarRound(4),
  roundsd: scalarRound(8),
}
