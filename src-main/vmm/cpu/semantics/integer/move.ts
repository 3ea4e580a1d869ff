/** Data movement: MOV and its extending forms, LEA, conditional moves, byte swaps, sign extension of the accumulator, XLAT. */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RAX, RBX, RDX, fit, num, signed, source, type Bytes } from '../values'

const mov: Semantics = (m) => {
  m.write(0, source(m, 1))
}

const movzx: Semantics = (m) => {
  m.write(0, fit(m, m.read(1), m.size))
}

const movsx: Semantics = (m) => {
  m.write(0, m.readSigned(1))
}

const lea: Semantics = (m) => {
  m.write(0, m.truncate(m.effectiveAddress(), m.size))
}

/** The source is read, and a 32-bit destination's upper half cleared, whatever the condition says. */
const cmovcc: Semantics = (m) => {
  const source = m.read(1)
  const old = m.read(0)
  m.write(0, m.select(m.condition(m.form.variant), source, old))
}

const setcc: Semantics = (m) => {
  m.write(0, m.condition(m.form.variant))
}

export const byteSwapped = (m: Emitter, value: Value, bytes: 2 | 4 | 8): Value => {
  if (bytes === 2) return m.truncate(m.or(m.shl(value, m.i32(8)), m.shrU(value, m.i32(8))), 2)
  const oddBytes = bytes === 8 ? m.i64(0xff00ff00ff00ff00n) : m.i32(0xff00ff00 | 0)
  const evenBytes = bytes === 8 ? m.i64(0x00ff00ff00ff00ffn) : m.i32(0x00ff00ff)
  if (bytes === 4) return m.or(m.rotr(m.and(value, evenBytes), m.i32(8)), m.rotl(m.and(value, oddBytes), m.i32(8)))
  const pairs = m.or(m.shl(m.and(value, evenBytes), m.i64(8)), m.shrU(m.and(value, oddBytes), m.i64(8)))
  const evenPairs = m.i64(0x0000ffff0000ffffn)
  const quads = m.or(m.shl(m.and(pairs, evenPairs), m.i64(16)), m.and(m.shrU(pairs, m.i64(16)), evenPairs))
  return m.rotl(quads, m.i64(32))
}

/** With a 16-bit operand the result is undefined by the manuals; processors write 0. */
const bswap: Semantics = (m) => {
  m.write(0, m.size === 4 || m.size === 8 ? byteSwapped(m, m.read(0), m.size) : m.i32(0))
}

const movbe: Semantics = (m) => {
  const value = m.read(1)
  m.write(0, m.size === 1 ? value : byteSwapped(m, value, m.size))
}

/** CBW, CWDE, CDQE: sign-extends the lower half of the accumulator into the whole of the operand size. */
const cbw: Semantics = (m) => {
  const half = (m.size >> 1) as Bytes
  const value = signed(m, m.gpr(RAX, half), half)
  m.setGpr(RAX, m.size, m.size === 8 ? m.sext(value) : m.truncate(value, m.size))
}

/** CWD, CDQ, CQO. */
const cwd: Semantics = (m) => {
  const sign = m.shrS(signed(m, m.gpr(RAX, m.size)), num(m, m.size === 8 ? 63 : 31))
  m.setGpr(RDX, m.size, m.truncate(sign, m.size))
}

const xlat: Semantics = (m) => {
  const size = m.form.addressSize ?? 4
  const sum = m.add(m.addressRegister(RBX), m.zext(m.gpr(RAX, 1)))
  const offset = size === 8 ? sum : m.and(sum, m.i64(size === 2 ? 0xffff : 0xffffffff))
  m.setGpr(RAX, 1, m.load(1, { segment: 'operand', offset }))
}

const nop: Semantics = () => undefined

export const moveSemantics: SemanticsTable = {
  mov,
  movzx,
  movsx,
  movsxd: movsx,
  lea,
  cmovcc,
  setcc,
  bswap,
  movbe,
  cbw,
  cwd,
  xlat,
  nop,
  pause: nop,
  movnti: mov,
}
