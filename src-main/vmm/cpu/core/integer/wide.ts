// 128-bit quotients: what 64-bit WebAssembly arithmetic does not have.
import { SCRATCH } from '../../layout'

/** Quotient of (high, low) / divisor, high < divisor; the remainder goes to SCRATCH + 8. Knuth, volume 2, algorithm D, with 32-bit digits. */
function divide(vcpu: usize, high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) {
    store<u64>(vcpu + SCRATCH + 8, low % divisor)
    return low / divisor
  }
  const shift = clz(divisor)
  const d = divisor << shift
  const d1 = d >> 32
  const d0 = d & 0xffffffff
  const n32 = shift == 0 ? high : (high << shift) | (low >> (64 - shift))
  const n10 = low << shift
  const n1 = n10 >> 32
  const n0 = n10 & 0xffffffff
  let q1 = n32 / d1
  let rest = n32 - q1 * d1
  while (q1 >> 32 != 0 || q1 * d0 > ((rest << 32) | n1)) {
    q1 -= 1
    rest += d1
    if (rest >> 32 != 0) break
  }
  const n21 = (n32 << 32) + n1 - q1 * d
  let q0 = n21 / d1
  rest = n21 - q0 * d1
  while (q0 >> 32 != 0 || q0 * d0 > ((rest << 32) | n0)) {
    q0 -= 1
    rest += d1
    if (rest >> 32 != 0) break
  }
  store<u64>(vcpu + SCRATCH + 8, ((n21 << 32) + n0 - q0 * d) >> shift)
  return (q1 << 32) + q0
}

export function divide_wide_unsigned(vcpu: usize, high: u64, low: u64, divisor: u64): i32 {
  // also when the divisor is 0
  if (high >= divisor) return 0
  store<u64>(vcpu + SCRATCH, divide(vcpu, high, low, divisor))
  return 1
}

export function divide_wide_signed(vcpu: usize, high: i64, low: u64, divisor: i64): i32 {
  const negative = high < 0
  let magnitudeHigh = <u64>high
  let magnitudeLow = low
  if (negative) {
    magnitudeLow = 0 - low
    magnitudeHigh = ~(<u64>high) + (low == 0 ? 1 : 0)
  }
  const magnitude: u64 = divisor < 0 ? 0 - <u64>divisor : <u64>divisor
  if (magnitudeHigh >= magnitude) return 0
  const quotient = divide(vcpu, magnitudeHigh, magnitudeLow, magnitude)
  const limit: u64 = 0x8000000000000000
  if (negative != divisor < 0) {
    if (quotient > limit) return 0
    store<u64>(vcpu + SCRATCH, 0 - quotient)
  } else {
    if (quotient >= limit) return 0
    store<u64>(vcpu + SCRATCH, quotient)
  }
  if (negative) store<u64>(vcpu + SCRATCH + 8, 0 - load<u64>(vcpu + SCRATCH + 8))
  return 1
}
