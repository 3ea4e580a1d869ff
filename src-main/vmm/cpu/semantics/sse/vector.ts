/** Operands as vectors, and constants. An MMX operand is a vector whose two halves are alike, so that most operations serve both. */
import { OPS } from '../../wasm/ir'
import type { Emitter, OpName, Value } from '../emitter'

const isOpName = (name: string): name is OpName => Object.hasOwn(OPS, name)

/** An operation whose name is put together from parts. */
export const opNamed = (m: Emitter, name: string, args: readonly Value[], immediates?: readonly number[]): Value => {
  if (!isOpName(name)) throw new Error(`no WebAssembly operation '${name}'`)
  return immediates ? m.op(name, args, immediates) : m.op(name, args)
}

export const isMm = (m: Emitter, i: number): boolean => m.form.operands[i]?.kind === 'mm'

/** The instruction works on MMX registers. */
export const isMmxForm = (m: Emitter): boolean => isMm(m, 0) || isMm(m, 1)

const broadcast = (m: Emitter, value: Value): Value =>
  value.type === 'v128' ? value : value.type === 'i64' ? m.op('i64x2.splat', [value]) : m.op('i32x4.splat', [value])

/** Operand `i` as a vector: XMM registers and 16 bytes of aligned memory as they are, anything narrower repeated. */
export const readVector = (m: Emitter, i: number): Value => broadcast(m, m.read(i, { aligned: true }))
export const readUnaligned = (m: Emitter, i: number): Value => broadcast(m, m.read(i))

export const writeVector = (m: Emitter, i: number, value: Value): void => {
  if (isMm(m, i)) m.write(i, lowHalf(m, value))
  else m.write(i, value, { aligned: true })
}

export const lowHalf = (m: Emitter, value: Value): Value => m.op('i64x2.extract_lane', [value], [0])
export const highHalf = (m: Emitter, value: Value): Value => m.op('i64x2.extract_lane', [value], [1])
export const shuffle = (m: Emitter, a: Value, b: Value, lanes: readonly number[]): Value => m.op('i8x16.shuffle', [a, b], lanes)

/** The low halves of a and b. */
export const concatLow = (m: Emitter, a: Value, b: Value): Value => shuffle(m, a, b, lanesOf(8, [0, 2]))

/** Shuffle lanes in elements of `bytes`; elements of the second vector continue the numbering. */
export const lanesOf = (bytes: number, elements: readonly number[]): readonly number[] =>
  elements.flatMap((element) => Array.from({ length: bytes }, (_, i) => element * bytes + i))

/** A vector of elements of `bytes`; the list repeats. */
export const vector = (m: Emitter, bytes: 1 | 2 | 4 | 8, elements: readonly (number | bigint)[]): Value => {
  const data = new DataView(new ArrayBuffer(16))
  for (let i = 0; i < 16 / bytes; i++) {
    const element = BigInt(elements[i % elements.length] ?? 0)
    if (bytes === 8) data.setBigUint64(i * 8, BigInt.asUintN(64, element), true)
    else if (bytes === 4) data.setUint32(i * 4, Number(BigInt.asUintN(32, element)), true)
    else if (bytes === 2) data.setUint16(i * 2, Number(BigInt.asUintN(16, element)), true)
    else data.setUint8(i, Number(BigInt.asUintN(8, element)))
  }
  return m.v128(Array.from(new Uint8Array(data.buffer)))
}

export const zeroVector = (m: Emitter): Value => m.v128(new Array<number>(16).fill(0))

/** 0, 1, 2 ... 15. */
export const iota = (m: Emitter): Value => m.v128(Array.from({ length: 16 }, (_, i) => i))

/** All ones where the i32 condition holds. */
export const maskOf = (m: Emitter, condition: Value): Value => m.op('i64x2.splat', [m.neg(m.zext(condition))])

export const and = (m: Emitter, a: Value, b: Value): Value => m.op('v128.and', [a, b])
export const or = (m: Emitter, a: Value, b: Value): Value => m.op('v128.or', [a, b])
export const xor = (m: Emitter, a: Value, b: Value): Value => m.op('v128.xor', [a, b])
/** a & ~b */
export const andNot = (m: Emitter, a: Value, b: Value): Value => m.op('v128.andnot', [a, b])
/** Bits of a where mask is 1, of b elsewhere. */
export const bitSelect = (m: Emitter, a: Value, b: Value, mask: Value): Value => m.op('v128.bitselect', [a, b, mask])

/** A scalar in the low element, zeros above. */
export const scalarVector = (m: Emitter, value: Value): Value =>
  m.op(value.type === 'i64' ? 'i64x2.replace_lane' : 'i32x4.replace_lane', [zeroVector(m), value], [0])
