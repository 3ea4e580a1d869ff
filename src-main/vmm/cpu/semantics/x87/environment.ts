/** FNSTENV, FLDENV, FNSAVE, FRSTOR: 14 or 28 bytes of environment, then 80 of registers. */
import { SIMD_EXTRA } from '../../layout'
import type { Emitter, SegmentedAddress, Semantics, SemanticsTable, Value } from '../emitter'
import { requireX87, x87ControlChanged } from './availability'

const REGISTER_BYTES = 80

const at = (m: Emitter, base: SegmentedAddress, offset: Value): SegmentedAddress => ({ segment: base.segment, offset: m.add(base.offset, offset) })
const sizeOf = (m: Emitter, registers: boolean): number => (m.size === 2 ? 14 : 28) + (registers ? REGISTER_BYTES : 0)

/** Runs `body` with offset 0, 2, 4 ... below `bytes`. */
const forHalfwords = (m: Emitter, bytes: number, body: (offset: Value) => void): void => {
  const offset = m.variable(m.i32(0))
  m.loop((again) => {
    const now = m.get(offset)
    body(now)
    const next = m.add(now, m.i32(2))
    m.set(offset, next)
    again(m.ltU(next, m.i32(bytes)))
  })
}

const store = (registers: boolean): Semantics => (m) => {
  requireX87(m, false)
  const bytes = sizeOf(m, registers)
  const base = m.memoryOperand()
  m.linear(base, bytes, 'write')
  // both pages it may touch, before anything changes
  m.reference(2, base)
  m.reference(2, at(m, base, m.i64(bytes - 2)))
  m.call('x87StoreEnvironment', m.i32(m.size === 2 ? 0 : 1))
  forHalfwords(m, bytes, (offset) => {
    m.store(2, at(m, base, m.zext(offset)), m.and(m.loadStateAt('i32', offset, SIMD_EXTRA), m.i32(0xffff)))
  })
  if (registers) m.call('x87Init')
  else m.call('x87MaskExceptions')
  x87ControlChanged(m)
}

const load = (registers: boolean): Semantics => (m) => {
  requireX87(m, true)
  const bytes = sizeOf(m, registers)
  const base = m.memoryOperand()
  m.linear(base, bytes, 'read')
  const pair = m.variable(m.i32(0))
  forHalfwords(m, bytes, (offset) => {
    const value = m.load(2, at(m, base, m.zext(offset)))
    // the scratch area takes 32-bit stores: two halfwords at a time
    const odd = m.and(offset, m.i32(2))
    m.set(pair, m.select(odd, m.or(m.get(pair), m.shl(value, m.i32(16))), value))
    m.storeStateAt(m.and(offset, m.i32(-4)), SIMD_EXTRA, m.get(pair))
  })
  m.call('x87LoadEnvironment', m.i32(m.size === 2 ? 0 : 1), m.i32(registers ? 1 : 0))
  x87ControlChanged(m)
}

export const environmentSemantics: SemanticsTable = { fnstenv: store(false), fnsave: store(true), fldenv: load(false), frstor: load(true) }
