/**
 * SSE helpers: the exact path of floating-point operations. Meanings take it when the inline fast path does not apply
 * (semantics/sse/fast-path.ts). Results of kind "or fault": EXC_VECTOR >= 0 after a return means that an unmasked exception was recorded.
 */
import {
  CVT_DQ2PS, CVT_PD2PS, CVT_PI2PS, CVT_PS2PD, CVT_TPD2DQ, CVT_TPS2DQ, CVT_TPS2PI, OP_ADD, OP_ADDSUB, OP_COMPARE, OP_MAX, OP_MIN,
  OP_MUL, OP_SUB,
} from '../../helpers/fpu-codes'
import {
  CR0_EM, CR0_TS, CR4_OSFXSR, CR4_OSXMMEXCPT, EXC_ERROR, EXC_HAS_ERROR, EXC_VECTOR, MXCSR, MXCSR_MASK, REG_CR0, REG_CR4, SIMD_EXTRA, STATUS_FAULT, STATUS_NEXT,
} from './constants'
import {
  arithmetic, clearFlags, compare, comparePredicate, doubleToSingle, flags, fromInteger, minimumMaximum, MXCSR_MASK_SHIFT, MXCSR_RC_SHIFT,
  ORDER_EQUAL, ORDER_LESS, ORDER_UNORDERED, roundToIntegral, singleToDouble,
  toInteger,
} from './ieee'
import { pendingError } from './pending'
import { quickF32, quickF64, quickFlags, quickResult } from './sse-quick'
import { DE, IE, PE, ROUND_ZERO, ZE } from './unpacked'

const A: i32 = SIMD_EXTRA
const B: i32 = SIMD_EXTRA + 16
const R: i32 = SIMD_EXTRA + 32

/** Records a fault without an error code. */
export function recordFault(vcpu: usize, vector: i32): void {
  store<i32>(vcpu + EXC_VECTOR, vector)
  store<i32>(vcpu + EXC_HAS_ERROR, 0)
}

@inline
function begin(vcpu: usize): u32 {
  clearFlags()
  return load<u32>(vcpu + MXCSR)
}

/**
 * Puts the collected flags into MXCSR and records #XM (or #UD without CR4.OSXMMEXCPT) when one is unmasked. An unmasked invalid, denormal or
 * divide-by-zero exception stops the operation before it computes: then no flags of the result are set (SDM volume 1, 11.5.3.2).
 */
function finish(vcpu: usize, control: u32): bool {
  if (flags == 0) return false
  const unmasked = flags & ~(control >> MXCSR_MASK_SHIFT)
  const reported = unmasked & (IE | DE | ZE) ? flags & (IE | DE | ZE) : flags
  store<u32>(vcpu + MXCSR, control | reported)
  if (!(unmasked & reported)) return false
  recordFault(vcpu, load<u32>(vcpu + REG_CR4) & CR4_OSXMMEXCPT ? 19 : 6)
  return true
}

function lane(isDouble: bool, op: i32, index: i32, a: u64, b: u64, control: u32): u64 {
  if (op >= OP_COMPARE) return comparePredicate(isDouble, op - OP_COMPARE, a, b, control) ? (isDouble ? u64.MAX_VALUE : 0xffffffff) : 0
  if (op == OP_MIN || op == OP_MAX) return minimumMaximum(isDouble, op == OP_MAX, a, b, control)
  if (op == OP_ADDSUB) return arithmetic(isDouble, index & 1 ? OP_ADD : OP_SUB, a, b, control)
  return arithmetic(isDouble, op, a, b, control)
}

export function sseF64(vcpu: usize, op: i32, a: i64, b: i64): i64 {
  const control = begin(vcpu)
  if (quickF64(op, a, b, control)) {
    if (quickFlags & ~control) store<u32>(vcpu + MXCSR, control | quickFlags)
    return quickResult
  }
  const r = lane(true, op, 0, a, b, control)
  finish(vcpu, control)
  return r
}

export function sseF32(vcpu: usize, op: i32, a: i32, b: i32): i32 {
  const control = begin(vcpu)
  if (quickF32(op, a, b, control)) {
    if (quickFlags & ~control) store<u32>(vcpu + MXCSR, control | quickFlags)
    return <i32>quickResult
  }
  const r = lane(false, op, 0, <u32>a, <u32>b, control)
  finish(vcpu, control)
  return <i32>r
}

export function ssePd(vcpu: usize, op: i32, a: v128, b: v128): v128 {
  const control = begin(vcpu)
  if (quickF64(op != OP_ADDSUB ? op : OP_SUB, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), control)) {
    const low = quickResult
    const lowFlags = quickFlags
    if (quickF64(op != OP_ADDSUB ? op : OP_ADD, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), control)) {
      const raised = lowFlags | quickFlags
      if (raised & ~control) store<u32>(vcpu + MXCSR, control | raised)
      return i64x2.replace_lane(i64x2.splat(low), 1, quickResult)
    }
  }
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  for (let i = 0; i < 2; i++) {
    const at = vcpu + i * 8
    store<u64>(at + R, lane(true, op, i, load<u64>(at + A), load<u64>(at + B), control))
  }
  finish(vcpu, control)
  return v128.load(vcpu + R)
}

export function ssePs(vcpu: usize, op: i32, a: v128, b: v128): v128 {
  const control = begin(vcpu)
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  let raised: u32 = 0
  let quick = 0
  for (; quick < 16; quick += 4) {
    const at = vcpu + quick
    const laneOp = op != OP_ADDSUB ? op : quick & 4 ? OP_ADD : OP_SUB
    if (!quickF32(laneOp, load<u32>(at + A), load<u32>(at + B), control)) break
    store<u32>(at + R, <u32>quickResult)
    raised |= quickFlags
  }
  if (quick == 16) {
    if (raised) store<u32>(vcpu + MXCSR, control | raised)
    return v128.load(vcpu + R)
  }
  for (let i = 0; i < 4; i++) {
    const at = vcpu + i * 4
    store<u32>(at + R, <u32>lane(false, op, i, load<u32>(at + A), load<u32>(at + B), control))
  }
  finish(vcpu, control)
  return v128.load(vcpu + R)
}

/** COMISx (signaling) and UCOMISx: the status flags ZF 40h, PF 4, CF 1. */
function statusOf(order: i32): i32 {
  if (order == ORDER_UNORDERED) return 0x45
  return order == ORDER_EQUAL ? 0x40 : order == ORDER_LESS ? 1 : 0
}

export function sseCompareF64(vcpu: usize, signaling: i32, a: i64, b: i64): i32 {
  const control = begin(vcpu)
  const r = statusOf(compare(true, a, b, signaling != 0, control))
  finish(vcpu, control)
  return r
}

export function sseCompareF32(vcpu: usize, signaling: i32, a: i32, b: i32): i32 {
  const control = begin(vcpu)
  const r = statusOf(compare(false, <u32>a, <u32>b, signaling != 0, control))
  finish(vcpu, control)
  return r
}

// ---- conversions ----

/** `bits` 32 or 64 of the result. */
export function sseF64ToInt(vcpu: usize, a: i64, bits: i32, truncate: i32): i64 {
  const control = begin(vcpu)
  const r = toInteger(true, a, bits, truncate ? ROUND_ZERO : (control >> MXCSR_RC_SHIFT) & 3, control)
  finish(vcpu, control)
  return r
}

export function sseF32ToInt(vcpu: usize, a: i32, bits: i32, truncate: i32): i64 {
  const control = begin(vcpu)
  const r = toInteger(false, <u32>a, bits, truncate ? ROUND_ZERO : (control >> MXCSR_RC_SHIFT) & 3, control)
  finish(vcpu, control)
  return r
}

export function sseIntToF64(vcpu: usize, a: i64): i64 {
  const control = begin(vcpu)
  const r = fromInteger(true, a, control)
  finish(vcpu, control)
  return r
}

export function sseIntToF32(vcpu: usize, a: i64): i32 {
  const control = begin(vcpu)
  const r = fromInteger(false, a, control)
  finish(vcpu, control)
  return <i32>r
}

export function sseF32ToF64(vcpu: usize, a: i32): i64 {
  const control = begin(vcpu)
  const r = singleToDouble(<u32>a, control)
  finish(vcpu, control)
  return r
}

export function sseF64ToF32(vcpu: usize, a: i64): i32 {
  const control = begin(vcpu)
  const r = doubleToSingle(a, control)
  finish(vcpu, control)
  return <i32>r
}

/** Packed conversions. */
export function sseConvert(vcpu: usize, kind: i32, a: v128): v128 {
  const control = begin(vcpu)
  const rounding = (control >> MXCSR_RC_SHIFT) & 3
  v128.store(vcpu + A, a)
  store<u64>(vcpu + R, 0)
  store<u64>(vcpu + R + 8, 0)
  if (kind <= CVT_TPS2DQ || kind >= CVT_PI2PS) {
    const lanes = kind >= CVT_PI2PS ? 2 : 4
    const mode = kind == CVT_TPS2DQ || kind == CVT_TPS2PI ? ROUND_ZERO : rounding
    for (let i = 0; i < lanes; i++) {
      const at = vcpu + i * 4
      const value = load<u32>(at + A)
      const r = kind == CVT_DQ2PS || kind == CVT_PI2PS ? fromInteger(false, <i32>value, control) : <u64>toInteger(false, value, 32, mode, control)
      store<u32>(at + R, <u32>r)
    }
  } else {
    const mode = kind == CVT_TPD2DQ ? ROUND_ZERO : rounding
    for (let i = 0; i < 2; i++) {
      const narrow = vcpu + i * 4
      const wide = vcpu + i * 8
      if (kind == CVT_PS2PD) store<u64>(wide + R, singleToDouble(load<u32>(narrow + A), control))
      else if (kind == CVT_PD2PS) store<u32>(narrow + R, <u32>doubleToSingle(load<u64>(wide + A), control))
      else store<u32>(narrow + R, <u32>toInteger(true, load<u64>(wide + A), 32, mode, control))
    }
  }
  finish(vcpu, control)
  return v128.load(vcpu + R)
}

export function sseRoundF64(vcpu: usize, a: i64, immediate: i32): i64 {
  const control = begin(vcpu)
  const r = roundToIntegral(true, a, immediate, control)
  finish(vcpu, control)
  return r
}

export function sseRoundF32(vcpu: usize, a: i32, immediate: i32): i32 {
  const control = begin(vcpu)
  const r = roundToIntegral(false, <u32>a, immediate, control)
  finish(vcpu, control)
  return <i32>r
}

export function sseRoundPd(vcpu: usize, a: v128, immediate: i32): v128 {
  const control = begin(vcpu)
  v128.store(vcpu + A, a)
  for (let i = 0; i < 16; i += 8) store<u64>(vcpu + i + R, roundToIntegral(true, load<u64>(vcpu + i + A), immediate, control))
  finish(vcpu, control)
  return v128.load(vcpu + R)
}

export function sseRoundPs(vcpu: usize, a: v128, immediate: i32): v128 {
  const control = begin(vcpu)
  v128.store(vcpu + A, a)
  for (let i = 0; i < 16; i += 4) store<u32>(vcpu + i + R, <u32>roundToIntegral(false, load<u32>(vcpu + i + A), immediate, control))
  finish(vcpu, control)
  return v128.load(vcpu + R)
}

// ---- dot products: the multiplications, then the additions, each step with its own exceptions ----

export function sseDotPs(vcpu: usize, a: v128, b: v128, immediate: i32): v128 {
  const control = begin(vcpu)
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  for (let i = 0; i < 4; i++) {
    const at = vcpu + i * 4
    const r = (immediate >> (4 + i)) & 1 ? arithmetic(false, OP_MUL, load<u32>(at + A), load<u32>(at + B), control) : 0
    store<u32>(at + R, <u32>r)
  }
  if (finish(vcpu, control)) return a
  clearFlags()
  const low = arithmetic(false, OP_ADD, load<u32>(vcpu + R), load<u32>(vcpu + R + 4), control)
  const high = arithmetic(false, OP_ADD, load<u32>(vcpu + R + 8), load<u32>(vcpu + R + 12), control)
  if (finish(vcpu, load<u32>(vcpu + MXCSR))) return a
  clearFlags()
  const sum = <u32>arithmetic(false, OP_ADD, low, high, control)
  finish(vcpu, load<u32>(vcpu + MXCSR))
  for (let i = 0; i < 4; i++) store<u32>(vcpu + i * 4 + R, (immediate >> i) & 1 ? sum : 0)
  return v128.load(vcpu + R)
}

export function sseDotPd(vcpu: usize, a: v128, b: v128, immediate: i32): v128 {
  const control = begin(vcpu)
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  for (let i = 0; i < 2; i++) {
    const at = vcpu + i * 8
    store<u64>(at + R, (immediate >> (4 + i)) & 1 ? arithmetic(true, OP_MUL, load<u64>(at + A), load<u64>(at + B), control) : 0)
  }
  if (finish(vcpu, control)) return a
  clearFlags()
  const sum = arithmetic(true, OP_ADD, load<u64>(vcpu + R), load<u64>(vcpu + R + 8), control)
  finish(vcpu, load<u32>(vcpu + MXCSR))
  for (let i = 0; i < 2; i++) store<u64>(vcpu + i * 8 + R, (immediate >> i) & 1 ? sum : 0)
  return v128.load(vcpu + R)
}

// ---- approximations: no exceptions, MXCSR ignored. Ours are correctly rounded to 24 bits, better than the 1.5 * 2^-12 that is promised. ----

/** Denormal inputs count as zero, tiny results become zero. */
function flushF32(bits: u32): u32 {
  return bits & 0x7f800000 ? bits : bits & 0x80000000
}

export function sseReciprocal(vcpu: usize, a: i32): i32 {
  const bits = flushF32(a)
  if (bits << 1 > 0xff000000) return bits | 0x400000
  return flushF32(reinterpret<u32>(<f32>1.0 / reinterpret<f32>(bits)))
}

export function sseReciprocalRoot(vcpu: usize, a: i32): i32 {
  const bits = flushF32(a)
  if (bits << 1 > 0xff000000) return bits | 0x400000
  if (bits << 1 && bits >> 31) return 0xffc00000
  if (bits << 1 == 0) return bits | 0x7f800000
  return reinterpret<u32>(<f32>(1.0 / Math.sqrt(<f64>reinterpret<f32>(bits))))
}

// ---- control ----

/** Loads MXCSR; reserved bits are #GP(0). */
export function sseLoadMxcsr(vcpu: usize, value: i32): i32 {
  if (<u32>value & ~MXCSR_MASK) {
    recordFault(vcpu, 13)
    store<i32>(vcpu + EXC_HAS_ERROR, 1)
    store<i32>(vcpu + EXC_ERROR, 0)
    return STATUS_FAULT
  }
  store<u32>(vcpu + MXCSR, value)
  return STATUS_NEXT
}

/** The fault of an SSE instruction that may not run: #UD under CR0.EM or without CR4.OSFXSR, else #NM (CR0.TS). */
export function sseUnavailable(vcpu: usize): i32 {
  const disabled = load<u32>(vcpu + REG_CR0) & CR0_EM || !(load<u32>(vcpu + REG_CR4) & CR4_OSFXSR)
  recordFault(vcpu, disabled ? 6 : 7)
  return STATUS_FAULT
}

/** Likewise for MMX, which waits for a pending x87 exception, too. */
export function mmxUnavailable(vcpu: usize): i32 {
  const cr0 = load<u32>(vcpu + REG_CR0)
  if (!(cr0 & (CR0_EM | CR0_TS))) return pendingError(vcpu)
  recordFault(vcpu, cr0 & CR0_EM ? 6 : 7)
  return STATUS_FAULT
}
