/**
 * The x87 operations that programs are made of, without the generality of extended.ts: rounding to nearest, operands that are normal (or zero) and far
 * from overflow and underflow, register stack as it should be. Each function either does the whole operation, status word included, or returns false
 * and has done nothing. What they may raise is PE only.
 */
import { X87_ADD, X87_DIV, X87_DIVR, X87_MUL, X87_SUBR } from '../../helpers/fpu-codes'
import { FPU_CW, FPU_REG_BYTES, FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP, SCRATCH } from './constants'
import { updateErrorSummary } from './state'
import { sqrtUnpacked, TOP_BIT, zExp, zHi, zLo } from './unpacked'

const PE: u32 = 0x20
const C0: u32 = 0x100
const C1: u32 = 0x200
const C3: u32 = 0x4000
const CONDITION_CODES: u32 = 0x4700
const ROUNDING: u32 = 0xc00
const TOWARD_ZERO: u32 = 0xc00
/** Exponents from which no product, quotient, sum or difference overflows or is tiny. */
const FIRST: u32 = 0x2040
const COUNT: u32 = 0x3f80

// ---- the stack ----

@inline
function bitOf(vcpu: usize, i: i32): u32 {
  return 1 << ((load<u32>(vcpu + FPU_TOP) + i) & 7)
}
@inline
export function isFull(vcpu: usize, i: i32): bool {
  return (load<u32>(vcpu + FPU_TAGS) & bitOf(vcpu, i)) != 0
}
@inline
export function registerOf(vcpu: usize, i: i32): usize {
  return vcpu + FPU_REGS + ((load<u32>(vcpu + FPU_TOP) + i) & 7) * FPU_REG_BYTES
}
@inline
export function popQuick(vcpu: usize): void {
  const top = load<u32>(vcpu + FPU_TOP)
  store<u32>(vcpu + FPU_TAGS, load<u32>(vcpu + FPU_TAGS) & ~(1 << top))
  store<u32>(vcpu + FPU_TOP, (top + 1) & 7)
}
@inline
function clearC1(vcpu: usize): void {
  store<u32>(vcpu + FPU_SW, load<u32>(vcpu + FPU_SW) & ~C1)
}

/** Pushes a value that raises nothing; false: the stack is full. */
@inline
export function pushQuick(vcpu: usize, sig: u64, se: u32): bool {
  const top = (load<u32>(vcpu + FPU_TOP) - 1) & 7
  const tags = load<u32>(vcpu + FPU_TAGS)
  const bit: u32 = 1 << top
  if (tags & bit) return false
  const register = vcpu + FPU_REGS + top * FPU_REG_BYTES
  store<u64>(register, sig)
  store<u32>(register + 8, se)
  store<u32>(vcpu + FPU_TAGS, tags | bit)
  store<u32>(vcpu + FPU_TOP, top)
  clearC1(vcpu)
  return true
}

/** C1 and PE of a rounded result: both 0 or 1. Which it is depends on chance, so there are no branches on it, here and where it is found. */
@inline
function report(vcpu: usize, control: u32, inexact: u32, up: u32): void {
  store<u32>(vcpu + FPU_SW, (load<u32>(vcpu + FPU_SW) & ~C1) | (inexact << 5) | (up << 9))
  if (!(control & PE)) updateErrorSummary(vcpu)
}

// ---- arithmetic ----

/** Rounds to the precision of PC (its reserved value counts as 64 bits) and writes the register at `to`. */
@inline
function round(vcpu: usize, control: u32, to: usize, sign: u32, exponent: i32, high: u64, low: u64): void {
  let inexact = u32(low != 0)
  let up: u64
  if (control & 0x100) {
    up = u64(low > TOP_BIT) | (u64(low == TOP_BIT) & high & 1)
    high += up
  } else {
    const shift: u64 = control & 0x200 ? 11 : 40
    const dropped = high & (((<u64>1) << shift) - 1)
    const half = (<u64>1) << (shift - 1)
    up = u64(dropped > half) | (u64(dropped == half) & (u64(low != 0) | (high >> shift)) & 1)
    inexact |= u32(dropped != 0)
    high += (up << shift) - dropped
  }
  if (high == 0) {
    high = TOP_BIT
    exponent++
  }
  store<u64>(to, high)
  store<u32>(to + 8, sign | exponent)
  report(vcpu, control, inexact, <u32>up)
}

/** A 32-bit digit of (high * 2^32 + next) / (dh:dl), high < dh:dl, as in Knuth's algorithm D. */
@inline
function digit(high: u64, next: u64, dh: u64, dl: u64): u64 {
  let q = high / dh
  let r = high - q * dh
  while (q > 0xffffffff || q * dl > ((r << 32) | next)) {
    q--
    r += dh
    if (r > 0xffffffff) break
  }
  return q
}

/** The register at `to` op b. */
export function quickArithmetic(vcpu: usize, op: i32, to: usize, bSig: u64, bSe: u32): bool {
  const control = load<u32>(vcpu + FPU_CW)
  if (control & ROUNDING) return false
  let aSig = load<u64>(to)
  let aSe = <u32>load<u16>(to + 8)
  if (op == X87_SUBR || op == X87_DIVR) {
    const sig = aSig
    aSig = bSig
    bSig = sig
    const se = aSe
    aSe = bSe
    bSe = se
  }
  const ea = <i32>(aSe & 0x7fff)
  const eb = <i32>(bSe & 0x7fff)
  const aOrdinary = <u32>ea - FIRST < COUNT && aSig >> 63 != 0
  const bOrdinary = <u32>eb - FIRST < COUNT && bSig >> 63 != 0
  let sign = aSe & 0x8000
  let exponent = ea
  // the result before rounding; the lowest bit of `low` is sticky
  let high: u64
  let low: u64 = 0
  if (!(aOrdinary && bOrdinary)) {
    const aZero = (aSig | ea) == 0
    const bZero = (bSig | eb) == 0
    if (!(aOrdinary || aZero) || !(bOrdinary || bZero)) return false
    if (op >= X87_DIV) {
      if (bZero) return false
    } else if (op != X87_MUL && aZero && bZero) return false
    if (op == X87_MUL || op >= X87_DIV) {
      store<u64>(to, 0)
      store<u32>(to + 8, sign ^ (bSe & 0x8000))
      clearC1(vcpu)
      return true
    }
    if (aZero) {
      high = bSig
      exponent = eb
      sign = op == X87_ADD ? bSe & 0x8000 : ~bSe & 0x8000
    } else high = aSig
  } else if (op == X87_MUL) {
    sign ^= bSe & 0x8000
    const al = aSig & 0xffffffff
    const ah = aSig >> 32
    const bl = bSig & 0xffffffff
    const bh = bSig >> 32
    const ll = al * bl
    const m1 = ah * bl + (ll >> 32)
    const m2 = al * bh + (m1 & 0xffffffff)
    low = (m2 << 32) | (ll & 0xffffffff)
    high = ah * bh + (m1 >> 32) + (m2 >> 32)
    const n = clz(high)
    high = (high << n) | ((low >> 1) >> (63 - n))
    low <<= n
    exponent = ea + eb - 16382 - <i32>n
  } else if (op >= X87_DIV) {
    sign ^= bSe & 0x8000
    const carry = u64(aSig >= bSig)
    const remainder = aSig >> carry
    const next = (aSig << 63) & (0 - carry)
    exponent = ea - eb + 16382 + <i32>carry
    // Knuth's algorithm D with two 32-bit digits (remainder < divisor, whose top bit is set)
    const dh = bSig >> 32
    const dl = bSig & 0xffffffff
    const q1 = digit(remainder, next >> 32, dh, dl)
    const rest = ((remainder << 32) | (next >> 32)) - q1 * bSig
    const q0 = digit(rest, 0, dh, dl)
    const left = (rest << 32) - q0 * bSig
    high = (q1 << 32) + q0
    // in the lower half: above, at (with the sticky bit clear) or below the middle
    const missing = bSig - left
    low = (u64(left >= missing) << 63) | u64(left != missing && left != 0)
  } else {
    const differ = (aSe ^ bSe ^ (op == X87_ADD ? 0 : 0x8000)) & 0x8000
    const swapped = ea < eb || (ea == eb && aSig < bSig)
    const larger = select<u64>(bSig, aSig, swapped)
    const smaller = select<u64>(aSig, bSig, swapped)
    exponent = select<i32>(eb, ea, swapped)
    const distance = select<i32>(eb - ea, ea - eb, swapped)
    sign ^= swapped ? differ : 0
    // one bit to the right, so that a carry has room
    high = larger >> 1
    low = larger << 63
    let addHigh: u64 = 0
    let addLow: u64
    if (distance < 63) {
      addHigh = (smaller >> 1) >> distance
      addLow = smaller << (63 - distance)
    } else if (distance < 127) addLow = (smaller >> (distance - 63)) | u64(smaller << 1 << (126 - distance) != 0)
    else addLow = 1
    // plus, or minus by two's complement
    const minus = 0 - (<u64>differ >> 15)
    addLow = (addLow ^ minus) - minus
    addHigh = (addHigh ^ minus) + (u64(addLow == 0) & minus & 1)
    low += addLow
    high += addHigh + u64(low < addLow)
    if (high == 0) {
      if (low == 0) {
        store<u64>(to, 0)
        store<u32>(to + 8, 0)
        clearC1(vcpu)
        return true
      }
      high = low
      low = 0
      exponent -= 64
    }
    const n = clz(high)
    high = (high << n) | ((low >> 1) >> (63 - n))
    low <<= n
    exponent += 1 - <i32>n
  }
  round(vcpu, control, to, sign, exponent, high, low)
  return true
}

/** The register at `to` becomes its square root. */
export function quickSquareRoot(vcpu: usize, to: usize): bool {
  const control = load<u32>(vcpu + FPU_CW)
  const sig = load<u64>(to)
  const se = <u32>load<u16>(to + 8)
  // positive and normal
  if (control & ROUNDING || se - 1 >= 0x7ffe || sig >> 63 == 0) return false
  sqrtUnpacked(<i32>se - 16383, sig)
  round(vcpu, control, to, 0, zExp + 16383, zHi, zLo)
  return true
}

// ---- comparison ----

@inline
function isComparable(sig: u64, exponent: u32): bool {
  return sig >> 63 ? exponent - 1 < 0x7ffe : (sig | exponent) == 0
}

/** C3 and C0 of a compared with b, both normal or zero; else -1. */
export function quickOrder(aSig: u64, aSe: u32, bSig: u64, bSe: u32): i32 {
  const ea = aSe & 0x7fff
  const eb = bSe & 0x7fff
  if (!isComparable(aSig, ea) || !isComparable(bSig, eb)) return -1
  if (ea == eb && aSig == bSig) {
    if (aSe == bSe || aSig == 0) return C3
    return aSe & 0x8000 ? C0 : 0
  }
  if ((aSe ^ bSe) & 0x8000) return aSe & 0x8000 ? C0 : 0
  const less = ea < eb || (ea == eb && aSig < bSig)
  return less != ((aSe & 0x8000) != 0) ? C0 : 0
}

@inline
export function reportOrder(vcpu: usize, codes: i32, pops: i32): void {
  store<u32>(vcpu + FPU_SW, (load<u32>(vcpu + FPU_SW) & ~CONDITION_CODES) | codes)
  for (; pops > 0; pops--) popQuick(vcpu)
}

// ---- loads and stores ----

export function quickLoadF64(vcpu: usize, bits: u64): bool {
  const exponent = <u32>(bits >> 52) & 0x7ff
  const sign = <u32>(bits >> 48) & 0x8000
  if (exponent - 1 < 0x7fe) return pushQuick(vcpu, (bits << 11) | TOP_BIT, sign | (exponent + 15360))
  return bits << 1 == 0 && pushQuick(vcpu, 0, sign)
}
export function quickLoadF32(vcpu: usize, bits: u32): bool {
  const exponent = (bits >> 23) & 0xff
  const sign = (bits >> 16) & 0x8000
  if (exponent - 1 < 0xfe) return pushQuick(vcpu, ((<u64>bits) << 40) | TOP_BIT, sign | (exponent + 16256))
  return bits << 1 == 0 && pushQuick(vcpu, 0, sign)
}

/** ST(0) rounded to f64 or f32; the value is left in storedValue, SCRATCH says that it may be written. */
export let storedValue: u64 = 0

export function quickStore(vcpu: usize, isDouble: bool): bool {
  const control = load<u32>(vcpu + FPU_CW)
  if (control & ROUNDING || !isFull(vcpu, 0)) return false
  const register = registerOf(vcpu, 0)
  const sig = load<u64>(register)
  const se = <u32>load<u16>(register + 8)
  const sign = <u64>(se >> 15) << (isDouble ? 63 : 31)
  const exponent = (se & 0x7fff) - (isDouble ? 15360 : 16256)
  let inexact: u32 = 0
  let up: u64 = 0
  if (exponent - 1 < <u32>(isDouble ? 0x7fd : 0xfd) && sig >> 63) {
    const drop: u64 = isDouble ? 11 : 40
    const kept = sig >> drop
    const dropped = sig & (((<u64>1) << drop) - 1)
    const half: u64 = (<u64>1) << (drop - 1)
    inexact = u32(dropped != 0)
    up = u64(dropped > half) | (u64(dropped == half) & kept & 1)
    // the integer bit adds 1 to the exponent, as does a carry out of rounding
    storedValue = sign | (((<u64>(exponent - 1)) << (63 - drop)) + kept + up)
  } else {
    if (sig | (se & 0x7fff)) return false
    storedValue = sign
  }
  store<i32>(vcpu + SCRATCH, 1)
  report(vcpu, control, inexact, <u32>up)
  return true
}

/** ST(0) as an integer of `bytes`, rounded to nearest or, when asked for, towards zero. */
export function quickStoreInt(vcpu: usize, bytes: i32, truncate: bool): bool {
  const control = load<u32>(vcpu + FPU_CW)
  const rounding = truncate ? TOWARD_ZERO : control & ROUNDING
  if ((rounding && rounding != TOWARD_ZERO) || !isFull(vcpu, 0)) return false
  const register = registerOf(vcpu, 0)
  const sig = load<u64>(register)
  const se = <u32>load<u16>(register + 8)
  const exponent = se & 0x7fff
  let magnitude: u64 = 0
  let inexact: u32 = 0
  let up: u64 = 0
  // below 2^(bits - 2): rounding does not leave the range
  if (exponent - 16383 < <u32>(bytes * 8 - 2) && sig >> 63) {
    const kept = <u64>(exponent - 16382)
    magnitude = sig >> (64 - kept)
    const dropped = sig << kept
    inexact = u32(dropped != 0)
    if (rounding == 0) up = u64(dropped > TOP_BIT) | (u64(dropped == TOP_BIT) & magnitude & 1)
    magnitude += up
  } else if (sig | exponent) return false
  storedValue = se & 0x8000 ? 0 - magnitude : magnitude
  store<i32>(vcpu + SCRATCH, 1)
  report(vcpu, control, inexact, <u32>up)
  return true
}
