/** x87 arithmetic and comparison. `dst` and `src` are stack positions i of ST(i). Codes are in helpers/fpu-codes.ts. */
import { X87_ADD, X87_DIV, X87_DIVR, X87_MUL, X87_SUBR } from '../../helpers/fpu-codes'
import {
  begin, C0, C1, C2, C3, CONDITION_CODES, finish, finishKeepingC1, flags, isEmpty, packInfinity, packResult, packZero, pop, precision,
  propagate, raise, roundingMode, rSe, rSig, setConditionCodes, setIndefinite, setValue, stopped, underflow, unpackExtended,
  writeResult, xClass, xDenormal, xExp, xSig, xSign,
} from './extended'
import { stackRegister } from './state'
import {
  addUnpacked, CLASS_FINITE, CLASS_INFINITE, CLASS_QNAN, CLASS_SNAN, CLASS_UNSUPPORTED, CLASS_ZERO, DE, divUnpacked, IE, mulUnpacked,
  ROUND_DOWN, setResult, sqrtUnpacked, ZE, zHi, zLo,
} from './unpacked'
import { expandF32, expandF64, expandInteger, mDenormal, mSe, mSig } from './x87-operands'
import { isFull, popQuick, quickArithmetic, quickOrder, quickSquareRoot, registerOf, reportOrder } from './x87-quick'

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
