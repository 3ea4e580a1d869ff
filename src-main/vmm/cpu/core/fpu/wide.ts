/**
 * Arithmetic with 128-bit significands for the transcendental functions.
 *
 * Wide numbers are (hi, lo, exponent) with bit 127 set: value = hi:lo / 2^127 * 2^exponent; results are left in wHi, wLo, wExp. Fixed-point
 * numbers are 128 bits with the binary point above the top bit (fractions) or below it (Q127: 1.0 is bit 127). All results are truncated;
 * the errors of a few units in the last of 128 bits are far below the 64 bits that are kept in the end.
 */
import { multiply64, productHi, productLo } from './unpacked'

export let wHi: u64 = 0
export let wLo: u64 = 0
export let wExp: i32 = 0

export function setWide(hi: u64, lo: u64, exponent: i32): void {
  wHi = hi
  wLo = lo
  wExp = exponent
}

/** hi:lo / 2^point as a wide number; hi:lo is not 0. `point` is where the value's unit is, counted from bit 0. */
export function fromFixed(hi: u64, lo: u64, point: i32): void {
  wExp = 127 - point
  if (hi == 0) {
    hi = lo
    lo = 0
    wExp -= 64
  }
  const n = <i32>clz(hi)
  wHi = n ? (hi << n) | (lo >> (64 - n)) : hi
  wLo = lo << n
  wExp -= n
}

export let pHi: u64 = 0
export let pLo: u64 = 0

/** The upper 128 bits of a * b. */
export function mulFixed(ah: u64, al: u64, bh: u64, bl: u64): void {
  multiply64(al, bl)
  const low = productHi
  multiply64(ah, bl)
  const h1 = productHi
  const l1 = productLo
  multiply64(al, bh)
  const h2 = productHi
  const l2 = productLo
  multiply64(ah, bh)
  let middle = low + l1
  let carry = u64(middle < low)
  middle += l2
  carry += u64(middle < l2)
  pLo = productLo + h1
  let high = u64(pLo < h1)
  pLo += h2
  high += u64(pLo < h2)
  pLo += carry
  high += u64(pLo < carry)
  pHi = productHi + high
}

/** p = p / n for 0 < n < 2^32. */
export function divSmall(n: u64): void {
  const a = pHi / n
  let r = pHi - a * n
  const high = (r << 32) | (pLo >> 32)
  const b = high / n
  r = high - b * n
  const low = (r << 32) | (pLo & 0xffffffff)
  pHi = a
  pLo = (b << 32) | (low / n)
}

export function shiftRight(hi: u64, lo: u64, n: i32): void {
  if (n <= 0) {
    pHi = hi
    pLo = lo
  } else if (n < 64) {
    pHi = hi >> n
    pLo = (lo >> n) | (hi << (64 - n))
  } else if (n < 128) {
    pHi = 0
    pLo = hi >> (n - 64)
  } else {
    pHi = 0
    pLo = 0
  }
}

export function mulWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  mulFixed(ah, al, bh, bl)
  wExp = ae + be + 1
  wHi = pHi
  wLo = pLo
  if (wHi >> 63 == 0) {
    wHi = (wHi << 1) | (wLo >> 63)
    wLo <<= 1
    wExp--
  }
}

/** a / b, one bit a time. */
export function divWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  let qh: u64 = 0
  let ql: u64 = 0
  let bits = 128
  wExp = ae - be - 1
  if (ah > bh || (ah == bh && al >= bl)) {
    ql = 1
    bits = 127
    wExp++
    const borrow = u64(al < bl)
    al -= bl
    ah -= bh + borrow
  }
  for (; bits > 0; bits--) {
    const carry = ah >> 63
    ah = (ah << 1) | (al >> 63)
    al <<= 1
    qh = (qh << 1) | (ql >> 63)
    ql <<= 1
    if (carry || ah > bh || (ah == bh && al >= bl)) {
      const borrow = u64(al < bl)
      al -= bl
      ah -= bh + borrow
      ql |= 1
    }
  }
  wHi = qh
  wLo = ql
}

/** The accumulator of the series, Q127. */
export let tHi: u64 = 0
export let tLo: u64 = 0
export const ONE: u64 = 0x8000000000000000

function oneMinusProduct(): void {
  tHi = ONE - pHi - u64(pLo != 0)
  tLo = 0 - pLo
}

/** sin(r) / r (first = 2) or cos(r) (first = 1) of z = r^2 <= 0.62, a fraction: 1 - z / (first (first + 1)) + ... */
export function sineSeries(zh: u64, zl: u64, first: i32): void {
  tHi = ONE
  tLo = 0
  for (let k = first + 30; k >= first; k -= 2) {
    mulFixed(zh, zl, tHi, tLo)
    divSmall(<u64>(k * (k + 1)))
    oneMinusProduct()
  }
  if (tHi == ONE && tLo == 0) {
    tHi--
    tLo = u64.MAX_VALUE
  }
}

/** (e^y - 1) / y for a fraction |y| <= 0.694. */
export function exponentialSeries(yh: u64, yl: u64, negative: bool): void {
  tHi = ONE
  tLo = 0
  for (let k = 34; k >= 2; k--) {
    mulFixed(yh, yl, tHi, tLo)
    divSmall(k)
    if (negative) oneMinusProduct()
    else {
      tHi = ONE + pHi
      tLo = pLo
    }
  }
}

/** atanh(s) / s (or, alternating, atan(s) / s) of z = s^2 <= 0.03, a fraction. */
export function arctangentSeries(zh: u64, zl: u64, alternating: bool): void {
  tHi = 0
  tLo = 0
  for (let k = 26; k >= 0; k--) {
    mulFixed(zh, zl, tHi, tLo)
    const h = pHi
    const l = pLo
    pHi = ONE
    pLo = 0
    divSmall(2 * k + 1)
    if (alternating) {
      tHi = pHi - h - u64(pLo < l)
      tLo = pLo - l
    } else {
      tLo = pLo + l
      tHi = pHi + h + u64(tLo < l)
    }
  }
}
