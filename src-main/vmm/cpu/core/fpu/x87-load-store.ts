/**
 * x87 loads, stores and moves on the register stack. Stores return the value; SCRATCH says whether it may be written (and the stack popped): not after
 * an unmasked exception.
 */
import { SCRATCH } from './constants'
import {
  begin, C1, control, finish, flags, INDEFINITE_SE, INDEFINITE_SIG, isEmpty, markEmpty, pop, pushResult, raise, roundingMode, rSe, rSig,
  setConditionCodes, setRoundUp, setValue, sseControl, step, stopped, underflow, unpackExtended, writeResult, xClass, xExp, xSig, xSign,
} from './extended'
import { clearFlags, flags as sseFlags, pack } from './ieee'
import { stackRegister } from './state'
import {
  CLASS_INFINITE, CLASS_QNAN, CLASS_SNAN, CLASS_UNSUPPORTED, CLASS_ZERO, DE, IE, OE, PE, ROUND_DOWN, ROUND_ZERO, roundAt,
  roundedInexact, roundedUp, setResult, UE,
} from './unpacked'
import { expandF32, expandF64, expandInteger, mDenormal, mSe, mSig } from './x87-operands'
import { isFull, popQuick, pushQuick, quickLoadF32, quickLoadF64, quickStore, quickStoreInt, registerOf, storedValue } from './x87-quick'

// ---- loads ----

function pushMemory(vcpu: usize): void {
  begin(vcpu)
  unpackExtended(mSig, mSe)
  if (xClass == CLASS_SNAN) {
    raise(IE)
    setValue(mSig | 0x4000000000000000, mSe)
  } else {
    if (mDenormal) raise(DE)
    setValue(mSig, mSe)
  }
  pushResult(vcpu)
  finish(vcpu)
}
export function x87LoadF32(vcpu: usize, bits: i32): void {
  if (quickLoadF32(vcpu, bits)) return
  expandF32(bits)
  pushMemory(vcpu)
}
export function x87LoadF64(vcpu: usize, bits: i64): void {
  if (quickLoadF64(vcpu, bits)) return
  expandF64(bits)
  pushMemory(vcpu)
}
export function x87LoadInt(vcpu: usize, value: i64): void {
  expandInteger(value)
  if (pushQuick(vcpu, mSig, mSe)) return
  pushMemory(vcpu)
}
/** Takes any pattern as it is: no exception but a stack overflow. */
export function x87LoadExtended(vcpu: usize, sig: i64, se: i32): void {
  if (pushQuick(vcpu, sig, se & 0xffff)) return
  begin(vcpu)
  setValue(sig, se & 0xffff)
  pushResult(vcpu)
  finish(vcpu)
}
export function x87LoadStack(vcpu: usize, i: i32): void {
  if (isFull(vcpu, i)) {
    const from = registerOf(vcpu, i)
    if (pushQuick(vcpu, load<u64>(from), load<u16>(from + 8))) return
  }
  begin(vcpu)
  if (isEmpty(vcpu, i)) underflow()
  else {
    const a = stackRegister(vcpu, i)
    setValue(load<u64>(a), load<u16>(a + 8))
  }
  pushResult(vcpu)
  finish(vcpu)
}

/** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ by n = 0..6: 67-bit constants rounded as RC says. */
export function x87LoadConstant(vcpu: usize, n: i32): void {
  if (n == 0 && pushQuick(vcpu, 0x8000000000000000, 0x3fff)) return
  if (n == 6 && pushQuick(vcpu, 0, 0)) return
  begin(vcpu)
  const mode = roundingMode()
  const down = mode == ROUND_DOWN || mode == ROUND_ZERO
  const up = mode == 2
  if (n == 0) setValue(0x8000000000000000, 0x3fff)
  else if (n == 1) setValue(0xd49a784bcd1b8afe + u64(up), 0x4000)
  else if (n == 2) setValue(0xb8aa3b295c17f0bc - u64(down), 0x3fff)
  else if (n == 3) setValue(0xc90fdaa22168c235 - u64(down), 0x4000)
  else if (n == 4) setValue(0x9a209a84fbcff799 - u64(down), 0x3ffd)
  else if (n == 5) setValue(0xb17217f7d1cf79ac - u64(down), 0x3ffe)
  else setValue(0, 0)
  pushResult(vcpu)
  finish(vcpu)
}

// ---- stores ----

function permit(vcpu: usize, allowed: bool): void {
  store<i32>(vcpu + SCRATCH, i32(allowed))
}

function storeFloat(vcpu: usize, isDouble: bool): u64 {
  begin(vcpu)
  const indefinite: u64 = isDouble ? 0xfff8000000000000 : 0xffc00000
  let r = indefinite
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const sig = load<u64>(a)
    unpackExtended(sig, load<u16>(a + 8))
    const sign = (<u64>xSign) << (isDouble ? 63 : 31)
    if (xClass == CLASS_UNSUPPORTED) raise(IE)
    else if (xClass >= CLASS_QNAN) {
      if (xClass == CLASS_SNAN) raise(IE)
      r = isDouble ? sign | 0x7ff8000000000000 | ((sig >> 11) & 0x7ffffffffffff) : sign | 0x7fc00000 | ((sig >> 40) & 0x3fffff)
    } else if (xClass == CLASS_INFINITE) r = sign | (isDouble ? 0x7ff0000000000000 : 0x7f800000)
    else if (xClass == CLASS_ZERO) r = sign
    else {
      clearFlags()
      setResult(xSign, xExp, xSig, 0)
      r = pack(isDouble, sseControl())
      const trapped = sseFlags & (OE | UE) & ~control
      raise(trapped ? trapped : sseFlags)
      // a masked overflow counts as rounded up when it gave infinity
      setRoundUp(!trapped && (sseFlags & OE ? (r & 1) == 0 : roundedUp))
    }
  }
  permit(vcpu, (flags & (IE | OE | UE) & ~control) == 0)
  finish(vcpu)
  return r
}
export function x87StoreF32(vcpu: usize): i32 {
  return <i32>(quickStore(vcpu, false) ? storedValue : storeFloat(vcpu, false))
}
export function x87StoreF64(vcpu: usize): i64 {
  return quickStore(vcpu, true) ? storedValue : storeFloat(vcpu, true)
}

/** ST(0) as it is; sign and exponent in SCRATCH + 8. */
export function x87StoreExtended(vcpu: usize): i64 {
  begin(vcpu)
  const a = stackRegister(vcpu, 0)
  setValue(load<u64>(a), load<u16>(a + 8))
  if (isEmpty(vcpu, 0)) underflow()
  permit(vcpu, !stopped())
  store<u32>(vcpu + SCRATCH + 8, rSe)
  finish(vcpu)
  return rSig
}

/** Rounded to an integer of `bytes`; out of range gives the integer indefinite value. */
export function x87StoreInt(vcpu: usize, bytes: i32, truncate: i32): i64 {
  if (quickStoreInt(vcpu, bytes, truncate != 0)) return storedValue
  begin(vcpu)
  const limit: u64 = (<u64>1) << (bytes * 8 - 1)
  let r: i64 = 0 - <i64>limit
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    unpackExtended(load<u64>(a), load<u16>(a + 8))
    if (xClass == CLASS_ZERO) r = 0
    else if (xClass >= CLASS_INFINITE || xExp > 63) raise(IE)
    else {
      const drop = 63 - xExp
      const magnitude = roundAt(xSign, xSig, 0, drop > 65 ? 65 : drop, truncate ? ROUND_ZERO : roundingMode())
      if (magnitude > limit - u64(!xSign)) raise(IE)
      else {
        if (roundedInexact) raise(PE)
        setRoundUp(roundedUp)
        r = xSign ? 0 - <i64>magnitude : <i64>magnitude
      }
    }
  }
  permit(vcpu, !stopped())
  finish(vcpu)
  return r
}

/** FST ST(i), FSTP ST(i). */
export function x87StoreStack(vcpu: usize, dst: i32, pops: i32): void {
  if (isFull(vcpu, 0)) {
    const from = registerOf(vcpu, 0)
    setValue(load<u64>(from), load<u16>(from + 8))
    writeResult(vcpu, dst)
    setConditionCodes(vcpu, C1, 0)
    if (pops) popQuick(vcpu)
    return
  }
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    setValue(load<u64>(a), load<u16>(a + 8))
  }
  if (!stopped()) {
    writeResult(vcpu, dst)
    if (pops) pop(vcpu)
  }
  finish(vcpu)
}

/** FFREE, and FFREEP which also pops. C1 is cleared. */
export function x87Free(vcpu: usize, i: i32, pops: i32): void {
  markEmpty(vcpu, i)
  if (pops) pop(vcpu)
  setConditionCodes(vcpu, C1, 0)
}
/** FSTPNCE, the form of FSTP that looks at no tag (AMD64 APM volume 5): an empty ST(0) is popped and goes nowhere. */
export function x87StoreUnchecked(vcpu: usize, dst: i32): void {
  if (!isEmpty(vcpu, 0)) x87StoreStack(vcpu, dst, 1)
  else {
    pop(vcpu)
    setConditionCodes(vcpu, C1, 0)
  }
}
/** FINCSTP, FDECSTP. */
export function x87StackStep(vcpu: usize, by: i32): void {
  step(vcpu, by)
  setConditionCodes(vcpu, C1, 0)
}

export function x87Exchange(vcpu: usize, i: i32): void {
  if (isFull(vcpu, 0) && isFull(vcpu, i)) {
    const first = registerOf(vcpu, 0)
    const second = registerOf(vcpu, i)
    const sig = load<u64>(first)
    const se = load<u32>(first + 8)
    store<u64>(first, load<u64>(second))
    store<u32>(first + 8, load<u32>(second + 8))
    store<u64>(second, sig)
    store<u32>(second + 8, se)
    setConditionCodes(vcpu, C1, 0)
    return
  }
  begin(vcpu)
  const a = stackRegister(vcpu, 0)
  const b = stackRegister(vcpu, i)
  let aSig = load<u64>(a)
  let aSe = <u32>load<u16>(a + 8)
  let bSig = load<u64>(b)
  let bSe = <u32>load<u16>(b + 8)
  const emptyA = isEmpty(vcpu, 0)
  const emptyB = isEmpty(vcpu, i)
  if (emptyA || emptyB) underflow()
  if (emptyA) {
    aSig = INDEFINITE_SIG
    aSe = INDEFINITE_SE
  }
  if (emptyB) {
    bSig = INDEFINITE_SIG
    bSe = INDEFINITE_SE
  }
  if (!stopped()) {
    setValue(aSig, aSe)
    writeResult(vcpu, i)
    setValue(bSig, bSe)
    writeResult(vcpu, 0)
  }
  finish(vcpu)
}

export function x87ConditionalMove(vcpu: usize, condition: i32, i: i32): void {
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, i)) {
    begin(vcpu)
    underflow()
    if (!stopped()) writeResult(vcpu, 0)
    finish(vcpu)
    return
  }
  // C1 stays as it is
  if (!condition) return
  const from = stackRegister(vcpu, i)
  const to = stackRegister(vcpu, 0)
  store<u64>(to, load<u64>(from))
  store<u16>(to + 8, load<u16>(from + 8))
}

/** FCHS (0) and FABS (1): no exception but an empty register. */
export function x87Sign(vcpu: usize, clear: i32): void {
  if (isFull(vcpu, 0)) {
    const register = registerOf(vcpu, 0)
    const se = <u32>load<u16>(register + 8)
    store<u32>(register + 8, clear ? se & 0x7fff : se ^ 0x8000)
    setConditionCodes(vcpu, C1, 0)
    return
  }
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const se = <u32>load<u16>(a + 8)
    setValue(load<u64>(a), clear ? se & 0x7fff : se ^ 0x8000)
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

// ---- packed decimal ----

/** 18 digits, two a byte; sign in bit 15 of `high`, which also holds the upper two digits. */
export function x87LoadBcd(vcpu: usize, low: i64, high: i32): void {
  let value: u64 = 0
  for (let i = 1; i >= 0; i--) value = value * 10 + ((((<u32>high) & 0xff) >> (i * 4)) & 15)
  for (let i = 15; i >= 0; i--) value = value * 10 + (((<u64>low) >> (i * 4)) & 15)
  begin(vcpu)
  expandInteger(value)
  setValue(mSig, mSe | (high & 0x8000))
  pushResult(vcpu)
  finish(vcpu)
}

/** Low 16 digits; the upper two and the sign in SCRATCH + 8. */
export function x87StoreBcd(vcpu: usize): i64 {
  begin(vcpu)
  let low: u64 = 0xc000000000000000
  let high: u32 = 0xffff
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    unpackExtended(load<u64>(a), load<u16>(a + 8))
    if (xClass == CLASS_ZERO) {
      low = 0
      high = xSign << 15
    } else if (xClass >= CLASS_INFINITE || xExp > 63) raise(IE)
    else {
      const drop = 63 - xExp
      let magnitude = roundAt(xSign, xSig, 0, drop > 65 ? 65 : drop, roundingMode())
      if (magnitude > 999999999999999999) raise(IE)
      else {
        if (roundedInexact) raise(PE)
        setRoundUp(roundedUp)
        low = 0
        for (let i = 0; i < 16; i++) {
          low |= (magnitude % 10) << (i * 4)
          magnitude /= 10
        }
        high = (xSign << 15) | (<u32>(magnitude % 10)) | ((<u32>(magnitude / 10)) << 4)
      }
    }
  }
  permit(vcpu, !stopped())
  store<u32>(vcpu + SCRATCH + 8, high)
  finish(vcpu)
  return low
}
