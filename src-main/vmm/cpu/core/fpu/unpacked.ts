/**
 * Exact arithmetic on unpacked floating-point numbers; every format (f32, f64, x87 extended) is built on it.
 *
 * A finite nonzero number is (sign, exponent, significand): (-1)^sign * significand / 2^63 * 2^exponent with bit 63 of the significand set.
 * Results are not rounded yet: they are left in zSign, zExp and the 128-bit significand zHi:zLo, whose lowest bit is sticky (it is 1 when
 * anything nonzero was shifted out). The globals are temporaries of one helper call; an instance of the core runs in one thread.
 */

/** Exception flags, in the positions that both MXCSR and the x87 status word use; masks and enables likewise. */
export const IE: u32 = 1
export const DE: u32 = 2
export const ZE: u32 = 4
export const OE: u32 = 8
export const UE: u32 = 16
export const PE: u32 = 32

/** Rounding modes as in MXCSR.RC and CW.RC. */
export const ROUND_NEAREST: u32 = 0
export const ROUND_DOWN: u32 = 1
export const ROUND_UP: u32 = 2
export const ROUND_ZERO: u32 = 3

/** Classes of operands; NaNs are the ones from CLASS_QNAN on. */
export const CLASS_ZERO: u32 = 0
export const CLASS_FINITE: u32 = 1
export const CLASS_INFINITE: u32 = 2
export const CLASS_QNAN: u32 = 3
export const CLASS_SNAN: u32 = 4
/** x87 only: pseudo-NaN, pseudo-infinity, unnormal. */
export const CLASS_UNSUPPORTED: u32 = 5

export const TOP_BIT: u64 = 0x8000000000000000

export let zSign: u32 = 0
export let zExp: i32 = 0
export let zHi: u64 = 0
export let zLo: u64 = 0

export function setResult(sign: u32, exponent: i32, hi: u64, lo: u64): void {
  zSign = sign
  zExp = exponent
  zHi = hi
  zLo = lo
}

/** Shifts the result left until bit 127 is set. The 128 bits must not be 0. */
export function normalizeResult(): void {
  if (zHi == 0) {
    zHi = zLo
    zLo = 0
    zExp -= 64
  }
  const n = <i32>clz(zHi)
  if (n) {
    zHi = (zHi << n) | (zLo >> (64 - n))
    zLo <<= n
    zExp -= n
  }
}

/** a + b by magnitude and sign. An exact zero leaves zHi = zLo = 0; its sign is the caller's business. */
export function addUnpacked(sa: u32, ea: i32, ma: u64, sb: u32, eb: i32, mb: u64): void {
  if (ea < eb || (ea == eb && ma < mb)) {
    const s = sa
    const e = ea
    const m = ma
    sa = sb
    ea = eb
    ma = mb
    sb = s
    eb = e
    mb = m
  }
  const d = ea - eb
  let bh: u64 = 0
  let bl: u64 = 0
  if (d == 0) bh = mb
  else if (d < 64) {
    bh = mb >> d
    bl = mb << (64 - d)
  } else if (d == 64) bl = mb
  else if (d < 128) bl = (mb >> (d - 64)) | u64(mb << (128 - d) != 0)
  else bl = 1
  zSign = sa
  zExp = ea
  if (sa == sb) {
    zHi = ma + bh
    zLo = bl
    if (zHi < ma) {
      zLo = (zLo >> 1) | (zLo & 1) | (zHi << 63)
      zHi = (zHi >> 1) | TOP_BIT
      zExp++
    }
  } else {
    zHi = ma - bh - u64(bl != 0)
    zLo = 0 - bl
    if ((zHi | zLo) != 0) normalizeResult()
  }
}

export let productHi: u64 = 0
export let productLo: u64 = 0

/** 64 x 64 -> 128 bits. */
export function multiply64(a: u64, b: u64): void {
  const al = a & 0xffffffff
  const ah = a >> 32
  const bl = b & 0xffffffff
  const bh = b >> 32
  const ll = al * bl
  const m1 = ah * bl + (ll >> 32)
  const m2 = al * bh + (m1 & 0xffffffff)
  productLo = (m2 << 32) | (ll & 0xffffffff)
  productHi = ah * bh + (m1 >> 32) + (m2 >> 32)
}

export function mulUnpacked(sa: u32, ea: i32, ma: u64, sb: u32, eb: i32, mb: u64): void {
  multiply64(ma, mb)
  zSign = sa ^ sb
  zExp = ea + eb + 1
  zHi = productHi
  zLo = productLo
  normalizeResult()
}

export let remainder128: u64 = 0

/** hi:lo / d for hi < d and bit 63 of d set; the remainder goes to remainder128. Knuth's algorithm D with 32-bit digits. */
export function divide128(hi: u64, lo: u64, d: u64): u64 {
  const dh = d >> 32
  const dl = d & 0xffffffff
  let q1 = hi / dh
  let r = hi - q1 * dh
  while (q1 > 0xffffffff || q1 * dl > ((r << 32) | (lo >> 32))) {
    q1--
    r += dh
    if (r > 0xffffffff) break
  }
  const rest = ((hi << 32) | (lo >> 32)) - q1 * d
  let q0 = rest / dh
  r = rest - q0 * dh
  while (q0 > 0xffffffff || q0 * dl > ((r << 32) | (lo & 0xffffffff))) {
    q0--
    r += dh
    if (r > 0xffffffff) break
  }
  remainder128 = ((rest << 32) | (lo & 0xffffffff)) - q0 * d
  return (q1 << 32) + q0
}

export function divUnpacked(sa: u32, ea: i32, ma: u64, sb: u32, eb: i32, mb: u64): void {
  zSign = sa ^ sb
  zExp = ea - eb
  if (ma >= mb) zHi = divide128(ma >> 1, ma << 63, mb)
  else {
    zExp--
    zHi = divide128(ma, 0, mb)
  }
  zLo = divide128(remainder128, 0, mb)
  zLo |= u64(remainder128 != 0)
}

/** Square root of a positive number. */
export function sqrtUnpacked(ea: i32, ma: u64): void {
  // N = ma * 2^63 or ma * 2^64, so that the exponent is even and the root has exactly 64 bits
  const odd = ea & 1
  const nh = odd ? ma : ma >> 1
  const nl: u64 = odd ? 0 : ma << 63
  // 52 bits from the f64 root, then one Newton step, whose quotient has few bits, then at most a few steps of one
  const estimate = sqrt(<f64>nh)
  let root: u64 = estimate >= 4294967295.999999 ? u64.MAX_VALUE : (<u64>(estimate * 1048576)) << 12
  if (root < TOP_BIT) root = TOP_BIT
  multiply64(root, root)
  const difference = <f64><i64>(nh - productHi - u64(nl < productLo)) * 18446744073709551616.0 + <f64>(nl - productLo)
  const step = <i64>(difference / (2 * <f64>root))
  const stepped = root + step
  // the top bit stays; beyond 2^64 - 1 there is no root
  root = stepped >> 63 ? stepped : step > 0 ? u64.MAX_VALUE : TOP_BIT
  let rh: u64 = 0
  let rl: u64 = 0
  let settled = false
  while (!settled) {
    multiply64(root, root)
    rl = nl - productLo
    rh = nh - productHi - u64(nl < productLo)
    if (productHi > nh || (productHi == nh && productLo > nl)) root--
    // remainder > 2 * root: one more fits
    else if (rh > root >> 63 || (rh == root >> 63 && rl > root << 1)) root++
    else settled = true
  }
  zSign = 0
  zExp = (ea - odd) >> 1
  zHi = root
  // the half-way point is (root + 1/2)^2 = root^2 + root + 1/4: never met exactly
  zLo = (rh | rl) == 0 ? 0 : rh != 0 || rl > root ? 0xc000000000000000 : 0x4000000000000000
}

export let roundedInexact: bool = false
export let roundedUp: bool = false

/** Rounds zHi:zLo after dropping `drop` (>= 0) bits of zHi; the result may carry into bit 64 - drop (for drop = 0: wraps to 0). */
export function roundAt(sign: u32, hi: u64, lo: u64, drop: i32, mode: u32): u64 {
  let kept: u64
  let half: bool
  let sticky: bool
  if (drop == 0) {
    kept = hi
    half = lo >> 63 != 0
    sticky = lo << 1 != 0
  } else if (drop < 64) {
    kept = hi >> drop
    const low = hi & (((<u64>1) << drop) - 1)
    const middle = (<u64>1) << (drop - 1)
    half = (low & middle) != 0
    sticky = ((low & (middle - 1)) | lo) != 0
  } else if (drop == 64) {
    kept = 0
    half = hi >> 63 != 0
    sticky = ((hi << 1) | lo) != 0
  } else {
    kept = 0
    half = false
    sticky = (hi | lo) != 0
  }
  roundedInexact = half || sticky
  if (mode == ROUND_NEAREST) roundedUp = half && (sticky || (kept & 1) != 0)
  else if (mode == ROUND_DOWN) roundedUp = sign != 0 && roundedInexact
  else if (mode == ROUND_UP) roundedUp = sign == 0 && roundedInexact
  else roundedUp = false
  return kept + u64(roundedUp)
}
