/**
 * SSE arithmetic by WebAssembly's own operations, for what the inline fast path (semantics/sse/fast-path.ts) leaves: zeros, and PE that is not set yet.
 * All exceptions must be masked and rounding be to nearest; operands are zero or so far from overflow and underflow that PE is all that can happen. Whether
 * a result is exact is found by computing its error, which is itself exact (Dekker, A floating-point technique for extending the available precision, 1971).
 */
import { OP_ADD, OP_DIV, OP_MUL, OP_SQRT, OP_SUB } from '../../helpers/fpu-codes'
import { IE, PE } from './unpacked'

/** Rounding and masks, and their values here. */
const LOOKED_AT: u32 = 0x7f80
const PLAIN: u32 = 0x1f80
/** 2^27 + 1: splits a significand of 53 bits into halves. */
const SPLITTER: f64 = 134217729

export let quickResult: u64 = 0
/** Flags that the operation raises: PE, or IE. */
export let quickFlags: u32 = 0

/** a * b - p is not 0, for p = a * b rounded. */
@inline
function productError(a: f64, b: f64, p: f64): bool {
  const ca = SPLITTER * a
  const ah = ca - (ca - a)
  const al = a - ah
  const cb = SPLITTER * b
  const bh = cb - (cb - b)
  const bl = b - bh
  return al * bl + (al * bh + (ah * bl + (ah * bh - p))) != 0
}
@inline
function sumError(a: f64, b: f64, s: f64): bool {
  const t = s - a
  return (a - (s - t)) + (b - t) != 0
}

/** 0: zero, 1: in the middle quarter of exponents, 2: anything else. */
@inline
function kindOf64(bits: u64): i32 {
  return <u32>((bits >> 52) & 0x7ff) - 768 < 512 ? 1 : bits << 1 ? 2 : 0
}

export function quickF64(op: i32, aBits: u64, bBits: u64, control: u32): bool {
  if ((control & LOOKED_AT) != PLAIN) return false
  const b = reinterpret<f64>(bBits)
  const kindB = kindOf64(bBits)
  if (kindB == 2) return unusualF64(op, aBits, bBits, control)
  const known = (control & PE) != 0
  let r: f64
  let inexact = false
  if (op == OP_SQRT) {
    if (kindB && bBits >> 63) return false
    r = sqrt(b)
    if (kindB && !known) inexact = r * r != b || productError(r, r, b)
  } else {
    const a = reinterpret<f64>(aBits)
    const kindA = kindOf64(aBits)
    if (kindA == 2) return unusualF64(op, aBits, bBits, control)
    if (op == OP_ADD) {
      r = a + b
      if (!known) inexact = sumError(a, b, r)
    } else if (op == OP_SUB) {
      r = a - b
      if (!known) inexact = sumError(a, -b, r)
    } else if (op == OP_MUL) {
      r = a * b
      if (kindA && kindB && !known) inexact = productError(a, b, r)
    } else if (op == OP_DIV) {
      if (!kindB) return false
      r = a / b
      if (kindA && !known) inexact = r * b != a || productError(r, b, a)
    } else return false
  }
  quickResult = reinterpret<u64>(r)
  quickFlags = inexact ? PE : 0
  return true
}

const EXPONENT: u64 = 0x7ff0000000000000
const QUIET: u64 = 0x8000000000000
const DEFAULT_NAN: u64 = 0xfff8000000000000
/** Twice the least normal number: nothing that was rounded to it or beyond was tiny. */
const SURELY_NORMAL: f64 = 4.450147717014403e-308

@inline
function isNan(bits: u64): bool {
  return (bits & ~(1 << 63)) > EXPONENT
}
@inline
function isDenormal(bits: u64): bool {
  return (bits & EXPONENT) == 0 && bits << 1 != 0
}

/** Sums and products with infinities, quiet NaNs and numbers of any size: what runs away in an iteration goes on like this for long. */
function unusualF64(op: i32, aBits: u64, bBits: u64, control: u32): bool {
  if (op > OP_MUL || isDenormal(aBits) || isDenormal(bBits)) return false
  quickFlags = 0
  if (isNan(aBits)) {
    if (!(aBits & QUIET) || (isNan(bBits) && !(bBits & QUIET))) return false
    quickResult = aBits
    return true
  }
  if (isNan(bBits)) {
    quickResult = bBits
    return (bBits & QUIET) != 0
  }
  const a = reinterpret<f64>(aBits)
  const b = reinterpret<f64>(bBits)
  const r = op == OP_ADD ? a + b : op == OP_SUB ? a - b : a * b
  if ((aBits & EXPONENT) != EXPONENT && (bBits & EXPONENT) != EXPONENT) {
    // numbers: where a result is certain to be normal, PE alone can happen
    if (!(control & PE) || !(abs(r) >= SURELY_NORMAL && abs(r) < Infinity)) return false
    quickResult = reinterpret<u64>(r)
    return true
  }
  if (r != r) quickFlags = IE
  quickResult = r == r ? reinterpret<u64>(r) : DEFAULT_NAN
  return true
}

/** As kindOf64, with the exponents from which products and quotients are normal. */
@inline
function kindOf32(bits: u32): i32 {
  return ((bits >> 23) & 0xff) - 64 < 126 ? 1 : bits << 1 ? 2 : 0
}

export function quickF32(op: i32, aBits: u32, bBits: u32, control: u32): bool {
  if ((control & LOOKED_AT) != PLAIN) return false
  const b = reinterpret<f32>(bBits)
  const kindB = kindOf32(bBits)
  if (kindB == 2) return false
  const known = (control & PE) != 0
  let r: f32
  let inexact = false
  if (op == OP_SQRT) {
    if (kindB && bBits >> 31) return false
    r = sqrt<f32>(b)
    if (!known) inexact = <f64>r * <f64>r != <f64>b
  } else {
    const a = reinterpret<f32>(aBits)
    const kindA = kindOf32(aBits)
    if (kindA == 2) return false
    if (op == OP_ADD || op == OP_SUB) {
      const addend = op == OP_ADD ? b : -b
      r = a + addend
      if (!known) {
        const t = r - a
        inexact = (a - (r - t)) + (addend - t) != 0
      }
    } else if (op == OP_MUL) {
      r = a * b
      // products and quotients times divisors have 48 bits
      if (!known) inexact = <f64>a * <f64>b != <f64>r
    } else if (op == OP_DIV) {
      if (!kindB) return false
      r = a / b
      if (!known) inexact = <f64>r * <f64>b != <f64>a
    } else return false
  }
  quickResult = <u64>reinterpret<u32>(r)
  quickFlags = inexact ? PE : 0
  return true
}
