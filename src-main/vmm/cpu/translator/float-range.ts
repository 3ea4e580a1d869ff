/** What is known of numbers (f64) while a region is made: bounds of exponents, from which follows that an operation can do nothing special. */
import { OP_ADD, OP_ADDSUB, OP_DIV, OP_MAX, OP_MIN, OP_MUL, OP_SQRT, OP_SUB } from '../helpers/fpu-codes'
import type { Value } from '../wasm/ir'

/** The exponent of a number that is not zero: 2^first <= |x| < 2^(last + 1). The number may be zero; it is no NaN, not infinite, not denormal. */
export interface Range {
  readonly first: number
  readonly last: number
}

const LEAST = -1022
const GREATEST = 1023
const BIAS = 1023
const FRACTION_BITS = 52
/** Of 32 bits. */
const INTEGER: Range = { first: 0, last: 31 }

/** What a number that may enter a chain is looked at for: the middle quarter of all exponents. Products and quotients of such are normal numbers. */
export const ENTRY: Range = { first: -255, last: 256 }

const union = (a: Range, b: Range): Range => ({ first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) })

/** Of the result; undefined: it may overflow or be tiny. */
export function rangeOfResult(op: number, [a, b]: readonly Range[]): Range | undefined {
  if (a === undefined) return undefined
  const range = resultOf(op, a, b ?? a)
  return range !== undefined && range.first >= LEAST && range.last <= GREATEST ? range : undefined
}

function resultOf(op: number, a: Range, b: Range): Range | undefined {
  switch (op) {
    case OP_ADD:
    case OP_SUB:
    case OP_ADDSUB:
      // a multiple of the operands' last places
      return { first: Math.min(a.first, b.first) - FRACTION_BITS, last: Math.max(a.last, b.last) + 1 }
    case OP_MUL:
      return { first: a.first + b.first, last: a.last + b.last + 1 }
    case OP_DIV:
      return { first: a.first - b.last - 1, last: a.last - b.first }
    case OP_SQRT:
      return { first: Math.floor(a.first / 2), last: Math.floor((a.last + 1) / 2) }
    case OP_MIN:
    case OP_MAX:
      return union(a, b)
    default:
      return undefined
  }
}

/** `bits` of a constant. */
function rangeOfBits(bits: bigint): Range | undefined {
  const magnitude = bits & 0x7fffffffffffffffn
  if (magnitude === 0n) return ENTRY
  const exponent = Number(magnitude >> BigInt(FRACTION_BITS))
  return exponent === 0 || exponent === 2 * BIAS + 1 ? undefined : { first: exponent - BIAS, last: exponent - BIAS }
}

const laneBits = (bytes: readonly number[], lane: number): bigint => new DataView(Uint8Array.from(bytes).buffer).getBigUint64(lane * 8, true)
const SIGN = 0x8000000000000000n
const ALL = 0xffffffffffffffffn

export class Ranges {
  private readonly scalars = new Map<Value, Range>()
  private readonly vectors = new Map<Value, (Range | undefined)[]>()

  clear(): void {
    this.scalars.clear()
    this.vectors.clear()
  }

  set(value: Value, range: Range): void {
    if (value.type === 'v128') this.vectors.set(value, [range, range])
    else this.scalars.set(value, range)
  }

  setLow(vector: Value, range: Range): void {
    const lanes = this.vectors.get(vector) ?? [undefined, undefined]
    lanes[0] = range
    this.vectors.set(vector, lanes)
  }

  /** Of a number, or of both in a vector. */
  of(value: Value): Range | undefined {
    if (value.type === 'v128') {
      const [low, high] = [this.lane(value, 0), this.lane(value, 1)]
      return low === undefined || high === undefined ? undefined : union(low, high)
    }
    const known = this.scalars.get(value)
    if (known !== undefined) return known
    const { source, args } = value
    if (source.kind !== 'op' || args[0] === undefined) return undefined
    if (source.what.name === 'f64x2.extract_lane') return this.lane(args[0], source.immediates[0] ?? 0)
    return source.what.name === 'f64.convert_i32_s' ? INTEGER : undefined
  }

  private lane(vector: Value, lane: number): Range | undefined {
    const known = this.vectors.get(vector)?.[lane]
    if (known !== undefined) return known
    const { source, args } = vector
    if (source.kind === 'const') return rangeOfBits(laneBits(source.immediates, lane))
    if (source.kind !== 'op') return undefined
    const [a, b] = args
    if (a === undefined) return undefined
    switch (source.what.name) {
      case 'f64x2.splat':
        return this.of(a)
      case 'f64x2.replace_lane':
        return source.immediates[0] === lane && b !== undefined ? this.of(b) : this.lane(a, lane)
      case 'f64x2.convert_low_i32x4_s':
        return INTEGER
      case 'v128.load64_zero':
        return lane === 1 ? ENTRY : undefined
      case 'i8x16.shuffle': {
        const bytes = source.immediates.slice(lane * 8, lane * 8 + 8)
        const first = bytes[0] ?? 0
        if (first % 8 !== 0 || bytes.some((byte, i) => byte !== first + i)) return undefined
        return first < 16 ? this.lane(a, first / 8) : b && this.lane(b, first / 8 - 2)
      }
      case 'v128.xor':
      case 'v128.and':
        return b && this.masked(source.what.name === 'v128.and', a, b, lane)
      default:
        return undefined
    }
  }

  /** Signs that are flipped or cleared by a constant. */
  private masked(isAnd: boolean, a: Value, b: Value, lane: number): Range | undefined {
    const [value, mask] = b.source.kind === 'const' ? [a, b] : [b, a]
    if (mask.source.kind !== 'const') return undefined
    const bits = laneBits(mask.source.immediates, lane)
    const kept = isAnd ? bits === ALL || bits === ALL - SIGN : bits === 0n || bits === SIGN
    return kept ? this.lane(value, lane) : undefined
  }
}
