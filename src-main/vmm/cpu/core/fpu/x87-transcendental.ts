/**
 * The transcendental x87 instructions. Arguments are reduced exactly (trigonometric ones modulo the 66-bit pi that x87 processors use, SDM volume 1,
 * 8.3.8), the series run with 128 bits, and the result is rounded once to 64 bits by CW.RC (CW.PC does not matter): results are correctly rounded
 * but for cases within about 2^-50 ulp of a tie, where real processors promise 1 ulp. Every nonzero result of a nontrivial argument counts as inexact.
 */
import {
  begin,
  BIAS,
  C2,
  finish,
  isEmpty,
  packInfinity,
  packResult,
  packZero,
  pop,
  propagate,
  raise,
  rSe,
  rSig,
  setConditionCodes,
  setIndefinite,
  setRoundUp,
  setValue,
  SF,
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
import { stackRegister } from './state'
import {
  CLASS_FINITE,
  CLASS_INFINITE,
  CLASS_QNAN,
  CLASS_UNSUPPORTED,
  CLASS_ZERO,
  DE,
  IE,
  mulUnpacked,
  PE,
  setResult,
  TOP_BIT,
  UE,
  ZE,
  addUnpacked,
  zHi,
  zLo,
  zExp,
} from './unpacked'
import {
  arctangentSeries,
  divWide,
  exponentialSeries,
  fromFixed,
  mulFixed,
  mulWide,
  ONE,
  pHi,
  pLo,
  setWide,
  shiftRight,
  sineSeries,
  tHi,
  tLo,
  wExp,
  wHi,
  wLo,
} from './wide'

const LN2_HI: u64 = 0xb17217f7d1cf79ab
const LN2_LO: u64 = 0xc9e3b39803f2f6af
/** 2 / ln 2, exponent 1. */
const TWO_LOG2E_HI: u64 = 0xb8aa3b295c17f0bb
const TWO_LOG2E_LO: u64 = 0xbe87fed0691d3e89
/** pi, exponent 1. */
const PI_HI: u64 = 0xc90fdaa22168c234
const PI_LO: u64 = 0xc4c6628b80dc1cd1
/** pi / 2 in units of 2^-65: 66 bits. */
const HALF_PI_66_HI: u64 = 0x3
const HALF_PI_66_LO: u64 = 0x243f6a8885a308d3
/** Square root of 2, Q63. */
const ROOT2: u64 = 0xb504f333f9de6484
/** atan(k / 8), k = 0..8, Q127: high and low words. */
const ARCTANGENTS: usize = memory.data<u64>([
  0, 0, 0x0feadd4d5617b6e3, 0x2c897989f3e888ef, 0x1f5b75f92c80dd62, 0xadb8f3debef442fd, 0x2dec3283c9bde11c, 0xe2a8c848b73f9121,
  0x3b58ce0ac3769ed1, 0x5bf9117b2f0ea341, 0x47802eaf7bfacfcd, 0xae41af0b32e21ba4, 0x525e3e8c9a7b8492, 0x0cd43f9522bed64f,
  0x5c029f15e118cf39, 0xe596d2a90852221f, 0x6487ed5110b4611a, 0x62633145c06e0e69,
])

function invalid(): void {
  raise(IE)
  setIndefinite()
}
function packWide(sign: u32): void {
  setResult(sign, wExp, wHi, wLo | 1)
  packResult(64)
}

// operands of the two-operand instructions: a = ST(0), b = ST(1)
let aSig: u64 = 0
let aSe: u32 = 0
let bSig: u64 = 0
let bSe: u32 = 0
let bSign: u32 = 0
let bExp: i32 = 0
let bNorm: u64 = 0
let bClass: u32 = 0
let denormal: bool = false

function loadTop(vcpu: usize): void {
  const a = stackRegister(vcpu, 0)
  aSig = load<u64>(a)
  aSe = load<u16>(a + 8)
  unpackExtended(aSig, aSe)
}
/** ST(0) unpacked; true when the result is decided. */
function decidedTop(vcpu: usize): bool {
  loadTop(vcpu)
  if (xClass == CLASS_UNSUPPORTED) {
    invalid()
    return true
  }
  if (xClass >= CLASS_QNAN) {
    propagate(aSig, aSe, xClass, 0, 0, CLASS_ZERO)
    return true
  }
  return false
}

// ---- F2XM1 ----

export function x87PowerMinusOne(vcpu: usize): void {
  begin(vcpu)
  if (isEmpty(vcpu, 0)) underflow()
  else if (!decidedTop(vcpu)) {
    if (xClass == CLASS_ZERO) setValue(aSig, aSe)
    else if (xClass == CLASS_INFINITE) setValue(xSign ? TOP_BIT : aSig, xSign ? 0xbfff : aSe)
    else {
      if (xDenormal) raise(DE)
      if (!stopped()) {
        // outside -1..1 the result is undefined: the operand stays, as on AMD processors
        if (xExp >= 0) {
          raise(PE)
          if (xExp == 0 && xSig == TOP_BIT) setValue(TOP_BIT, xSign ? 0xbffe : 0x3fff)
          else setValue(aSig, aSe)
        } else {
          mulWide(xSig, 0, xExp, LN2_HI, LN2_LO, -1)
          const h = wHi
          const l = wLo
          const e = wExp
          shiftRight(h, l, -1 - e)
          exponentialSeries(pHi, pLo, xSign != 0)
          fromFixed(tHi, tLo, 127)
          mulWide(wHi, wLo, wExp, h, l, e)
          packWide(xSign)
        }
      }
    }
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

// ---- FYL2X, FYL2XP1 ----

let logSign: u32 = 0

/** 2 / ln 2 * atanh(w), w and the result being the wide number. */
function logFromQuotient(): void {
  const h = wHi
  const l = wLo
  const e = wExp
  mulWide(h, l, e, h, l, e)
  shiftRight(wHi, wLo, -1 - wExp)
  arctangentSeries(pHi, pLo, false)
  fromFixed(tHi, tLo, 127)
  mulWide(wHi, wLo, wExp, h, l, e)
  mulWide(wHi, wLo, wExp, TWO_LOG2E_HI, TWO_LOG2E_LO, 1)
}

/** log2(m * 2^e) for m (Q127, at least 1): sign in logSign, magnitude as the wide number. */
function logarithm(mh: u64, ml: u64, e: i32): void {
  if (mh == ONE && ml == 0) {
    logSign = u32(e < 0)
    fromFixed(<u64>abs(e), 0, 64)
    return
  }
  // above the root of 2: m / 2 in its place, whose logarithm is negative
  const fSign = u32(mh > ROOT2)
  let nh = mh - ONE
  let nl = ml
  if (fSign) {
    e++
    nl = 0 - ml
    nh = 0 - mh - u64(ml != 0)
  }
  // (m - 1) / (m + 1), or (2 - m) / (2 + m); both denominators have bit 62 for the number added
  shiftRight(mh, ml, fSign ? 2 : 1)
  const dh = pHi + 0x4000000000000000
  const dl = pLo
  fromFixed(nh, nl, 127)
  const h = wHi
  const l = wLo
  const x = wExp
  fromFixed(dh, dl, fSign ? 125 : 126)
  divWide(h, l, x, wHi, wLo, wExp)
  logFromQuotient()
  if (e == 0) {
    logSign = fSign
    return
  }
  // |e| >= 1 > |f|: fixed point with 113 fraction bits
  logSign = u32(e < 0)
  const eh = (<u64>abs(e)) << 49
  shiftRight(wHi, wLo, 14 - wExp)
  if (fSign == logSign) fromFixed(eh + pHi, pLo, 113)
  else fromFixed(eh - pHi - u64(pLo != 0), 0 - pLo, 113)
}

/** FYL2X (plusOne = 0): ST(1) * log2(ST(0)); FYL2XP1: ST(1) * log2(ST(0) + 1); pops. */
export function x87Log(vcpu: usize, plusOne: i32): void {
  begin(vcpu)
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, 1)) underflow()
  else if (!decidedPair(vcpu)) {
    if (plusOne) logPlusOne()
    else log()
  }
  if (!stopped()) {
    writeResult(vcpu, 1)
    pop(vcpu)
  }
  finish(vcpu)
}

/** Unpacks ST(1) into b..., then ST(0) into x...; true when the result is decided (a NaN, or something unsupported). */
function decidedPair(vcpu: usize): bool {
  const b = stackRegister(vcpu, 1)
  bSig = load<u64>(b)
  bSe = load<u16>(b + 8)
  unpackExtended(bSig, bSe)
  bSign = xSign
  bExp = xExp
  bNorm = xSig
  bClass = xClass
  denormal = xDenormal
  loadTop(vcpu)
  denormal = denormal || xDenormal
  if (xClass == CLASS_UNSUPPORTED || bClass == CLASS_UNSUPPORTED) {
    invalid()
    return true
  }
  if (xClass >= CLASS_QNAN || bClass >= CLASS_QNAN) {
    propagate(aSig, aSe, xClass, bSig, bSe, bClass)
    return true
  }
  return false
}

function log(): void {
  if (xClass == CLASS_ZERO) {
    if (bClass == CLASS_ZERO) return invalid()
    if (bClass == CLASS_INFINITE) {
      packInfinity(bSign ^ 1)
      return
    }
    raise(ZE)
    packInfinity(bSign ^ 1)
    return
  }
  if (xSign) return invalid()
  const one = xClass == CLASS_FINITE && xExp == 0 && xSig == TOP_BIT
  if (xClass == CLASS_INFINITE) {
    if (bClass == CLASS_ZERO) return invalid()
    if (denormal) raise(DE)
    packInfinity(bSign)
    return
  }
  const negative = u32(xExp < 0)
  if (bClass == CLASS_INFINITE) {
    if (one) return invalid()
    if (denormal) raise(DE)
    packInfinity(bSign ^ negative)
    return
  }
  if (denormal) raise(DE)
  if (stopped()) return
  if (bClass == CLASS_ZERO) return packZero(bSign ^ negative)
  if (one) return packZero(bSign)
  logarithm(xSig, 0, xExp)
  multiplyByB(xSig == TOP_BIT)
}

function multiplyByB(exact: bool): void {
  if (exact) {
    // a power of two: the logarithm is an integer; it counts as inexact all the same
    mulUnpacked(logSign, wExp, wHi, bSign, bExp, bNorm)
    packResult(64)
    raise(rSe & 0x7fff ? PE : PE | UE)
    return
  }
  mulWide(wHi, wLo, wExp, bNorm, 0, bExp)
  packWide(logSign ^ bSign)
}

function logPlusOne(): void {
  if (xClass == CLASS_ZERO) {
    if (bClass == CLASS_INFINITE) return invalid()
    if (denormal) raise(DE)
    return packZero(xSign ^ bSign)
  }
  if (xClass == CLASS_INFINITE) {
    if (xSign || bClass == CLASS_ZERO) return invalid()
    if (denormal) raise(DE)
    packInfinity(bSign)
    return
  }
  if (bClass == CLASS_INFINITE) {
    if (denormal) raise(DE)
    packInfinity(xSign ^ bSign)
    return
  }
  if (denormal) raise(DE)
  if (stopped()) return
  if (bClass == CLASS_ZERO) return packZero(xSign ^ bSign)
  // at -1 and below the result is undefined: the operand stays, as on AMD processors
  if (xSign && xExp >= 0) {
    raise(PE)
    return setValue(aSig, aSe)
  }
  if (xExp <= -2) {
    // quotient x / (2 + x), den with 126 fraction bits
    const sign = xSign
    shiftRight(xSig, 0, 1 - xExp)
    let dh: u64
    let dl: u64
    if (sign) {
      dh = TOP_BIT - pHi - u64(pLo != 0)
      dl = 0 - pLo
    } else {
      dh = TOP_BIT + pHi
      dl = pLo
    }
    fromFixed(dh, dl, 126)
    divWide(xSig, 0, xExp, wHi, wLo, wExp)
    logFromQuotient()
    logSign = sign
    multiplyByB(false)
    return
  }
  addUnpacked(xSign, xExp, xSig, 0, 0, TOP_BIT)
  const power = zHi == TOP_BIT && zLo == 0
  logarithm(zHi, zLo, zExp)
  multiplyByB(power)
}

// ---- FPATAN ----

/** atan(num / den), num <= den, of positive numbers: the wide number. */
function smallArctangent(nExp: i32, n: u64, dExp: i32, d: u64): void {
  divWide(n, 0, nExp, d, 0, dExp)
  if (wExp < -4) {
    arctangentOfWide()
    return
  }
  // subtract atan(k / 8), k / 8 next to the quotient
  shiftRight(wHi, wLo, 0 - wExp)
  const qh = pHi
  const ql = pLo
  const k = (qh + 0x0800000000000000) >> 60
  const kh = k << 60
  const below = qh < kh
  let nh = qh - kh
  let nl = ql
  if (below) {
    nh = kh - qh - u64(ql != 0)
    nl = 0 - ql
  }
  const tableHi = load<u64>(ARCTANGENTS + <usize>k * 16)
  const tableLo = load<u64>(ARCTANGENTS + <usize>k * 16 + 8)
  if ((nh | nl) == 0) {
    fromFixed(tableHi, tableLo, 127)
    return
  }
  // den = 1 + q k / 8, 126 fraction bits: q * (k << 60) is Q127 * Q63
  mulFixed(qh, ql, kh, 0)
  const dh = 0x4000000000000000 + pHi
  const dl = pLo
  fromFixed(nh, nl, 127)
  const h = wHi
  const l = wLo
  const e = wExp
  fromFixed(dh, dl, 126)
  divWide(h, l, e, wHi, wLo, wExp)
  arctangentOfWide()
  shiftRight(wHi, wLo, 0 - wExp)
  if (below) fromFixed(tableHi - pHi - u64(tableLo < pLo), tableLo - pLo, 127)
  else {
    const low = tableLo + pLo
    fromFixed(tableHi + pHi + u64(low < pLo), low, 127)
  }
}
function arctangentOfWide(): void {
  const h = wHi
  const l = wLo
  const e = wExp
  mulWide(h, l, e, h, l, e)
  shiftRight(wHi, wLo, -1 - wExp)
  arctangentSeries(pHi, pLo, true)
  if (tHi == ONE && tLo == 0) {
    setWide(h, l, e)
    // a little below
    if (wLo == 0) wideDecrement()
    return
  }
  fromFixed(tHi, tLo, 127)
  mulWide(wHi, wLo, wExp, h, l, e)
}
function wideDecrement(): void {
  if (wHi == TOP_BIT) setWide(u64.MAX_VALUE, u64.MAX_VALUE, wExp - 1)
  else setWide(wHi - 1, u64.MAX_VALUE, wExp)
}

/** eighths of pi as the wide number. */
function piEighths(n: u64): void {
  // n * pi / 8: pi in Q124 times n <= 8
  shiftRight(PI_HI, PI_LO, 6)
  const low = pLo * n
  const high = pHi * n + carryOf(pLo, n)
  fromFixed(high, low, 123)
}
function carryOf(a: u64, n: u64): u64 {
  return ((a >> 32) * n + (((a & 0xffffffff) * n) >> 32)) >> 32
}

/** ST(1) = atan2(ST(1), ST(0)); pops. */
export function x87Arctangent(vcpu: usize): void {
  begin(vcpu)
  if (isEmpty(vcpu, 0) || isEmpty(vcpu, 1)) underflow()
  else if (!decidedPair(vcpu)) {
    if (denormal) raise(DE)
    if (!stopped()) arctangent()
  }
  if (!stopped()) {
    writeResult(vcpu, 1)
    pop(vcpu)
  }
  finish(vcpu)
}

function arctangent(): void {
  const y = bClass
  const x = xClass
  if (y == CLASS_ZERO) {
    if (!xSign) return packZero(bSign)
    setWide(PI_HI, PI_LO, 1)
    return packWide(bSign)
  }
  if (y == CLASS_INFINITE) {
    piEighths(x == CLASS_INFINITE ? (xSign ? 6 : 2) : 4)
    return packWide(bSign)
  }
  if (x == CLASS_ZERO) {
    piEighths(4)
    return packWide(bSign)
  }
  if (x == CLASS_INFINITE) {
    if (!xSign) return packZero(bSign)
    setWide(PI_HI, PI_LO, 1)
    return packWide(bSign)
  }
  const steep = bExp > xExp || (bExp == xExp && bNorm > xSig)
  if (!steep && !xSign) {
    smallArctangent(bExp, bNorm, xExp, xSig)
    return packWide(bSign)
  }
  if (steep) smallArctangent(xExp, xSig, bExp, bNorm)
  else smallArctangent(bExp, bNorm, xExp, xSig)
  // with 125 fraction bits: pi is PI >> 1 (3.14 < 4)
  shiftRight(wHi, wLo, 2 - wExp)
  const h = pHi
  const l = pLo
  // pi / 2 for steep directions, else pi
  shiftRight(PI_HI, PI_LO, steep ? 2 : 1)
  if (steep && xSign) {
    const low = pLo + l
    fromFixed(pHi + h + u64(low < l), low, 125)
  } else fromFixed(pHi - h - u64(pLo < l), pLo - l, 125)
  packWide(bSign)
}

// ---- FSIN, FCOS, FSINCOS, FPTAN ----

let rHi: u64 = 0
let rLo: u64 = 0
let rExp: i32 = 0
let rNegative: u32 = 0
let quadrant: u32 = 0
let squareHi: u64 = 0
let squareLo: u64 = 0

/** |x| modulo pi / 2 into -pi/4..pi/4, exactly. */
function reduceAngle(): void {
  quadrant = 0
  rNegative = 0
  if (xExp < -1) {
    rHi = xSig
    rLo = 0
    rExp = xExp
  } else {
    let high: u64 = 0
    let low: u64 = 0
    for (let i = 63 + xExp + 2; i >= 0; i--) {
      high = (high << 1) | (low >> 63)
      low <<= 1
      const bit = i - xExp - 2
      if (bit >= 0) low |= (xSig >> bit) & 1
      quadrant <<= 1
      if (high > HALF_PI_66_HI || (high == HALF_PI_66_HI && low >= HALF_PI_66_LO)) {
        high -= HALF_PI_66_HI + u64(low < HALF_PI_66_LO)
        low -= HALF_PI_66_LO
        quadrant |= 1
      }
    }
    const restLow = HALF_PI_66_LO - low
    const restHigh = HALF_PI_66_HI - high - u64(HALF_PI_66_LO < low)
    if (high > restHigh || (high == restHigh && low > restLow)) {
      high = restHigh
      low = restLow
      quadrant++
      rNegative = 1
    }
    fromFixed(high, low, 65)
    rHi = wHi
    rLo = wLo
    rExp = wExp
  }
  mulWide(rHi, rLo, rExp, rHi, rLo, rExp)
  shiftRight(wHi, wLo, -1 - wExp)
  squareHi = pHi
  squareLo = pLo
}
function sineOfReduced(): void {
  sineSeries(squareHi, squareLo, 2)
  fromFixed(tHi, tLo, 127)
  mulWide(wHi, wLo, wExp, rHi, rLo, rExp)
}
function cosineOfReduced(): void {
  sineSeries(squareHi, squareLo, 1)
  fromFixed(tHi, tLo, 127)
}
function packSine(): void {
  let sign = xSign ^ ((quadrant >> 1) & 1)
  if (quadrant & 1) cosineOfReduced()
  else {
    sineOfReduced()
    sign ^= rNegative
  }
  packWide(sign)
}
function packCosine(): void {
  let sign = ((quadrant + 1) >> 1) & 1
  if (quadrant & 1) {
    sineOfReduced()
    sign ^= rNegative
  } else cosineOfReduced()
  packWide(sign)
}
function packTangent(): void {
  sineOfReduced()
  const h = wHi
  const l = wLo
  const e = wExp
  cosineOfReduced()
  if (quadrant & 1) divWide(wHi, wLo, wExp, h, l, e)
  else divWide(h, l, e, wHi, wLo, wExp)
  packWide(xSign ^ rNegative ^ (quadrant & 1))
}

/** True when ST(0) is out of range (C2 = 1, nothing else happens). */
function outOfRange(vcpu: usize): bool {
  if (xClass != CLASS_FINITE || xExp < 63) return false
  setConditionCodes(vcpu, C2, C2)
  return true
}

/** FSIN (1), FCOS (2), FSINCOS (3: the sine replaces ST(0), the cosine is pushed). */
export function x87SineCosine(vcpu: usize, which: i32): void {
  begin(vcpu)
  setConditionCodes(vcpu, C2, 0)
  if (which == 3) return pair(vcpu, false)
  if (isEmpty(vcpu, 0)) underflow()
  else if (!decidedTop(vcpu)) {
    if (xClass == CLASS_INFINITE) invalid()
    else if (xClass == CLASS_ZERO) {
      if (which == 1) setValue(aSig, aSe)
      else setValue(TOP_BIT, BIAS)
    } else {
      if (outOfRange(vcpu)) return finish(vcpu)
      if (xDenormal) raise(DE)
      if (!stopped()) {
        reduceAngle()
        if (which == 1) packSine()
        else packCosine()
      }
    }
  }
  if (!stopped()) writeResult(vcpu, 0)
  finish(vcpu)
}

/** FPTAN: the tangent replaces ST(0), 1.0 is pushed. */
export function x87Tangent(vcpu: usize): void {
  begin(vcpu)
  setConditionCodes(vcpu, C2, 0)
  pair(vcpu, true)
}
function pair(vcpu: usize, tangent: bool): void {
  let firstSig: u64 = 0
  let firstSe: u32 = 0
  if (isEmpty(vcpu, 0)) {
    underflow()
    firstSig = rSig
    firstSe = rSe
  } else if (!isEmpty(vcpu, -1)) {
    raise(IE | SF)
    setRoundUp(true)
    setIndefinite()
    firstSig = rSig
    firstSe = rSe
  } else if (decidedTop(vcpu)) {
    firstSig = rSig
    firstSe = rSe
  } else if (xClass == CLASS_INFINITE) {
    invalid()
    firstSig = rSig
    firstSe = rSe
  } else if (xClass == CLASS_ZERO) {
    firstSig = aSig
    firstSe = aSe
    setValue(TOP_BIT, BIAS)
  } else {
    if (outOfRange(vcpu)) return finish(vcpu)
    if (xDenormal) raise(DE)
    if (!stopped()) {
      reduceAngle()
      if (tangent) packTangent()
      else packSine()
      firstSig = rSig
      firstSe = rSe
      if (tangent) setValue(TOP_BIT, BIAS)
      else packCosine()
    }
  }
  if (!stopped()) {
    const lastSig = rSig
    const lastSe = rSe
    setValue(firstSig, firstSe)
    writeResult(vcpu, 0)
    step(vcpu, -1)
    setValue(lastSig, lastSe)
    writeResult(vcpu, 0)
  }
  finish(vcpu)
}
