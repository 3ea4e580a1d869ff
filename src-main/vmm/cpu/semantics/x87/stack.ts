/**
 * The register stack, for what needs no arithmetic: loads, copies, exchanges, signs. What is said here holds while the stack is as the instruction
 * expects (registers full or empty); otherwise, and for values that raise an exception, the helpers do it.
 */
import { FPU_TAGS, FPU_TOP } from '../../layout'
import type { Emitter, Value } from '../emitter'
import type { Extended } from '../x87-stack'

const SIGN = 0x8000
const TOP_BIT = 1n << 63n

/** Pops after a helper, whatever the stack is. */
export const pop = (m: Emitter): void => {
  const top = m.loadState('i32', FPU_TOP)
  m.storeState(FPU_TAGS, m.and(m.loadState('i32', FPU_TAGS), m.not(m.shl(m.i32(1), top))))
  m.storeState(FPU_TOP, m.and(m.add(top, m.i32(1)), m.i32(7)))
}

/** Pushes a value when the stack has room and `fits` (lowest bit) is 1. */
const push = (m: Emitter, fits: Value, value: () => Extended, otherwise: () => void): void => {
  m.x87.either(
    m.and(m.and(m.x87.hasRoom(), fits), m.i32(1)),
    () => {
      m.x87.push(value())
      m.x87.clearC1()
    },
    otherwise,
  )
}

export const loadConstant = (m: Emitter, sig: bigint, se: number, otherwise: () => void): void => {
  push(m, m.i32(1), () => ({ sig: m.i64(sig), se: m.i32(se) }), otherwise)
}

export const loadRegister = (m: Emitter, i: Value, otherwise: () => void): void => {
  push(m, m.x87.isFull(i), () => m.x87.read(i), otherwise)
}

/** What the bits of an f64 (i64) or an f32 (i32) stand for, if they are a normal number: then `fits` is 1. */
export const expand = (m: Emitter, bits: Value): Extended & { readonly fits: Value } => {
  const double = bits.type === 'i64'
  const upper = double ? m.wrap(m.shrU(bits, m.i32(32))) : bits
  // in units of the exponent's lowest bit, without the sign
  const unit = double ? 0x200000 : 0x1000000
  const exponent = double ? m.and(m.shrU(upper, m.i32(20)), m.i32(0x7ff)) : m.and(m.shrU(upper, m.i32(23)), m.i32(0xff))
  return {
    fits: m.ltU(m.sub(m.shl(upper, m.i32(1)), m.i32(unit)), m.i32(0 - 2 * unit)),
    sig: m.or(m.shl(m.zext(bits), m.i32(double ? 11 : 40)), m.i64(TOP_BIT)),
    se: m.or(m.and(m.shrU(upper, m.i32(16)), m.i32(SIGN)), m.add(exponent, m.i32(16383 - (double ? 1023 : 127)))),
  }
}

/** Pushes a normal number that was in memory. */
export const loadNormal = (m: Emitter, bits: Value, otherwise: () => void): void => {
  const value = expand(m, bits)
  push(m, value.fits, () => value, otherwise)
}

export const storeRegister = (m: Emitter, i: Value, pops: boolean, otherwise: () => void): void => {
  const { x87 } = m
  const top = m.i32(0)
  x87.either(
    m.and(x87.isFull(top), m.i32(1)),
    () => {
      x87.fill(i, x87.read(top))
      if (pops) x87.pop()
      x87.clearC1()
    },
    otherwise,
  )
}

export const exchange = (m: Emitter, i: Value, otherwise: () => void): void => {
  const { x87 } = m
  const top = m.i32(0)
  x87.either(
    m.and(m.and(x87.isFull(top), x87.isFull(i)), m.i32(1)),
    () => {
      const [a, b] = [x87.read(top), x87.read(i)]
      x87.write(top, b)
      x87.write(i, a)
      x87.clearC1()
    },
    otherwise,
  )
}

/** FABS (clears the sign) or FCHS. */
export const changeSign = (m: Emitter, clear: boolean, otherwise: () => void): void => {
  const { x87 } = m
  const top = m.i32(0)
  x87.either(
    m.and(x87.isFull(top), m.i32(1)),
    () => {
      const { sig, se } = x87.read(top)
      x87.write(top, { sig, se: clear ? m.and(se, m.i32(0x7fff)) : m.xor(se, m.i32(SIGN)) })
      x87.clearC1()
    },
    otherwise,
  )
}
