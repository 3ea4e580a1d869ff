/**
 * Integer constants as folding computes with them: a JavaScript number whenever it is exact, else a bigint, sign-extended from the constant's width. So one
 * number has one form, and hardly any is a bigint (which costs an allocation for each step).
 */
import type { Value } from './nodes'

export type Integer = number | bigint

/** The operations that are folded: the names that follow i32. and i64. */
export type FoldedName =
  | 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr_u' | 'shr_s'
  | 'eq' | 'ne' | 'lt_s' | 'gt_s' | 'le_s' | 'ge_s' | 'lt_u' | 'gt_u' | 'le_u' | 'ge_u'

const BITS_64 = 64n
const unsigned = (n: bigint): bigint => BigInt.asUintN(64, n)

const FOLD_32: Readonly<Record<FoldedName, (a: number, b: number) => number | boolean>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => Math.imul(a, b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  // JavaScript takes the count's low five bits, as WebAssembly does
  shl: (a, b) => a << b,
  shr_u: (a, b) => a >>> b,
  shr_s: (a, b) => a >> b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt_s: (a, b) => a < b,
  gt_s: (a, b) => a > b,
  le_s: (a, b) => a <= b,
  ge_s: (a, b) => a >= b,
  lt_u: (a, b) => a >>> 0 < b >>> 0,
  gt_u: (a, b) => a >>> 0 > b >>> 0,
  le_u: (a, b) => a >>> 0 <= b >>> 0,
  ge_u: (a, b) => a >>> 0 >= b >>> 0,
}

const FOLD_64: Readonly<Record<FoldedName, (a: bigint, b: bigint) => bigint | boolean>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & (BITS_64 - 1n)),
  shr_u: (a, b) => unsigned(a) >> (b & (BITS_64 - 1n)),
  shr_s: (a, b) => a >> (b & (BITS_64 - 1n)),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt_s: (a, b) => a < b,
  gt_s: (a, b) => a > b,
  le_s: (a, b) => a <= b,
  ge_s: (a, b) => a >= b,
  lt_u: (a, b) => unsigned(a) < unsigned(b),
  gt_u: (a, b) => unsigned(a) > unsigned(b),
  le_u: (a, b) => unsigned(a) <= unsigned(b),
  ge_u: (a, b) => unsigned(a) >= unsigned(b),
}

export const FOLDED_NAMES: readonly FoldedName[] = Object.keys(FOLD_32) as FoldedName[]

/** The number of an integer constant, undefined for everything else. Of i32 always a JavaScript number. */
export function constantOf({ source, type }: Value): Integer | undefined {
  if (source.kind !== 'const') return undefined
  if (type === 'i32') return low32(source.what)
  return type === 'i64' ? integer64(source.what) : undefined
}

/** As the 64 bits of an i64. */
export function integer64(n: Integer): Integer {
  if (typeof n === 'number') return Number.isSafeInteger(n) ? n : integer64(BigInt(n))
  const signed = BigInt.asIntN(64, n)
  const number = Number(signed)
  return Number.isSafeInteger(number) ? number : signed
}

/** Its low 32 bits, sign-extended. */
export function low32(n: Integer): number {
  return typeof n === 'number' ? n | 0 : Number(BigInt.asIntN(32, n))
}

/** `type`: of the operands, both of which are constants. */
export function foldIntegers(type: 'i32' | 'i64', name: FoldedName, a: Integer, b: Integer): Integer {
  if (type === 'i32') return Number(FOLD_32[name](low32(a), low32(b))) | 0
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = name === 'add' ? a + b : name === 'sub' ? a - b : NaN
    if (Number.isSafeInteger(sum)) return sum
  }
  const folded = FOLD_64[name](BigInt(a), BigInt(b))
  return typeof folded === 'boolean' ? Number(folded) : integer64(folded)
}

/** a & b, as i64. */
export function and64(a: Integer, b: Integer): Integer {
  // of two numbers of 32 bits, which most masks are
  return a === low32(a) && b === low32(b) ? a & b : integer64(BigInt(a) & BigInt(b))
}
