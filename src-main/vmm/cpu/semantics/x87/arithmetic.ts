/**
 * Sums, differences and products of ordinary numbers, in 80 bits: rounding to nearest with 64 bits of precision, PE masked, normal operands so
 * far from the ends of the range that no result overflows or is tiny. They raise PE only. Everything else is done by the helpers (core/fpu).
 */
import { highOfUnsignedProduct } from '../../emit/wide-product'
import { X87_ADD, X87_DIV, X87_MUL, X87_SUBR } from '../../helpers/fpu-codes'
import type { Emitter, Value } from '../emitter'
import type { Extended } from '../x87-stack'

const SW_C1 = 0x200
const SIGN = 0x8000
const EXPONENT = 0x7fff
const BIAS = 16383
/** Exponents of ordinary operands. */
const FIRST = 0x2040
const COUNT = 0x3f80
/** A smaller addend that begins further below may lie in more than 128 bits. */
const NEAR = 63
const TOP_BIT = 1n << 63n

const exponentOf = (m: Emitter, { se }: Extended): Value => m.and(se, m.i32(EXPONENT))
/** i32. */
const isOrdinary = (m: Emitter, value: Extended): Value =>
  m.and(m.ltU(m.sub(exponentOf(m, value), m.i32(FIRST)), m.i32(COUNT)), m.ltS(value.sig, m.i64(0)))

/** The result before rounding: 128 bits with the topmost set, unless `fits` (i32) is 0. */
interface Unrounded {
  readonly fits: Value | undefined
  /** In its place. */
  readonly sign: Value
  readonly exponent: Value
  readonly high: Value
  readonly low: Value
}

/** `high` and `low` shifted to the left by n < 64 (i64). */
const shifted = (m: Emitter, high: Value, low: Value, n: Value): Pick<Unrounded, 'high' | 'low'> => ({
  high: m.or(m.shl(high, n), m.shrU(m.shrU(low, m.i64(1)), m.sub(m.i64(63), n))),
  low: m.shl(low, n),
})

const product = (m: Emitter, a: Extended, b: Extended): Unrounded => {
  const high = highOfUnsignedProduct(m, a.sig, b.sig)
  const low = m.mul(a.sig, b.sig)
  // of two factors from 1 to 2
  const below2 = m.xor(m.shrU(high, m.i64(63)), m.i64(1))
  const exponent = m.sub(m.sub(m.add(exponentOf(m, a), exponentOf(m, b)), m.i32(BIAS - 1)), m.wrap(below2))
  return {
    fits: undefined,
    sign: m.and(m.xor(a.se, b.se), m.i32(SIGN)),
    exponent,
    high: m.or(m.shl(high, below2), m.and(m.shrU(low, m.i64(63)), below2)),
    low: m.shl(low, below2),
  }
}

const sum = (m: Emitter, a: Extended, b: Extended, subtracts: boolean): Unrounded => {
  const [ea, eb] = [exponentOf(m, a), exponentOf(m, b)]
  const bSign = subtracts ? m.xor(b.se, m.i32(SIGN)) : b.se
  const swapped = m.or(m.ltU(ea, eb), m.and(m.eq(ea, eb), m.ltU(a.sig, b.sig)))
  const larger = m.select(swapped, b.sig, a.sig)
  const smaller = m.select(swapped, a.sig, b.sig)
  const exponent = m.select(swapped, eb, ea)
  const distance = m.sub(exponent, m.select(swapped, ea, eb))
  const places = m.zext(distance)
  // by two's complement
  const minus = m.neg(m.zext(m.and(m.shrU(m.xor(a.se, bSign), m.i32(15)), m.i32(1))))
  // one bit to the right, so that a carry has room
  const far = m.sub(m.xor(m.shl(smaller, m.sub(m.i64(NEAR), places)), minus), minus)
  const carry = m.and(m.zext(m.eqz(far)), m.and(minus, m.i64(1)))
  const near = m.add(m.xor(m.shrU(m.shrU(smaller, m.i64(1)), places), minus), carry)
  const low = m.add(m.shl(larger, m.i64(63)), far)
  const high = m.add(m.add(m.shrU(larger, m.i64(1)), near), m.zext(m.ltU(low, far)))
  const n = m.clz(high)
  return {
    // nothing left of the upper half: the helper looks further
    fits: m.and(m.ltU(distance, m.i32(NEAR)), m.ne(high, m.i64(0))),
    sign: m.and(m.select(swapped, bSign, a.se), m.i32(SIGN)),
    exponent: m.sub(m.add(exponent, m.i32(1)), m.wrap(n)),
    ...shifted(m, high, low, n),
  }
}

/** Rounds to the even one of the two nearest, and says how. */
const round = (m: Emitter, { sign, exponent, high, low }: Unrounded): Extended => {
  // a half less one, and one more for an odd number: it carries when there is more than the half, or that and oddness
  const half = m.add(m.i64(TOP_BIT - 1n), m.and(high, m.i64(1)))
  const up = m.ltU(m.add(low, half), low)
  const inexact = m.ne(low, m.i64(0))
  const kept = m.and(m.x87.status(), m.i32(~SW_C1))
  m.x87.setStatus(m.or(m.or(kept, m.shl(inexact, m.i32(5))), m.shl(up, m.i32(9))))
  const rounded = m.add(high, m.zext(up))
  const carried = m.eqz(rounded)
  return { sig: m.or(rounded, m.shl(m.zext(carried), m.i64(63))), se: m.or(sign, m.add(exponent, carried)) }
}

/** The other operand: a register of the stack (its ST number), or what was in memory, with what says (lowest bit) that it is ordinary. */
export type Source = { readonly register: Value } | (Extended & { readonly fits: Value })

/** ST(dst) op source; `otherwise` does all of it. */
export const arithmeticOn = (m: Emitter, op: number, dst: Value, source: Source, pops: boolean, otherwise: () => void): void => {
  const { x87 } = m
  if (op >= X87_DIV) {
    x87.exactly({ full: 'register' in source ? [dst, source.register] : [dst], writes: [dst], pops: pops ? 1 : 0 }, otherwise)
    return
  }
  const present = 'register' in source ? m.and(x87.isFull(dst), x87.isFull(source.register)) : x87.isFull(dst)
  const old = x87.read(dst)
  const given = 'register' in source ? x87.read(source.register) : source
  const givenFits = 'register' in source ? isOrdinary(m, given) : source.fits
  const [a, b] = op === X87_SUBR ? [given, old] : [old, given]
  const result = op === X87_MUL ? product(m, a, b) : sum(m, a, b, op !== X87_ADD)
  const ordinary = m.and(m.and(m.and(present, isOrdinary(m, old)), givenFits), m.eqz(m.invariant('x87-special')))
  x87.either(
    result.fits === undefined ? ordinary : m.and(ordinary, result.fits),
    () => {
      x87.write(dst, round(m, result))
      if (pops) x87.pop()
    },
    otherwise,
  )
}
