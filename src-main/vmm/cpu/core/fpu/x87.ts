/**
 * x87 arithmetic, comparison, loads and stores. `dst` and `src` are stack positions i of ST(i). Codes are in helpers/fpu-codes.ts.
 * Stores return the value; SCRATCH says whether it may be written (and the stack popped): not after an unmasked exception.
 */
import { X87_ADD, X87_DIV, X87_DIVR, X87_MUL, X87_SUBR } from '../../helpers/fpu-codes'
import { SCRATCH } from './constants'
import {
  begin,
  C0,
  C1,
  C2,
  C3,
  CONDITION_CODES,
  control,
  finish,
  finishKeepingC1,
  flags,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  isEmpty,
  markEmpty,
  packInfinity,
  packResult,
  packZero,
  pop,
  precision,
  propagate,
  pushResult,
  raise,
  roundingMode,
  rSe,
  rSig,
  setConditionCodes,
  setIndefinite,
  setRoundUp,
  setValue,
  sseControl,
  step,
  stopped,
  underflow,
  unpackExtended,
  writeResult,
  xClass,
  xDenormal,
  xExp,
  xSig,
  xSign,
} from './extended'
import { clearFlags, flags as sseFlags, pack } from './ieee'
import { stackRegister } from './state'
import {
  isFull, popQuick, pushQuick, quickArithmetic, quickLoadF32, quickLoadF64, quickOrder, quickSquareRoot, quickStore, quickStoreInt, registerOf, reportOrder, storedValue,
} from './x87-quick'
import {
  addUnpacked,
  CLASS_FINITE,
  CLASS_INFINITE,
  CLASS_QNAN,
  CLASS_SNAN,
  CLASS_UNSUPPORTED,
  CLASS_ZERO,
  DE,
  divUnpacked,
  IE,
  mulUnpacked,
  OE,
  PE,
  ROUND_DOWN,
  ROUND_ZERO,
  roundAt,
  roundedInexact,
  roundedUp,
  setResult,
  sqrtUnpacked,
  UE,
  ZE,
  zHi,
  zLo,
} from './unpacked'

// ---- memory operands as extended values ----

let mSig: u64 = 0
let mSe: u32 = 0
/** The operand was denormal in its own format. */
let mDenormal: bool = false

function expandF32(bits: u32): void {
  const sign = (bits >> 31) << 15
  const exponent = (bits >> 23) & 0xff
  const fraction = (<u64>(bits & 0x7fffff)) << 40
  expand(sign, exponent, fraction, 0xff, 16383 - 127)
}
function expandF64(bits: u64): void {
  const sign = (<u32>(bits >> 63)) << 15
  const exponent = (<u32>(bits >> 52)) & 0x7ff
  const fraction = (bits & 0xfffffffffffff) << 11
  expand(sign, exponent, fraction, 0x7ff, 16383 - 1023)
}
function expand(sign: u32, exponent: u32, fraction: u64, special: u32, bias: u32): void {
  mDenormal = false
  if (exponent == special) {
    mSig = fraction | 0x8000000000000000
    mSe = sign | 0x7fff
  } else if (exponent) {
    mSig = fraction | 0x8000000000000000
    mSe = sign | (exponent + bias)
  } else if (fraction == 0) {
    mSig = 0
    mSe = sign
  } else {
    mDenormal = true
    const n = <u32>clz(fraction)
    mSig = fraction << n
    mSe = sign | (bias + 1 - n)
  }
}
function expandInteger(value: i64): void {
  mDenormal = false
  if (value == 0) {
    mSig = 0
    mSe = 0
    return
  }
  const magnitude: u64 = value < 0 ? 0 - <u64>value : <u64>value
  const n = <u32>clz(magnitude)
  mSig = magnitude << n
  mSe = (value < 0 ? 0x8000 : 0) | (16383 + 63 - n)
}

// ---- arithmetic ----

/** a op b into rSig, rSe; `denormal`: one operand was denormal in a format that has been expanded. */
function arithmetic(op: i32, aSig: u64, aSe: u32, bSig: u64, bSe: u32, denormal: bool): void {
  if (op == X87_SUBR || op == X87_DIVR) {
    const sig = aSig
    const se = aSe
    aSig = bSig
    aSe = bSe
    bSig = sig
    bSe = se
  }
  unpackExtended(aSig, aSe)
  const sa = xSign
  const ea = xExp
  const ma = xSig
  const ca = xClass
  denormal = denormal || xDenormal
  unpackExtended(bSig, bSe)
  let sb = xSign
  const eb = xExp
  const mb = xSig
  const cb = xClass
  denormal = denormal || xDenormal
  if (ca == CLASS_UNSUPPORTED || cb == CLASS_UNSUPPORTED) return invalid()
  if (ca >= CLASS_QNAN || cb >= CLASS_QNAN) return propagate(aSig, aSe, ca, bSig, bSe, cb)
  if (op == X87_MUL) {
    if (ca == CLASS_INFINITE || cb == CLASS_INFINITE) {
      if (ca == CLASS_ZERO || cb == CLASS_ZERO) return invalid()
      packInfinity(sa ^ sb)
    } else if (ca == CLASS_ZERO || cb == CLASS_ZERO) packZero(sa ^ sb)
    else {
      if (denormal) raise(DE)
      if (stopped()) return
      mulUnpacked(sa, ea, ma, sb, eb, mb)
      return packResult(precision())
    }
  } else if (op == X87_DIV || op == X87_DIVR) {
    if (ca == cb && ca != CLASS_FINITE) return invalid()
    if (ca == CLASS_INFINITE) packInfinity(sa ^ sb)
    else if (cb == CLASS_ZERO) {
      raise(ZE)
      packInfinity(sa ^ sb)
      return
    } else if (ca == CLASS_ZERO || cb == CLASS_INFINITE) packZero(sa ^ sb)
    else {
      if (denormal) raise(DE)
      if (stopped()) return
      divUnpacked(sa, ea, ma, sb, eb, mb)
      return packResult(precision())
    }
  } else {
    if (op != X87_ADD) sb ^= 1
    if (ca == CLASS_INFINITE || cb == CLASS_INFINITE) {
      if (ca == cb && sa != sb) return invalid()
      packInfinity(ca == CLASS_INFINITE ? sa : sb)
    } else {
      if (denormal) raise(DE)
      if (stopped()) return
      const down = u32(roundingMode() == ROUND_DOWN)
      if (ca == CLASS_ZERO && cb == CLASS_ZERO) return packZero(sa == sb ? sa : down)
      if (ca == CLASS_ZERO) setResult(sb, eb, mb, 0)
      else if (cb == CLASS_ZERO) setResult(sa, ea, ma, 0)
      else {
        addUnpacked(sa, ea, ma, sb, eb, mb)
        if ((zHi | zLo) == 0) return packZero(down)
      }
      return packResult(precision())
    }
  }
  if (denormal) raise(DE)
}

function invalid(): void {
  raise(IE)
  setIndefinite()
}

/** ST(dst) = ST(dst) op ST(src), then perhaps pops. */
export function x87Arithmetic(vcpu: usize, op: i32, dst: i32, src: i32, pops: i32): void {
  if (isFull(vcpu, dst) && isFull(vcpu, src)) {
    const b = registerOf(vcpu, src)
    if (quickArithmetic(vcpu, op, registerOf(vcpu, dst), load<u64>(b), load<u16>(b + 8))) {
      if (pops) popQuick(vcpu)
      return
    }
  }
  begin(vcpu)
  if (isEmpty(vcpu, dst) || isEmpty(vcpu, src)) underflow()
  else {
    const a = stackRegister(vcpu, dst)
    const b = stackRegister(vcpu, src)
    arithmetic(op, load<u64>(a), load<u16>(a + 8), load<u64>(b), load<u16>(b + 8), false)
  }
  if (!stopped()) {
    writeResult(vcpu, dst)
    if (pops) pop(vcpu)
  }
  finish(vcpu)
}

function withMemory(vcpu: usize, op: i32): void {
  if (!mDenormal && isFull(vcpu, 0) && quickArithmetic(vcpu, op, registerOf(vcpu, 0), mSig, mSe)) return
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    arithmetic(op, load<u64>(a), load<u16>(a + 8), mSig, mSe, mDenormal)
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}
export function x87ArithmeticF32(vcpu: usize, op: i32, bits: i32): void {
  expandF32(bits)
  withMemory(vcpu, op)
}
export function x87ArithmeticF64(vcpu: usize, op: i32, bits: i64): void {
  expandF64(bits)
  withMemory(vcpu, op)
}
export function x87ArithmeticInt(vcpu: usize, op: i32, value: i32): void {
  expandInteger(value)
  withMemory(vcpu, op)
}

export function x87SquareRoot(vcpu: usize): void {
  if (isFull(vcpu, 0) && quickSquareRoot(vcpu, registerOf(vcpu, 0))) return
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const sig = load<u64>(a)
    const se = load<u16>(a + 8)
    unpackExtended(sig, se)
    if (xClass == CLASS_UNSUPPORTED) invalid()
    else if (xClass >= CLASS_QNAN) propagate(sig, se, xClass, 0, 0, CLASS_ZERO)
    else if (xClass == CLASS_ZERO) setValue(sig, se)
    else if (xSign) invalid()
    else if (xClass == CLASS_INFINITE) setValue(sig, se)
    else {
      if (xDenormal) raise(DE)
      if (!stopped()) {
        sqrtUnpacked(xExp, xSig)
        packResult(precision())
      }
    }
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

// ---- comparison ----

/** Condition codes of a compared with b; `quiet`: QNaNs are not invalid. */
function compare(aSig: u64, aSe: u32, bSig: u64, bSe: u32, denormal: bool, quiet: bool): u32 {
  unpackExtended(aSig, aSe)
  const sa = xSign
  const ea = xExp
  const ma = xSig
  const ca = xClass
  denormal = denormal || xDenormal
  unpackExtended(bSig, bSe)
  const cb = xClass
  denormal = denormal || xDenormal
  if (ca >= CLASS_QNAN || cb >= CLASS_QNAN) {
    if (!quiet || ca >= CLASS_SNAN || cb >= CLASS_SNAN) raise(IE)
    return C0 | C2 | C3
  }
  if (denormal) raise(DE)
  if (ca == CLASS_ZERO && cb == CLASS_ZERO) return C3
  if (ca == CLASS_ZERO) return xSign ? 0 : C0
  if (cb == CLASS_ZERO) return sa ? C0 : 0
  if (sa != xSign) return sa ? C0 : 0
  const less = sa ? C0 ^ C0 : C0
  const greater = C0 ^ less
  // infinities have the largest exponent
  if (ea != xExp) return ea < xExp ? less : greater
  if (ma != xSig) return ma < xSig ? less : greater
  return C3
}

function finishCompare(vcpu: usize, codes: u32, pops: i32): void {
  // an unmasked exception keeps only the stack from changing
  setConditionCodes(vcpu, C0 | C2 | C3, codes)
  if (!stopped()) for (; pops > 0; pops--) pop(vcpu)
  finish(vcpu)
}

/** FCOM(P)(P), FUCOM(P)(P) with ST(i). */
export function x87Compare(vcpu: usize, i: i32, quiet: i32, pops: i32): void {
  if (isFull(vcpu, 0) && isFull(vcpu, i)) {
    const a = registerOf(vcpu, 0)
    const b = registerOf(vcpu, i)
    const order = quickOrder(load<u64>(a), load<u16>(a + 8), load<u64>(b), load<u16>(b + 8))
    if (order >= 0) return reportOrder(vcpu, order, pops)
  }
  begin(vcpu)
  let codes: u32 = C0 | C2 | C3
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, i)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const b = stackRegister(vcpu, i)
    codes = compare(load<u64>(a), load<u16>(a + 8), load<u64>(b), load<u16>(b + 8), false, quiet != 0)
  }
  finishCompare(vcpu, codes, pops)
}
function compareMemory(vcpu: usize, pops: i32): void {
  if (!mDenormal && isFull(vcpu, 0)) {
    const a = registerOf(vcpu, 0)
    const order = quickOrder(load<u64>(a), load<u16>(a + 8), mSig, mSe)
    if (order >= 0) return reportOrder(vcpu, order, pops)
  }
  begin(vcpu)
  let codes: u32 = C0 | C2 | C3
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    codes = compare(load<u64>(a), load<u16>(a + 8), mSig, mSe, mDenormal, false)
  }
  finishCompare(vcpu, codes, pops)
}
export function x87CompareF32(vcpu: usize, bits: i32, pops: i32): void {
  expandF32(bits)
  compareMemory(vcpu, pops)
}
export function x87CompareF64(vcpu: usize, bits: i64, pops: i32): void {
  expandF64(bits)
  compareMemory(vcpu, pops)
}
export function x87CompareInt(vcpu: usize, value: i32, pops: i32): void {
  expandInteger(value)
  compareMemory(vcpu, pops)
}
export function x87Test(vcpu: usize): void {
  expandInteger(0)
  compareMemory(vcpu, 0)
}

/** FCOMI, FUCOMI: the status flags ZF 40h, PF 4, CF 1; set even when an exception is unmasked (as Zen does). */
export function x87CompareFlags(vcpu: usize, i: i32, quiet: i32, pops: i32): i32 {
  if (isFull(vcpu, 0) && isFull(vcpu, i)) {
    const a = registerOf(vcpu, 0)
    const b = registerOf(vcpu, i)
    const order = quickOrder(load<u64>(a), load<u16>(a + 8), load<u64>(b), load<u16>(b + 8))
    if (order >= 0) {
      if (pops) popQuick(vcpu)
      return order & C3 ? 0x40 : order & C0 ? 1 : 0
    }
  }
  begin(vcpu)
  let codes: u32 = C0 | C2 | C3
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, i)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const b = stackRegister(vcpu, i)
    codes = compare(load<u64>(a), load<u16>(a + 8), load<u64>(b), load<u16>(b + 8), false, quiet != 0)
  }
  if (!stopped() && pops) pop(vcpu)
  finishKeepingC1(vcpu)
  return <i32>((codes & C3 ? 0x40 : 0) | (codes & C2 ? 4 : 0) | (codes & C0 ? 1 : 0))
}

export function x87Examine(vcpu: usize): void {
  begin(vcpu)
  const a = stackRegister(vcpu, 0)
  const se = load<u16>(a + 8)
  unpackExtended(load<u64>(a), se)
  let codes: u32
  if (isEmpty(vcpu, 0)) codes = C3 | C0
  else if (xClass == CLASS_UNSUPPORTED) codes = 0
  else if (xClass >= CLASS_QNAN) codes = C0
  else if (xClass == CLASS_INFINITE) codes = C2 | C0
  else if (xClass == CLASS_ZERO) codes = C3
  else codes = xDenormal ? C3 | C2 : C2
  setConditionCodes(vcpu, CONDITION_CODES, codes | (se >> 15 ? C1 : 0))
}

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
