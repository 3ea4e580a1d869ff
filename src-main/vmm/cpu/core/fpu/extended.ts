/**
 * The x87's 80-bit format: unpacking, rounding with precision control, exceptions and the register stack. SDM volume 1, chapter 8.
 *
 * A helper begins with begin(), collects exception flags and C1, and ends with finish(), which puts them into the status word. With an unmasked
 * invalid, zero-divide or denormal exception it leaves the destination and the stack alone (stopped()).
 */
import { FPU_CW, FPU_REG_BYTES, FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP } from './constants'
import { stackRegister, updateErrorSummary } from './state'
import {
  CLASS_FINITE,
  CLASS_INFINITE,
  CLASS_QNAN,
  CLASS_SNAN,
  CLASS_UNSUPPORTED,
  CLASS_ZERO,
  DE,
  IE,
  OE,
  PE,
  ROUND_DOWN,
  ROUND_NEAREST,
  ROUND_UP,
  roundAt,
  roundedInexact,
  roundedUp,
  TOP_BIT,
  UE,
  ZE,
  zExp,
  zHi,
  zLo,
  zSign,
} from './unpacked'

/** Stack fault: goes with IE. */
export const SF: u32 = 0x40
export const C0: u32 = 0x100
export const C1: u32 = 0x200
export const C2: u32 = 0x400
export const C3: u32 = 0x4000
export const CONDITION_CODES: u32 = C0 | C1 | C2 | C3

export const BIAS: i32 = 16383
export const MAX_EXPONENT: i32 = 16383
export const MIN_EXPONENT: i32 = -16382
/** What unmasked overflow and underflow add to the exponent of the result. */
const WRAP: i32 = 24576

/** The default NaN ("real indefinite"). */
export const INDEFINITE_SIG: u64 = 0xc000000000000000
export const INDEFINITE_SE: u32 = 0xffff
export const QUIET_BIT: u64 = 0x4000000000000000

export let control: u32 = 0
export let flags: u32 = 0
export let roundUpFlag: bool = false

/** The value computed. */
export let rSig: u64 = 0
export let rSe: u32 = 0

export function begin(vcpu: usize): void {
  control = load<u32>(vcpu + FPU_CW)
  flags = 0
  roundUpFlag = false
}
export function raise(which: u32): void {
  flags |= which
}
export function setRoundUp(value: bool): void {
  roundUpFlag = value
}
export function setValue(sig: u64, se: u32): void {
  rSig = sig
  rSe = se
}
export function setIndefinite(): void {
  rSig = INDEFINITE_SIG
  rSe = INDEFINITE_SE
}
export function isMasked(which: u32): bool {
  return (control & which) != 0
}
/** An unmasked exception was found before the operation: nothing is written. */
export function stopped(): bool {
  return (flags & (IE | ZE | DE) & ~control) != 0
}
export function finish(vcpu: usize): void {
  store<u32>(vcpu + FPU_SW, (load<u32>(vcpu + FPU_SW) & ~C1) | flags | (roundUpFlag ? C1 : 0))
  updateErrorSummary(vcpu)
}
/** As finish(), with C1 as it was unless there was a stack fault. */
export function finishKeepingC1(vcpu: usize): void {
  if (flags & SF) return finish(vcpu)
  store<u32>(vcpu + FPU_SW, load<u32>(vcpu + FPU_SW) | flags)
  updateErrorSummary(vcpu)
}
export function setConditionCodes(vcpu: usize, mask: u32, value: u32): void {
  store<u32>(vcpu + FPU_SW, (load<u32>(vcpu + FPU_SW) & ~mask) | value)
}
export function roundingMode(): u32 {
  return (control >> 10) & 3
}
/** Bits of the significand by precision control; the reserved value 1 counts as 64. */
export function precision(): i32 {
  const pc = (control >> 8) & 3
  return pc == 0 ? 24 : pc == 2 ? 53 : 64
}
/** The control word as MXCSR has it, for conversions to f32 and f64. */
export function sseControl(): u32 {
  return ((control & 0x3f) << 7) | (roundingMode() << 13)
}

// ---- the stack ----

function tagBit(vcpu: usize, i: i32): u32 {
  return 1 << ((load<u32>(vcpu + FPU_TOP) + i) & 7)
}
export function isEmpty(vcpu: usize, i: i32): bool {
  return (load<u32>(vcpu + FPU_TAGS) & tagBit(vcpu, i)) == 0
}
export function markFull(vcpu: usize, i: i32): void {
  store<u32>(vcpu + FPU_TAGS, load<u32>(vcpu + FPU_TAGS) | tagBit(vcpu, i))
}
export function markEmpty(vcpu: usize, i: i32): void {
  store<u32>(vcpu + FPU_TAGS, load<u32>(vcpu + FPU_TAGS) & ~tagBit(vcpu, i))
}
export function step(vcpu: usize, by: i32): void {
  store<u32>(vcpu + FPU_TOP, (load<u32>(vcpu + FPU_TOP) + by) & 7)
}
export function pop(vcpu: usize): void {
  markEmpty(vcpu, 0)
  step(vcpu, 1)
}
/** Writes rSig, rSe to ST(i). */
export function writeResult(vcpu: usize, i: i32): void {
  const register = stackRegister(vcpu, i)
  store<u64>(register, rSig)
  store<u32>(register + 8, rSe)
  markFull(vcpu, i)
}
/** Pushes rSig, rSe; an occupied register is a stack overflow (C1 = 1). */
export function pushResult(vcpu: usize): void {
  if (!isEmpty(vcpu, -1)) {
    // an empty source counts first
    if (!(flags & SF)) roundUpFlag = true
    flags = (flags & ~DE) | IE | SF
    setIndefinite()
  }
  // an unmasked denormal exception does not stop a load
  if (flags & IE & ~control) return
  step(vcpu, -1)
  writeResult(vcpu, 0)
}
/** Source registers empty: IE and SF with C1 = 0, the result is the default NaN. */
export function underflow(): void {
  flags |= IE | SF
  roundUpFlag = false
  setIndefinite()
}
export function physicalRegister(vcpu: usize, i: i32): usize {
  return vcpu + FPU_REGS + i * FPU_REG_BYTES
}

// ---- unpacking ----

export let xSign: u32 = 0
export let xExp: i32 = 0
export let xSig: u64 = 0
export let xClass: u32 = 0
export let xDenormal: bool = false

export function unpackExtended(sig: u64, se: u32): void {
  const exponent = se & 0x7fff
  xSign = (se >> 15) & 1
  xExp = <i32>exponent - BIAS
  xSig = sig
  xDenormal = false
  if (exponent == 0x7fff) {
    if (sig >> 63 == 0) xClass = CLASS_UNSUPPORTED
    else if (sig << 1 == 0) xClass = CLASS_INFINITE
    else xClass = sig & QUIET_BIT ? CLASS_QNAN : CLASS_SNAN
  } else if (exponent == 0) {
    if (sig == 0) xClass = CLASS_ZERO
    else {
      // denormal, or pseudo-denormal with the integer bit set: both have the least exponent
      xClass = CLASS_FINITE
      xDenormal = true
      const n = <i32>clz(sig)
      xSig = sig << n
      xExp = MIN_EXPONENT - n
    }
  } else xClass = sig >> 63 ? CLASS_FINITE : CLASS_UNSUPPORTED
}

// ---- rounding ----

export function packInfinity(sign: u32): void {
  rSig = TOP_BIT
  rSe = (sign << 15) | 0x7fff
}
export function packZero(sign: u32): void {
  rSig = 0
  rSe = sign << 15
}

/** Rounds the unpacked result z to `bits` of significand. */
export function packResult(bits: i32): void {
  const mode = roundingMode()
  const drop = 64 - bits
  let kept = roundAt(zSign, zHi, zLo, drop, mode)
  const carry = bits == 64 ? roundedUp && kept == 0 : kept >> bits != 0
  let exponent = zExp + i32(carry)
  const sign = zSign << 15
  if (exponent > MAX_EXPONENT) {
    raise(OE)
    if (isMasked(OE)) {
      raise(PE)
      const toInfinity = mode == ROUND_NEAREST || mode == (zSign ? ROUND_DOWN : ROUND_UP)
      roundUpFlag = toInfinity
      if (toInfinity) packInfinity(zSign)
      else setValue(u64.MAX_VALUE << drop, sign | 0x7ffe)
      return
    }
    exponent -= WRAP
    if (exponent > MAX_EXPONENT) {
      // FSCALE beyond even that
      raise(PE)
      roundUpFlag = true
      packInfinity(zSign)
      return
    }
  } else if (exponent < MIN_EXPONENT) {
    if (isMasked(UE)) {
      kept = roundAt(zSign, zHi, zLo, drop + MIN_EXPONENT - zExp, mode)
      if (roundedInexact) raise(UE | PE)
      roundUpFlag = roundedUp
      rSig = kept << drop
      rSe = sign | u32(rSig >> 63)
      return
    }
    raise(UE)
    exponent += WRAP
    if (exponent < MIN_EXPONENT) {
      raise(PE)
      packZero(zSign)
      return
    }
  }
  if (roundedInexact) raise(PE)
  roundUpFlag = roundedUp
  rSig = carry ? TOP_BIT : kept << drop
  rSe = sign | (exponent + BIAS)
}

// ---- NaNs ----

/** The NaN that an operation on one or two operands (at least one a NaN) gives; the SNaN flag is raised. Neither is unsupported. */
export function propagate(aSig: u64, aSe: u32, aClass: u32, bSig: u64, bSe: u32, bClass: u32): void {
  if (aClass == CLASS_SNAN || bClass == CLASS_SNAN) raise(IE)
  let first: bool
  if (bClass < CLASS_QNAN) first = true
  else if (aClass < CLASS_QNAN) first = false
  // a quiet one before a signaling one; then the larger significand, then the positive one
  else if (aClass != bClass) first = aClass == CLASS_QNAN
  else if (aSig != bSig) first = aSig > bSig
  else first = aSe <= bSe
  if (first) setValue(aSig | QUIET_BIT, aSe)
  else setValue(bSig | QUIET_BIT, bSe)
}
