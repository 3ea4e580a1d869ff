/**
 * IEEE f32 and f64 as SSE computes them: MXCSR rounding, FZ and DAZ, sticky flags, x86's choice of NaN. f32 values are in the low half of a u64.
 * Intel SDM volume 1, sections 4.8, 4.9, 11.5; AMD APM volume 1, section 4.10.
 *
 * `control` is MXCSR throughout. Flags raised by an operation collect in `flags`; the helper that called decides what becomes of them.
 */
import { OP_DIV, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import {
  addUnpacked,
  CLASS_FINITE,
  CLASS_INFINITE,
  CLASS_QNAN,
  CLASS_SNAN,
  CLASS_ZERO,
  DE,
  divUnpacked,
  IE,
  mulUnpacked,
  OE,
  PE,
  ROUND_DOWN,
  ROUND_NEAREST,
  ROUND_UP,
  ROUND_ZERO,
  roundAt,
  roundedInexact,
  setResult,
  sqrtUnpacked,
  UE,
  ZE,
  zExp,
  zHi,
  zLo,
  zSign,
} from './unpacked'

export const MXCSR_DAZ: u32 = 0x40
export const MXCSR_MASK_SHIFT: u32 = 7
export const MXCSR_RC_SHIFT: u32 = 13
export const MXCSR_FZ: u32 = 0x8000

export let flags: u32 = 0
export function clearFlags(): void {
  flags = 0
}
export function raiseFlags(which: u32): void {
  flags |= which
}

// the operand unpacked last
export let uSign: u32 = 0
export let uExp: i32 = 0
export let uSig: u64 = 0
export let uClass: u32 = 0
export let uDenormal: bool = false

export function unpack(isDouble: bool, bits: u64, control: u32): void {
  uDenormal = false
  let fraction: u64
  let exponent: i32
  if (isDouble) {
    uSign = <u32>(bits >> 63)
    exponent = <i32>((bits >> 52) & 0x7ff)
    fraction = bits << 12
    if (exponent == 0x7ff) exponent = i32.MAX_VALUE
    else uExp = exponent - 1023
  } else {
    uSign = (<u32>(bits >> 31)) & 1
    exponent = <i32>((bits >> 23) & 0xff)
    fraction = bits << 41
    if (exponent == 0xff) exponent = i32.MAX_VALUE
    else uExp = exponent - 127
  }
  if (exponent == i32.MAX_VALUE) {
    uClass = fraction == 0 ? CLASS_INFINITE : fraction >> 63 ? CLASS_QNAN : CLASS_SNAN
  } else if (exponent) {
    uClass = CLASS_FINITE
    uSig = (fraction >> 1) | 0x8000000000000000
  } else if (fraction == 0 || control & MXCSR_DAZ) uClass = CLASS_ZERO
  else {
    uClass = CLASS_FINITE
    uDenormal = true
    const n = <i32>clz(fraction)
    uSig = fraction << n
    uExp -= n
  }
}

export function signBit(isDouble: bool, sign: u32): u64 {
  return (<u64>sign) << (isDouble ? 63 : 31)
}
export function infinity(isDouble: bool, sign: u32): u64 {
  return signBit(isDouble, sign) | (isDouble ? 0x7ff0000000000000 : 0x7f800000)
}
/** The default NaN ("real indefinite") is negative. */
export function defaultNaN(isDouble: bool): u64 {
  return isDouble ? 0xfff8000000000000 : 0xffc00000
}
export function quiet(isDouble: bool, bits: u64): u64 {
  return bits | (isDouble ? 0x0008000000000000 : 0x00400000)
}
export function isNaN64(isDouble: bool, bits: u64): bool {
  return isDouble ? bits << 1 > 0xffe0000000000000 : (<u32>bits) << 1 > 0xff000000
}
function isMasked(control: u32, which: u32): bool {
  return ((control >> MXCSR_MASK_SHIFT) & which) != 0
}

/** Rounds the unpacked result to the format. Tininess is detected after rounding, as on every x86. */
export function pack(isDouble: bool, control: u32): u64 {
  const precision = isDouble ? 53 : 24
  const maximum = isDouble ? 1023 : 127
  const minimum = 1 - maximum
  const mode = (control >> MXCSR_RC_SHIFT) & 3
  const sign = signBit(isDouble, zSign)
  const drop = 64 - precision
  let kept = roundAt(zSign, zHi, zLo, drop, mode)
  const rounded = zExp + <i32>(kept >> precision)
  if (rounded > maximum) {
    flags |= roundedInexact || isMasked(control, OE) ? OE | PE : OE
    const toInfinity = mode == ROUND_NEAREST || mode == (zSign ? ROUND_DOWN : ROUND_UP)
    return infinity(isDouble, zSign) - u64(!toInfinity)
  }
  if (rounded < minimum) {
    if (control & MXCSR_FZ && isMasked(control, UE)) {
      flags |= UE | PE
      return sign
    }
    if (!isMasked(control, UE)) {
      // what the handler would see is the result with unbounded exponent: PE tells about that one
      flags |= roundedInexact ? UE | PE : UE
      return sign
    }
    kept = roundAt(zSign, zHi, zLo, drop + minimum - zExp, mode)
    if (roundedInexact) flags |= PE | UE
    return sign | kept
  }
  if (roundedInexact) flags |= PE
  // adding the significand with its integer bit lets a carry out of rounding move into the exponent
  return sign | (((<u64>(zExp + maximum - 1)) << (precision - 1)) + kept)
}

/** A quotient, product, sum ... `a op b`; sqrt uses b alone. */
export function arithmetic(isDouble: bool, op: i32, a: u64, b: u64, control: u32): u64 {
  unpack(isDouble, a, control)
  const sa = uSign
  const ea = uExp
  const ma = uSig
  const ca = uClass
  const denormalA = uDenormal
  unpack(isDouble, b, control)
  let sb = uSign
  const cb = uClass
  if (op == OP_SQRT) {
    if (cb >= CLASS_QNAN) {
      if (cb == CLASS_SNAN) flags |= IE
      return quiet(isDouble, b)
    }
    if (cb == CLASS_ZERO) return signBit(isDouble, sb)
    if (sb) {
      flags |= IE
      return defaultNaN(isDouble)
    }
    if (cb == CLASS_INFINITE) return b
    if (uDenormal) flags |= DE
    sqrtUnpacked(uExp, uSig)
    return pack(isDouble, control)
  }
  if (ca >= CLASS_QNAN || cb >= CLASS_QNAN) {
    if (ca == CLASS_SNAN || cb == CLASS_SNAN) flags |= IE
    return quiet(isDouble, ca >= CLASS_QNAN ? a : b)
  }
  const denormal = denormalA || uDenormal ? DE : 0
  if (op == OP_MUL) {
    const sign = sa ^ sb
    if (ca == CLASS_INFINITE || cb == CLASS_INFINITE) {
      if (ca == CLASS_ZERO || cb == CLASS_ZERO) {
        flags |= IE
        return defaultNaN(isDouble)
      }
      flags |= denormal
      return infinity(isDouble, sign)
    }
    flags |= denormal
    if (ca == CLASS_ZERO || cb == CLASS_ZERO) return signBit(isDouble, sign)
    mulUnpacked(sa, ea, ma, sb, uExp, uSig)
    return pack(isDouble, control)
  }
  if (op == OP_DIV) {
    const sign = sa ^ sb
    if (ca == cb && ca != CLASS_FINITE) {
      flags |= IE
      return defaultNaN(isDouble)
    }
    if (ca == CLASS_INFINITE) {
      flags |= denormal
      return infinity(isDouble, sign)
    }
    if (cb == CLASS_ZERO) {
      flags |= ZE
      return infinity(isDouble, sign)
    }
    flags |= denormal
    if (ca == CLASS_ZERO || cb == CLASS_INFINITE) return signBit(isDouble, sign)
    divUnpacked(sa, ea, ma, sb, uExp, uSig)
    return pack(isDouble, control)
  }
  if (op == OP_SUB) sb ^= 1
  if (ca == CLASS_INFINITE || cb == CLASS_INFINITE) {
    if (ca == cb && sa != sb) {
      flags |= IE
      return defaultNaN(isDouble)
    }
    flags |= denormal
    return infinity(isDouble, ca == CLASS_INFINITE ? sa : sb)
  }
  flags |= denormal
  const down = u32(((control >> MXCSR_RC_SHIFT) & 3) == ROUND_DOWN)
  if (ca == CLASS_ZERO && cb == CLASS_ZERO) return signBit(isDouble, sa == sb ? sa : down)
  if (ca == CLASS_ZERO) setResult(sb, uExp, uSig, 0)
  else if (cb == CLASS_ZERO) setResult(sa, ea, ma, 0)
  else {
    addUnpacked(sa, ea, ma, sb, uExp, uSig)
    if ((zHi | zLo) == 0) return signBit(isDouble, down)
  }
  return pack(isDouble, control)
}

export const ORDER_LESS: i32 = -1
export const ORDER_EQUAL: i32 = 0
export const ORDER_GREATER: i32 = 1
export const ORDER_UNORDERED: i32 = 2

/** Compares; a QNaN is invalid too when `signaling`. */
export function compare(isDouble: bool, a: u64, b: u64, signaling: bool, control: u32): i32 {
  unpack(isDouble, a, control)
  const sa = uSign
  const ca = uClass
  const denormalA = uDenormal
  unpack(isDouble, b, control)
  if (ca >= CLASS_QNAN || uClass >= CLASS_QNAN) {
    if (signaling || ca == CLASS_SNAN || uClass == CLASS_SNAN) flags |= IE
    return ORDER_UNORDERED
  }
  if (denormalA || uDenormal) flags |= DE
  // as sign and magnitude: with DAZ a denormal counts as zero
  const mask: u64 = isDouble ? 0x7fffffffffffffff : 0x7fffffff
  const x = ca == CLASS_ZERO ? 0 : <i64>(a & mask)
  const y = uClass == CLASS_ZERO ? 0 : <i64>(b & mask)
  const left = sa ? -x : x
  const right = uSign ? -y : y
  return left < right ? ORDER_LESS : left > right ? ORDER_GREATER : ORDER_EQUAL
}

/** MINxx/MAXxx: the second operand when either is a NaN or both are zeros. */
export function minimumMaximum(isDouble: bool, isMax: bool, a: u64, b: u64, control: u32): u64 {
  const order = compare(isDouble, a, b, true, control)
  const first = isMax ? order == ORDER_GREATER : order == ORDER_LESS
  return flushDenormal(isDouble, first ? a : b, control)
}

/** What DAZ makes of an operand that is passed through. */
export function flushDenormal(isDouble: bool, bits: u64, control: u32): u64 {
  if ((control & MXCSR_DAZ) == 0) return bits
  const exponent: u64 = isDouble ? 0x7ff0000000000000 : 0x7f800000
  return bits & exponent ? bits : bits & signBit(isDouble, 1)
}

/** CMPxx with predicate 0..7: true or false. */
export function comparePredicate(isDouble: bool, predicate: i32, a: u64, b: u64, control: u32): bool {
  const low = predicate & 3
  const order = compare(isDouble, a, b, low == 1 || low == 2, control)
  let result: bool
  if (low == 0) result = order == ORDER_EQUAL
  else if (low == 1) result = order == ORDER_LESS
  else if (low == 2) result = order == ORDER_LESS || order == ORDER_EQUAL
  else result = order == ORDER_UNORDERED
  return predicate & 4 ? !result : result
}

/** To a signed integer of `bits` 32 or 64; out of range and NaN give the integer indefinite value. DE is never raised. */
export function toInteger(isDouble: bool, value: u64, bits: i32, mode: u32, control: u32): i64 {
  const indefinite: i64 = bits == 64 ? i64.MIN_VALUE : 0xffffffff80000000
  unpack(isDouble, value, control)
  if (uClass == CLASS_ZERO) return 0
  if (uClass >= CLASS_INFINITE || uExp >= 64) {
    flags |= IE
    return indefinite
  }
  const drop = 63 - uExp
  const magnitude = roundAt(uSign, uSig, 0, drop > 65 ? 65 : drop, mode)
  const limit: u64 = (<u64>1) << (bits - 1)
  if (magnitude > limit - u64(!uSign) || (drop == 0 && roundedInexact)) {
    flags |= IE
    return indefinite
  }
  if (roundedInexact) flags |= PE
  return uSign ? 0 - <i64>magnitude : <i64>magnitude
}

export function fromInteger(isDouble: bool, value: i64, control: u32): u64 {
  if (value == 0) return 0
  const sign = u32(value < 0)
  const magnitude: u64 = sign ? 0 - <u64>value : <u64>value
  const n = <i32>clz(magnitude)
  setResult(sign, 63 - n, magnitude << n, 0)
  return pack(isDouble, control)
}

export function singleToDouble(value: u64, control: u32): u64 {
  unpack(false, value, control)
  if (uClass >= CLASS_QNAN) {
    if (uClass == CLASS_SNAN) flags |= IE
    return ((<u64>uSign) << 63) | 0x7ff8000000000000 | ((value & 0x3fffff) << 29)
  }
  if (uClass == CLASS_INFINITE) return infinity(true, uSign)
  if (uClass == CLASS_ZERO) return signBit(true, uSign)
  if (uDenormal) flags |= DE
  setResult(uSign, uExp, uSig, 0)
  return pack(true, control)
}

export function doubleToSingle(value: u64, control: u32): u64 {
  unpack(true, value, control)
  if (uClass >= CLASS_QNAN) {
    if (uClass == CLASS_SNAN) flags |= IE
    return ((<u64>uSign) << 31) | 0x7fc00000 | ((value >> 29) & 0x3fffff)
  }
  if (uClass == CLASS_INFINITE) return infinity(false, uSign)
  if (uClass == CLASS_ZERO) return signBit(false, uSign)
  if (uDenormal) flags |= DE
  setResult(uSign, uExp, uSig, 0)
  return pack(false, control)
}

/** ROUNDxx with its immediate: bits 1:0 mode, bit 2 = MXCSR.RC instead, bit 3 = no PE. */
export function roundToIntegral(isDouble: bool, value: u64, immediate: u32, control: u32): u64 {
  unpack(isDouble, value, control)
  if (uClass >= CLASS_QNAN) {
    if (uClass == CLASS_SNAN) flags |= IE
    return quiet(isDouble, value)
  }
  if (uClass == CLASS_INFINITE) return value
  if (uClass == CLASS_ZERO) return signBit(isDouble, uSign)
  if (uExp >= (isDouble ? 52 : 23)) return value
  const mode = immediate & 4 ? (control >> MXCSR_RC_SHIFT) & 3 : immediate & 3
  const drop = 63 - uExp
  const magnitude = roundAt(uSign, uSig, 0, drop > 65 ? 65 : drop, mode)
  if (roundedInexact && (immediate & 8) == 0) flags |= PE
  if (magnitude == 0) return signBit(isDouble, uSign)
  const n = <i32>clz(magnitude)
  setResult(uSign, 63 - n, magnitude << n, 0)
  return pack(isDouble, control)
}

export { ROUND_ZERO }
