/**
 * The register stack, for what needs no arithmetic: loads, copies, exchanges, signs. What is said here holds while the stack is as the instruction
 * expects (registers full or empty); otherwise, and for values that raise an exception, the helpers do it.
 */
import { FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP } from '../../layout'
import type { Emitter, Value } from '../emitter'

const SW_C1 = 0x200
const SIGN = 0x8000
const SIGNIFICAND = FPU_REGS
const SIGN_EXPONENT = FPU_REGS + 8
/** log2 of FPU_REG_BYTES. */
const REGISTER_SHIFT = 4
const TOP_BIT = 1n << 63n

/** TOP and the bitmap of registers in use. */
export interface Stack {
  readonly top: Value
  readonly tags: Value
}
export const stackOf = (m: Emitter): Stack => ({ top: m.loadState('i32', FPU_TOP), tags: m.loadState('i32', FPU_TAGS) })
/** Number (i32) of the physical register that ST(i) is. */
export const physical = (m: Emitter, { top }: Stack, i: Value): Value => m.and(m.add(top, i), m.i32(7))
/** Lowest bit: the register is in use. */
export const inUse = (m: Emitter, { tags }: Stack, register: Value): Value => m.shrU(tags, register)

export interface Extended {
  readonly sig: Value
  readonly se: Value
}
export const read = (m: Emitter, register: Value): Extended => {
  const place = m.shl(register, m.i32(REGISTER_SHIFT))
  return { sig: m.loadStateAt('i64', place, SIGNIFICAND), se: m.loadStateAt('i32', place, SIGN_EXPONENT) }
}
export const write = (m: Emitter, register: Value, { sig, se }: Extended): void => {
  const place = m.shl(register, m.i32(REGISTER_SHIFT))
  m.storeStateAt(place, SIGNIFICAND, sig)
  m.storeStateAt(place, SIGN_EXPONENT, se)
}
const clearC1 = (m: Emitter): void => {
  m.storeState(FPU_SW, m.and(m.loadState('i32', FPU_SW), m.i32(~SW_C1)))
}
const bitOf = (m: Emitter, register: Value): Value => m.shl(m.i32(1), register)

/** Pops from what `tags` has become. */
export const popFrom = (m: Emitter, { top, tags }: Stack): void => {
  m.storeState(FPU_TAGS, m.and(tags, m.not(bitOf(m, top))))
  m.storeState(FPU_TOP, m.and(m.add(top, m.i32(1)), m.i32(7)))
}
export const pop = (m: Emitter): void => {
  popFrom(m, stackOf(m))
}

/** Pushes a value when the stack has room and `fits` (lowest bit) is 1. */
const push = (m: Emitter, stack: Stack, fits: Value, value: () => Extended, otherwise: () => void): void => {
  const register = physical(m, stack, m.i32(-1))
  m.if(
    m.and(m.and(m.not(inUse(m, stack, register)), fits), m.i32(1)),
    () => {
      write(m, register, value())
      m.storeState(FPU_TAGS, m.or(stack.tags, bitOf(m, register)))
      m.storeState(FPU_TOP, register)
      clearC1(m)
    },
    otherwise,
  )
}

export const loadConstant = (m: Emitter, sig: bigint, se: number, otherwise: () => void): void => {
  push(m, stackOf(m), m.i32(1), () => ({ sig: m.i64(sig), se: m.i32(se) }), otherwise)
}

export const loadRegister = (m: Emitter, i: Value, otherwise: () => void): void => {
  const stack = stackOf(m)
  const source = physical(m, stack, i)
  push(m, stack, inUse(m, stack, source), () => read(m, source), otherwise)
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
  push(m, stackOf(m), value.fits, () => value, otherwise)
}

export const storeRegister = (m: Emitter, i: Value, pops: boolean, otherwise: () => void): void => {
  const stack = stackOf(m)
  const { top } = stack
  m.if(
    m.and(inUse(m, stack, top), m.i32(1)),
    () => {
      const target = physical(m, stack, i)
      write(m, target, read(m, top))
      const tags = m.or(stack.tags, bitOf(m, target))
      if (pops) popFrom(m, { top, tags })
      else m.storeState(FPU_TAGS, tags)
      clearC1(m)
    },
    otherwise,
  )
}

export const exchange = (m: Emitter, i: Value, otherwise: () => void): void => {
  const stack = stackOf(m)
  const first = stack.top
  const second = physical(m, stack, i)
  m.if(
    m.and(m.and(inUse(m, stack, first), inUse(m, stack, second)), m.i32(1)),
    () => {
      const [a, b] = [read(m, first), read(m, second)]
      write(m, first, b)
      write(m, second, a)
      clearC1(m)
    },
    otherwise,
  )
}

/** FABS (clears the sign) or FCHS. */
export const changeSign = (m: Emitter, clear: boolean, otherwise: () => void): void => {
  const stack = stackOf(m)
  const { top } = stack
  m.if(
    m.and(inUse(m, stack, top), m.i32(1)),
    () => {
      const place = m.shl(top, m.i32(REGISTER_SHIFT))
      const se = m.loadStateAt('i32', place, SIGN_EXPONENT)
      m.storeStateAt(place, SIGN_EXPONENT, clear ? m.and(se, m.i32(0x7fff)) : m.xor(se, m.i32(SIGN)))
      clearC1(m)
    },
    otherwise,
  )
}
