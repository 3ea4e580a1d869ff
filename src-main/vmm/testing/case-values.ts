/** Values that make processors disagree: limits, special floating-point numbers, and whole register states made of them. */
import {
  DATA_BASE,
  DATA_PAGES,
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAGS,
  FX_XMM,
  PAGE_BYTES,
  STACK_BASE,
  STACK_PAGES,
  STATE_FX,
} from './diff-engine'
import type { MemoryImage } from './diff-engine'
import type { Random } from './random'

const MASK_64 = 0xffffffffffffffffn
const WIDTHS = [8n, 16n, 32n, 64n] as const

/** A 64-bit value near a limit of one of the operand sizes, small, sparse or random. */
export const integerValue = (random: Random): bigint => {
  const width = random.pick(WIDTHS)
  const near = BigInt(random.below(5) - 2)
  switch (random.below(8)) {
    case 0:
      return BigInt(random.below(16))
    case 1:
      return (near + (1n << (width - 1n))) & MASK_64
    case 2:
      return near & MASK_64
    case 3:
      return (near + (1n << width)) & MASK_64
    case 4:
      return 1n << BigInt(random.below(64))
    case 5:
      return (random.u64() & ((1n << width) - 1n)) | (random.u64() & ~((1n << width) - 1n) & MASK_64)
    default:
      return random.u64()
  }
}

export const float32Bits = (random: Random): number => {
  const sign = random.below(2) * 0x80000000
  const fraction = random.chance(40) ? random.below(8) : random.chance(30) ? 0x7fffff - random.below(4) : random.u32() & 0x7fffff
  switch (random.below(12)) {
    case 0:
      return sign
    case 1:
      return sign + 0x7f800000
    case 2:
      return sign + 0x7fc00000 + (fraction & 0x3fffff)
    case 3:
      return sign + 0x7f800000 + (fraction & 0x3fffff || 1)
    case 4:
      return sign + fraction
    case 5:
      return sign + 0x3f800000
    case 6:
      return random.u32()
    case 7:
      return sign + (254 - random.below(3)) * 0x800000 + fraction
    default:
      return sign + (127 + random.below(70) - 35) * 0x800000 + fraction
  }
}

export const float64Bits = (random: Random): bigint => {
  const sign = random.chance(50) ? 1n << 63n : 0n
  const all = (1n << 52n) - 1n
  const low = random.chance(30) ? 0n : random.u64() & 0x1fffffffn
  const fraction = random.chance(30)
    ? BigInt(random.below(8))
    : random.chance(20)
      ? all - BigInt(random.below(4))
      : (random.u64() & all & ~0x1fffffffn) | low
  switch (random.below(14)) {
    case 0:
      return sign
    case 1:
      return sign | (0x7ffn << 52n)
    case 2:
      return sign | (0x7ffn << 52n) | (1n << 51n) | (fraction >> 1n)
    case 3:
      return sign | (0x7ffn << 52n) | (fraction >> 1n || 1n)
    case 4:
      return sign | fraction
    case 5:
      return sign | (0x3ffn << 52n)
    case 6:
      return random.u64()
    case 7:
      return sign | (BigInt(2046 - random.below(3)) << 52n) | fraction
    case 8:
      // around the limits of single precision
      return sign | (BigInt(1023 + random.pick([127, 128, -126, -127, -149, -150])) << 52n) | fraction
    case 9:
      // integers around the limits of conversions
      return sign | (BigInt(1023 + random.pick([0, 1, 7, 14, 15, 30, 31, 32, 62, 63])) << 52n) | fraction
    default:
      return sign | (BigInt(1023 + random.below(120) - 60) << 52n) | fraction
  }
}

/** Sign and exponent, significand. */
export const float80Bits = (random: Random): readonly [exponent: number, significand: bigint] => {
  const sign = random.below(2) * 0x8000
  const top = 1n << 63n
  const fraction = random.chance(30)
    ? BigInt(random.below(8)) << BigInt(random.pick([0, 11, 40]))
    : random.chance(15)
      ? top - 1n - BigInt(random.below(4))
      : random.u64() & (top - 1n)
  switch (random.below(18)) {
    case 0:
      return [sign, 0n]
    case 1:
      return [sign | 0x7fff, top]
    case 2:
      return [sign | 0x7fff, top | (1n << 62n) | (fraction >> 1n)]
    case 3:
      return [sign | 0x7fff, top | (fraction >> 1n || 1n)]
    case 4:
      // denormal, pseudo-denormal
      return [sign, random.chance(80) ? fraction : top | fraction]
    case 5:
      return [sign | 0x3fff, top]
    case 6:
      // unnormal, pseudo-NaN, pseudo-infinity
      return random.chance(30) ? [random.u32() & 0xffff, random.u64()] : [sign | 0x3fff, top | fraction]
    case 7:
      return [sign | (0x7ffe - random.below(3)), top | fraction]
    case 8:
      return [sign | (1 + random.below(3)), top | fraction]
    case 9:
      return [sign | (0x3fff + random.pick([127, 128, -126, -127, -149, 1023, 1024, -1022, -1023, -1074])), top | fraction]
    case 10:
      return [sign | (0x3fff + random.pick([7, 14, 15, 30, 31, 62, 63, 64, 59])), top | fraction]
    case 11:
      return [sign | (0x3fff + random.below(63)), top | (BigInt(random.below(1000)) << 53n)]
    default:
      return [sign | (0x3fff + random.below(40) - 20), top | fraction]
  }
}

/** A memory image: 16-byte cells of all kinds of values. Permanent cases name it by its seed, so it must stay as it is. */
export const memoryImage = (random: Random): MemoryImage => {
  const bytes = new Uint8Array((DATA_PAGES + STACK_PAGES) * PAGE_BYTES)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 16) {
    switch (random.below(6)) {
      case 0:
        view.setBigUint64(at, float64Bits(random), true)
        view.setBigUint64(at + 8, float64Bits(random), true)
        break
      case 1:
        for (let i = 0; i < 16; i += 4) view.setUint32(at + i, float32Bits(random), true)
        break
      case 2: {
        const [exponent, significand] = float80Bits(random)
        view.setBigUint64(at, significand, true)
        view.setUint16(at + 8, exponent, true)
        break
      }
      case 3:
        // packed decimal
        for (let i = 0; i < 9; i++) bytes[at + i] = random.below(10) * 16 + random.below(10)
        bytes[at + 9] = random.below(2) * 0x80
        break
      default:
        view.setBigUint64(at, integerValue(random), true)
        view.setBigUint64(at + 8, integerValue(random), true)
    }
  }
  return { data: bytes.subarray(0, DATA_PAGES * PAGE_BYTES), stack: bytes.subarray(DATA_PAGES * PAGE_BYTES) }
}

/** The eight bytes of the image at `address`, if they lie in it. */
export const imageWord = (image: MemoryImage, address: number): bigint | undefined => {
  const [bytes, base] = address >= STACK_BASE ? [image.stack, STACK_BASE] : [image.data, DATA_BASE]
  const at = address - base
  if (at < 0 || at + 8 > bytes.length) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true)
}

const MXCSR_DEFAULT = 0x1f80
const MXCSR_INEXACT = 0x20
const CONTROL_MASKED = 0x37f
const STATUS_ERRORS = 0x3f
const STATUS_SUMMARY = 0x8080

/** x87 and SSE state into STATE_FX of `state`. `mmx`: the registers hold packed integers rather than numbers. */
export const fillFx = (random: Random, state: Uint8Array, mmx: boolean): void => {
  const view = new DataView(state.buffer, state.byteOffset + STATE_FX, 512)
  let control = CONTROL_MASKED
  if (random.chance(50)) control = (control & ~0xf00) | (random.pick([0, 2, 3]) << 8) | (random.below(4) << 10)
  if (random.chance(8)) control = (control & ~STATUS_ERRORS) | random.below(64)
  let status = (random.below(8) << 11) | (random.chance(30) ? random.u32() & 0x4700 : 0)
  if (random.chance(20)) status |= random.below(128)
  const pending = (status & ~control & STATUS_ERRORS) !== 0
  // pending exceptions make every other x87 instruction fault: keep them rare
  if (pending && random.chance(70)) status &= ~STATUS_ERRORS
  status &= ~STATUS_SUMMARY
  if ((status & ~control & STATUS_ERRORS) !== 0) status |= STATUS_SUMMARY
  view.setUint16(FX_CONTROL, control, true)
  view.setUint16(FX_STATUS, status, true)
  view.setUint8(FX_TAGS, random.chance(55) ? 0xff : random.chance(30) ? 0 : random.below(256))
  for (let i = 0; i < 8; i++) {
    const at = FX_ST + i * 16
    if (mmx) {
      view.setBigUint64(at, integerValue(random), true)
      view.setUint16(at + 8, random.chance(70) ? 0xffff : random.below(0x10000), true)
    } else {
      const [exponent, significand] = float80Bits(random)
      view.setBigUint64(at, significand, true)
      view.setUint16(at + 8, exponent, true)
    }
  }
  let mxcsr = MXCSR_DEFAULT
  if (random.chance(50)) mxcsr |= random.below(4) << 13
  if (random.chance(10)) mxcsr |= 0x8000
  if (random.chance(10)) mxcsr |= 0x40
  if (random.chance(10)) mxcsr |= random.below(64)
  // as after any inexact result: what fast paths wait for
  if (random.chance(40)) mxcsr |= MXCSR_INEXACT
  if (random.chance(6)) mxcsr &= ~(random.below(64) << 7)
  view.setUint32(FX_MXCSR, mxcsr, true)
  for (let i = 0; i < 16; i++) {
    const at = FX_XMM + i * 16
    switch (random.below(3)) {
      case 0:
        for (let lane = 0; lane < 16; lane += 4) view.setUint32(at + lane, float32Bits(random), true)
        break
      case 1:
        view.setBigUint64(at, float64Bits(random), true)
        view.setBigUint64(at + 8, float64Bits(random), true)
        break
      default:
        view.setBigUint64(at, integerValue(random), true)
        view.setBigUint64(at + 8, integerValue(random), true)
    }
  }
}
