/** x87: rounding to integer, scaling, extraction, partial remainders; environment images. */
import {
  CR0_EM,
  CR0_MP,
  CR0_PE,
  CR0_TS,
  EFLAGS_VM,
  FPU_CS,
  FPU_CW,
  FPU_DP,
  FPU_DS,
  FPU_IGNORE_ERRORS,
  FPU_IP,
  FPU_OPCODE,
  FPU_SW,
  FPU_TAGS,
  FPU_TOP,
  REG_CR0,
  REG_EFLAGS,
  SIMD_EXTRA,
} from './constants'
import {
  begin,
  BIAS,
  C0,
  C1,
  C2,
  C3,
  finish,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  isEmpty,
  packInfinity,
  packResult,
  packZero,
  propagate,
  raise,
  roundingMode,
  setConditionCodes,
  setIndefinite,
  setRoundUp,
  setValue,
  SF,
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
import { deviceNotAvailable, pendingError } from './pending'
import { stackRegister, statusWord, setStatusWord, updateErrorSummary } from './state'
import {
  CLASS_FINITE,
  CLASS_INFINITE,
  CLASS_QNAN,
  CLASS_UNSUPPORTED,
  CLASS_ZERO,
  DE,
  divide128,
  IE,
  PE,
  remainder128,
  roundAt,
  roundedInexact,
  roundedUp,
  setResult,
  TOP_BIT,
  ZE,
} from './unpacked'

function invalid(): void {
  raise(IE)
  setIndefinite()
}

/** FRNDINT: to an integer in the same format; precision control does not matter. */
export function x87RoundToInt(vcpu: usize): void {
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else {
    const a = stackRegister(vcpu, 0)
    const sig = load<u64>(a)
    const se = load<u16>(a + 8)
    unpackExtended(sig, se)
    if (xClass == CLASS_UNSUPPORTED) invalid()
    else if (xClass >= CLASS_QNAN) propagate(sig, se, xClass, 0, 0, CLASS_ZERO)
    else if (xClass != CLASS_FINITE) setValue(sig, se)
    else {
      if (xDenormal) raise(DE)
      if (xExp >= 63) setValue(sig, se)
      else if (!stopped()) {
        const drop = 63 - xExp
        const magnitude = roundAt(xSign, xSig, 0, drop > 65 ? 65 : drop, roundingMode())
        if (roundedInexact) raise(PE)
        setRoundUp(roundedUp)
        if (magnitude == 0) packZero(xSign)
        else {
          const n = <u32>clz(magnitude)
          setValue(magnitude << n, (xSign << 15) | (16383 + 63 - n))
        }
      }
    }
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

/** FSCALE: ST(0) * 2^(ST(1) truncated). */
export function x87Scale(vcpu: usize): void {
  begin(vcpu)
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, 1)) underflow()
  else {
    const b = stackRegister(vcpu, 1)
    const bSig = load<u64>(b)
    const bSe = load<u16>(b + 8)
    unpackExtended(bSig, bSe)
    const eb = xExp
    const mb = xSig
    const sb = xSign
    const cb = xClass
    const denormalB = xDenormal
    const a = stackRegister(vcpu, 0)
    const aSig = load<u64>(a)
    const aSe = load<u16>(a + 8)
    unpackExtended(aSig, aSe)
    if (xClass == CLASS_UNSUPPORTED || cb == CLASS_UNSUPPORTED) invalid()
    else if (xClass >= CLASS_QNAN || cb >= CLASS_QNAN) propagate(aSig, aSe, xClass, bSig, bSe, cb)
    else if (cb == CLASS_INFINITE && (sb ? xClass == CLASS_INFINITE : xClass == CLASS_ZERO)) invalid()
    else {
      if (xDenormal || denormalB) raise(DE)
      if (xClass == CLASS_INFINITE || xClass == CLASS_ZERO) setValue(aSig, aSe)
      else if (cb == CLASS_INFINITE) {
        if (sb) packZero(xSign)
        else packInfinity(xSign)
      } else if (!stopped()) {
        let shift = 0
        if (cb == CLASS_FINITE && eb >= 0) shift = eb > 16 ? 0x20000 : <i32>(mb >> (63 - eb))
        setResult(xSign, xExp + (sb ? -shift : shift), xSig, 0)
        // 64 bits of precision whatever CW.PC
        packResult(64)
      }
    }
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

/** FXTRACT: ST(0) becomes the exponent, the significand is pushed. */
export function x87Extract(vcpu: usize): void {
  begin(vcpu)
  let expSig: u64 = INDEFINITE_SIG
  let expSe: u32 = INDEFINITE_SE
  let sig: u64 = INDEFINITE_SIG
  let se: u32 = INDEFINITE_SE
  if (isEmpty(vcpu, 0)) underflow()
  else if (!isEmpty(vcpu, -1)) {
    raise(IE | SF)
    setRoundUp(true)
  } else {
    const a = stackRegister(vcpu, 0)
    sig = load<u64>(a)
    se = load<u16>(a + 8)
    unpackExtended(sig, se)
    if (xClass == CLASS_UNSUPPORTED) {
      raise(IE)
      sig = INDEFINITE_SIG
      se = INDEFINITE_SE
    } else if (xClass >= CLASS_QNAN) {
      propagate(sig, se, xClass, 0, 0, CLASS_ZERO)
      sig |= 0x4000000000000000
      expSig = sig
      expSe = se
    } else if (xClass == CLASS_INFINITE) {
      expSig = TOP_BIT
      expSe = 0x7fff
    } else if (xClass == CLASS_ZERO) {
      raise(ZE)
      expSig = TOP_BIT
      expSe = 0xffff
    } else {
      if (xDenormal) raise(DE)
      sig = xSig
      se = (xSign << 15) | BIAS
      const exponent = xExp
      if (exponent == 0) {
        expSig = 0
        expSe = 0
      } else {
        const magnitude = <u64>abs(exponent)
        const n = <u32>clz(magnitude)
        expSig = magnitude << n
        expSe = (exponent < 0 ? 0x8000 : 0) | (16383 + 63 - n)
      }
    }
  }
  if (!stopped()) {
    setValue(expSig, expSe)
    writeResult(vcpu, 0)
    store<u32>(vcpu + FPU_TOP, (load<u32>(vcpu + FPU_TOP) - 1) & 7)
    setValue(sig, se)
    writeResult(vcpu, 0)
  }
  finish(vcpu)
}

/** FPREM (nearest 0) and FPREM1 (nearest 1): at most 63 bits of the quotient a time; C2 = 1 while the reduction is incomplete. */
export function x87Remainder(vcpu: usize, nearest: i32): void {
  begin(vcpu)
  let codes: u32 = 0
  // an invalid operation changes only C2
  let changed: u32 = C2
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, 1)) underflow()
  else {
    const b = stackRegister(vcpu, 1)
    const bSig = load<u64>(b)
    const bSe = load<u16>(b + 8)
    unpackExtended(bSig, bSe)
    const eb = xExp
    const mb = xSig
    const cb = xClass
    const denormalB = xDenormal
    const a = stackRegister(vcpu, 0)
    const aSig = load<u64>(a)
    const aSe = load<u16>(a + 8)
    unpackExtended(aSig, aSe)
    if (xClass == CLASS_UNSUPPORTED || cb == CLASS_UNSUPPORTED) invalid()
    else if (xClass >= CLASS_QNAN || cb >= CLASS_QNAN) propagate(aSig, aSe, xClass, bSig, bSe, cb)
    else if (xClass == CLASS_INFINITE || cb == CLASS_ZERO) invalid()
    else {
      if (xDenormal || denormalB) raise(DE)
      changed = C0 | C2 | C3
      if (xClass == CLASS_ZERO) setValue(aSig, aSe)
      else if (stopped()) setValue(aSig, aSe)
      else if (cb == CLASS_INFINITE) {
        // a denormal comes back as the underflow that it is when that is not masked
        setResult(xSign, xExp, xSig, 0)
        packResult(64)
      } else codes = reduce(eb, mb, nearest != 0)
    }
  }
  if (stopped()) setConditionCodes(vcpu, C2, 0)
  else {
    writeResult(vcpu, 0)
    setConditionCodes(vcpu, changed, codes & changed)
    setRoundUp((codes & C1) != 0)
  }
  finish(vcpu)
}

/** xSig, xExp reduced by mb * 2^eb; gives C2, or the quotient's low bits as C0 C3 C1. */
function reduce(eb: i32, mb: u64, nearest: bool): u32 {
  const d = xExp - eb
  let sign = xSign
  let quotient: u64 = 0
  let r = xSig
  let exponent = eb
  let codes: u32 = 0
  const least = nearest ? -1 : 0
  if (d < least) {
    setResult(sign, xExp, xSig, 0)
    packResult(64)
    return 0
  }
  if (d >= 64) {
    // bring the exponents to within a multiple of 32 of each other
    const n = (d & 31) | 32
    r = modulo(xSig, n, mb)
    exponent = xExp - n
    codes = C2
  } else if (d < 0) {
    // FPREM1 with a just below b: quotient 0 or 1, remainder in units of 2^(eb - 1)
    // |a| > |b| / 2 exactly when a's significand is the larger one
    exponent = xExp
    if (r > mb) {
      // |b| - |a| = 2 * mb - r in a's units, which may need 65 bits
      quotient = 1
      const twice = mb << 1
      r = twice - r
      sign ^= 1
    }
  } else {
    r = modulo(xSig, d, mb)
    quotient = lastQuotient
    if (nearest) {
      // round the quotient to nearest even: compare the remainder with the rest of the divisor
      const rest = mb - r
      if (r > rest || (r == rest && (quotient & 1) != 0)) {
        r = rest
        quotient++
        sign ^= 1
      }
    }
  }
  if (r == 0) packZero(xSign)
  else {
    const n = <i32>clz(r)
    setResult(sign, exponent - n, r << n, 0)
    packResult(64)
  }
  if (codes & C2) return C2
  return (quotient & 1 ? C1 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 4 ? C0 : 0)
}

let lastQuotient: u64 = 0

/** (a * 2^n) mod b for n < 64 and normalized a, b; the quotient's low 64 bits in lastQuotient. */
function modulo(a: u64, n: i32, b: u64): u64 {
  let top: u64 = 0
  if (a >= b) {
    a -= b
    top = (<u64>1) << n
  }
  if (n == 0) {
    lastQuotient = top
    return a
  }
  // a < b: the upper part of a * 2^n is below b too
  lastQuotient = top + divide128(a >> (64 - n), a << n, b)
  return remainder128
}

// ---- environment ----

/** Two bits for each physical register: 0 valid, 1 zero, 2 special, 3 empty. */
function fullTags(vcpu: usize): u32 {
  let tags: u32 = 0
  const used = load<u32>(vcpu + FPU_TAGS)
  const top = load<u32>(vcpu + FPU_TOP)
  for (let i: u32 = 0; i < 8; i++) {
    let tag: u32 = 3
    if ((used >> i) & 1) {
      const a = stackRegister(vcpu, (i - top) & 7)
      const exponent = (<u32>load<u16>(a + 8)) & 0x7fff
      const sig = load<u64>(a)
      if (exponent == 0 && sig == 0) tag = 1
      else tag = exponent == 0 || exponent == 0x7fff || sig >> 63 == 0 ? 2 : 0
    }
    tags |= tag << (i * 2)
  }
  return tags
}

function isProtected(vcpu: usize): bool {
  return (load<u32>(vcpu + REG_CR0) & CR0_PE) != 0 && (load<u32>(vcpu + REG_EFLAGS) & EFLAGS_VM) == 0
}

/** FNSTENV and FNSAVE: the image in the scratch area, 28 + 80 bytes when `wide`, else 14 + 80. SDM volume 1, figures 8-9 to 8-12. */
export function x87StoreEnvironment(vcpu: usize, wide: i32): void {
  const image = vcpu + SIMD_EXTRA
  const cw = load<u32>(vcpu + FPU_CW)
  const sw = statusWord(vcpu)
  const tags = fullTags(vcpu)
  const opcode = load<u32>(vcpu + FPU_OPCODE) & 0x7ff
  const ip = load<u32>(vcpu + FPU_IP)
  const dp = load<u32>(vcpu + FPU_DP)
  const cs = load<u32>(vcpu + FPU_CS) & 0xffff
  const ds = load<u32>(vcpu + FPU_DS) & 0xffff
  const high: u32 = 0xffff0000
  if (wide) {
    store<u32>(image, cw | high)
    store<u32>(image + 4, sw | high)
    store<u32>(image + 8, tags | high)
    if (isProtected(vcpu)) {
      store<u32>(image + 12, ip)
      store<u32>(image + 16, cs | (opcode << 16))
      store<u32>(image + 20, dp)
      store<u32>(image + 24, ds | high)
    } else {
      const ipLinear = ip + (cs << 4)
      const dpLinear = dp + (ds << 4)
      store<u32>(image + 12, (ipLinear & 0xffff) | high)
      store<u32>(image + 16, opcode | ((ipLinear >> 16) << 12))
      store<u32>(image + 20, (dpLinear & 0xffff) | high)
      store<u32>(image + 24, (dpLinear >> 16) << 12)
    }
  } else {
    store<u16>(image, cw)
    store<u16>(image + 2, sw)
    store<u16>(image + 4, tags)
    if (isProtected(vcpu)) {
      store<u16>(image + 6, ip)
      store<u16>(image + 8, cs)
      store<u16>(image + 10, dp)
      store<u16>(image + 12, ds)
    } else {
      const ipLinear = ip + (cs << 4)
      const dpLinear = dp + (ds << 4)
      store<u16>(image + 6, ipLinear)
      store<u16>(image + 8, opcode | (((ipLinear >> 16) & 15) << 12))
      store<u16>(image + 10, dpLinear)
      store<u16>(image + 12, ((dpLinear >> 16) & 15) << 12)
    }
  }
  const registers = image + (wide ? 28 : 14)
  for (let i = 0; i < 8; i++) {
    const a = stackRegister(vcpu, i)
    store<u64>(registers + i * 10, load<u64>(a))
    store<u16>(registers + i * 10 + 8, load<u16>(a + 8))
  }
}

/** FLDENV and, with the registers, FRSTOR from the scratch area. */
export function x87LoadEnvironment(vcpu: usize, wide: i32, withRegisters: i32): void {
  const image = vcpu + SIMD_EXTRA
  const scale = wide ? 2 : 1
  store<u32>(vcpu + FPU_CW, ((<u32>load<u16>(image)) & 0x1f3f) | 0x40)
  setStatusWord(vcpu, load<u16>(image + 2 * scale))
  const full = <u32>load<u16>(image + 4 * scale)
  let tags: u32 = 0
  for (let i = 0; i < 8; i++) if (((full >> (i * 2)) & 3) != 3) tags |= 1 << i
  store<u32>(vcpu + FPU_TAGS, tags)
  const first = wide ? load<u32>(image + 12) : <u32>load<u16>(image + 6)
  const second = wide ? load<u32>(image + 16) : <u32>load<u16>(image + 8)
  const third = wide ? load<u32>(image + 20) : <u32>load<u16>(image + 10)
  const fourth = wide ? load<u32>(image + 24) : <u32>load<u16>(image + 12)
  if (isProtected(vcpu)) {
    store<u64>(vcpu + FPU_IP, first)
    store<u32>(vcpu + FPU_CS, second & 0xffff)
    if (wide) store<u32>(vcpu + FPU_OPCODE, (second >> 16) & 0x7ff)
    store<u64>(vcpu + FPU_DP, third)
    store<u32>(vcpu + FPU_DS, fourth & 0xffff)
  } else {
    store<u64>(vcpu + FPU_IP, (first & 0xffff) | ((second >> 12) << 16))
    store<u32>(vcpu + FPU_CS, 0)
    store<u32>(vcpu + FPU_OPCODE, second & 0x7ff)
    store<u64>(vcpu + FPU_DP, (third & 0xffff) | ((fourth >> 12) << 16))
    store<u32>(vcpu + FPU_DS, 0)
  }
  if (!withRegisters) return
  const registers = image + (wide ? 28 : 14)
  for (let i = 0; i < 8; i++) {
    const a = stackRegister(vcpu, i)
    store<u64>(a, load<u64>(registers + i * 10))
    store<u64>(a + 8, load<u16>(registers + i * 10 + 8))
  }
}

/** After FNSTENV all exceptions are masked. */
export function x87MaskExceptions(vcpu: usize): void {
  store<u32>(vcpu + FPU_CW, load<u32>(vcpu + FPU_CW) | 0x3f)
  updateErrorSummary(vcpu)
}

/** FNCLEX: exception flags, SF, ES and B. */
export function x87ClearExceptions(vcpu: usize): void {
  store<u32>(vcpu + FPU_SW, load<u32>(vcpu + FPU_SW) & 0x7f00)
  store<u32>(vcpu + FPU_IGNORE_ERRORS, 0)
}

export function x87LoadControl(vcpu: usize, value: i32): void {
  store<u32>(vcpu + FPU_CW, ((<u32>value) & 0x1f3f) | 0x40)
  updateErrorSummary(vcpu)
}
export function x87StatusWord(vcpu: usize): i32 {
  return <i32>statusWord(vcpu)
}

/** An x87 instruction that may not run: #NM, or a pending exception. */
export function x87Unavailable(vcpu: usize): i32 {
  return load<u32>(vcpu + REG_CR0) & (CR0_EM | CR0_TS) ? deviceNotAvailable(vcpu) : pendingError(vcpu)
}
/** Likewise for WAIT, which ignores CR0.EM. */
export function x87WaitFault(vcpu: usize): i32 {
  const both = CR0_TS | CR0_MP
  return (load<u32>(vcpu + REG_CR0) & both) == both ? deviceNotAvailable(vcpu) : pendingError(vcpu)
}
