/** Memory operands of x87 instructions as extended values: left in mSig and mSe. */
export let mSig: u64 = 0
export let mSe: u32 = 0
/** The operand was denormal in its own format. */
export let mDenormal: bool = false

export function expandF32(bits: u32): void {
  const sign = (bits >> 31) << 15
  const exponent = (bits >> 23) & 0xff
  const fraction = (<u64>(bits & 0x7fffff)) << 40
  expand(sign, exponent, fraction, 0xff, 16383 - 127)
}
export function expandF64(bits: u64): void {
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
export function expandInteger(value: i64): void {
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
