/** Small conversions that many meanings share. */
import type { Emitter, Value } from './emitter'

export type Bytes = 1 | 2 | 4 | 8

/** Register numbers of the general-purpose registers that meanings name. */
export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7

/** Exception vectors. */
export const DE = 0
export const UD = 6
export const GP = 13

/** Converts to the type that values of `bytes` have (i32 up to 4, i64 for 8), zero-extending or dropping the upper half. */
export const fit = (m: Emitter, value: Value, bytes: Bytes): Value => (bytes === 8 ? m.zext(value) : m.wrap(value))

/** A constant of the operand size's type. */
export const num = (m: Emitter, n: number | bigint, bytes: Bytes = m.size): Value => m.constant(n, bytes)

/** Bit `index` of `value` as i32 0 or 1. */
export const bit = (m: Emitter, value: Value, index: number): Value => {
  const shift = value.type === 'i64' ? m.i64(index) : m.i32(index)
  const shifted = index === 0 ? value : m.shrU(value, shift)
  return m.and(m.wrap(shifted), m.i32(1))
}

/** The sign bit of a value of `bytes` as i32 0 or 1. */
export const signBit = (m: Emitter, value: Value, bytes: Bytes = m.size): Value => bit(m, value, bytes * 8 - 1)

/** Sign-extends a value of `bytes` within its type (i32 for up to 4 bytes, i64 for 8). */
export const signed = (m: Emitter, value: Value, bytes: Bytes = m.size): Value => (bytes >= 4 ? value : m.sextFrom(value, bytes as 1 | 2))

/** Source operand `i` in the operand size: an immediate that is encoded narrower is sign-extended. */
export const source = (m: Emitter, i: number): Value => {
  const operand = m.form.operands[i]
  const narrow = operand?.kind === 'imm' && operand.bytes < m.size
  return narrow ? m.truncate(m.readSigned(i), m.size) : m.read(i)
}
