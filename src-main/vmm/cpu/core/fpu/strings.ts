/** Helpers of the irregular SSE4 operations: PCMPxSTRx, MPSADBW, PHMINPOSUW, CRC32. */
import { SCRATCH, SIMD_EXTRA } from './constants'

const A: i32 = SIMD_EXTRA
const B: i32 = SIMD_EXTRA + 16
const R: i32 = SIMD_EXTRA + 32

@inline
function element(at: usize, index: i32, immediate: i32): i32 {
  if (immediate & 1) return immediate & 2 ? load<i16>(at + index * 2) : load<u16>(at + index * 2)
  return immediate & 2 ? load<i8>(at + index) : load<u8>(at + index)
}

/** Elements before the first zero. */
function implicitLength(at: usize, immediate: i32): i32 {
  const count = immediate & 1 ? 8 : 16
  for (let i = 0; i < count; i++) if (element(at, i, immediate) == 0) return i
  return count
}

/** Intermediate result 2 of SDM volume 2, section 4.1; the status flags go to SCRATCH. Lengths < 0: implicit. */
function compareStrings(vcpu: usize, a: v128, b: v128, immediate: i32, lengthA: i32, lengthB: i32): u32 {
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  const atA = vcpu + A
  const atB = vcpu + B
  const count = immediate & 1 ? 8 : 16
  const all: u32 = (1 << count) - 1
  const la = lengthA < 0 ? implicitLength(atA, immediate) : lengthA
  const lb = lengthB < 0 ? implicitLength(atB, immediate) : lengthB
  const aggregation = (immediate >> 2) & 3
  let r: u32 = 0
  for (let j = 0; j < count; j++) {
    let hit = false
    if (aggregation == 0) {
      // equal any: b[j] is one of the characters of a
      if (j < lb) for (let i = 0; i < la; i++) hit = hit || element(atA, i, immediate) == element(atB, j, immediate)
    } else if (aggregation == 1) {
      // ranges: a holds pairs of bounds
      if (j < lb) {
        const c = element(atB, j, immediate)
        for (let i = 0; i + 1 < la; i += 2) hit = hit || (element(atA, i, immediate) <= c && c <= element(atA, i + 1, immediate))
      }
    } else if (aggregation == 2) {
      // equal each: past the end of both counts as equal
      hit = j < la && j < lb ? element(atA, j, immediate) == element(atB, j, immediate) : j >= la && j >= lb
    } else {
      // equal ordered: a is found in b at j (as far as b's register shows)
      hit = true
      for (let i = 0; i < la && j + i < count; i++) {
        if (j + i >= lb || element(atA, i, immediate) != element(atB, j + i, immediate)) {
          hit = false
          break
        }
      }
    }
    if (hit) r |= 1 << j
  }
  if (immediate & 0x10) {
    if (immediate & 0x20) r ^= lb >= count ? all : (1 << lb) - 1
    else r ^= all
  }
  // CF ZF SF OF; AF = PF = 0
  store<u32>(vcpu + SCRATCH, u32(r != 0) | (u32(lb < count) << 6) | (u32(la < count) << 7) | ((r & 1) << 11))
  return r
}

/** The index for ECX; status flags in SCRATCH. Lengths < 0: implicit. */
export function sseStringIndex(vcpu: usize, a: v128, b: v128, immediate: i32, lengthA: i32, lengthB: i32): i32 {
  const r = compareStrings(vcpu, a, b, immediate, lengthA, lengthB)
  if (r == 0) return immediate & 1 ? 8 : 16
  return immediate & 0x40 ? 31 - <i32>clz(r) : <i32>ctz(r)
}

/** The mask for XMM0; status flags in SCRATCH. */
export function sseStringMask(vcpu: usize, a: v128, b: v128, immediate: i32, lengthA: i32, lengthB: i32): v128 {
  const r = compareStrings(vcpu, a, b, immediate, lengthA, lengthB)
  store<u64>(vcpu + R, 0)
  store<u64>(vcpu + R + 8, 0)
  if (!(immediate & 0x40)) store<u32>(vcpu + R, r)
  else if (immediate & 1) for (let i = 0; i < 8; i++) store<u16>(vcpu + R + i * 2, (r >> i) & 1 ? 0xffff : 0)
  else for (let i = 0; i < 16; i++) store<u8>(vcpu + R + i, (r >> i) & 1 ? 0xff : 0)
  return v128.load(vcpu + R)
}

export function sseMpsadbw(vcpu: usize, a: v128, b: v128, immediate: i32): v128 {
  v128.store(vcpu + A, a)
  v128.store(vcpu + B, b)
  const from = vcpu + A + (immediate & 4)
  const block = vcpu + B + (immediate & 3) * 4
  for (let i = 0; i < 8; i++) {
    let sum = 0
    for (let j = 0; j < 4; j++) sum += abs<i32>(<i32>load<u8>(from + i + j) - <i32>load<u8>(block + j))
    store<u16>(vcpu + R + i * 2, sum)
  }
  return v128.load(vcpu + R)
}

export function ssePhminposuw(vcpu: usize, a: v128): v128 {
  v128.store(vcpu + A, a)
  let least: u32 = 0x10000
  let index = 0
  for (let i = 0; i < 8; i++) {
    const value = <u32>load<u16>(vcpu + A + i * 2)
    if (value < least) {
      least = value
      index = i
    }
  }
  store<u64>(vcpu + R, least | (index << 16))
  store<u64>(vcpu + R + 8, 0)
  return v128.load(vcpu + R)
}

/** CRC-32C (reflected polynomial 82F63B78h) of the low `bytes` of value. */
export function crc32c(vcpu: usize, crc: i32, value: i64, bytes: i32): i32 {
  let r = <u32>crc
  for (let i = 0; i < bytes; i++) {
    r ^= <u32>(<u64>value >> (i * 8)) & 0xff
    for (let j = 0; j < 8; j++) r = (r >> 1) ^ (r & 1 ? 0x82f63b78 : 0)
  }
  return r
}
