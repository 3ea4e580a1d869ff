/** Control transfers that load CS, and interrupts raised by instructions. The work is in core/segment and core/interrupt. */
import type { Emitter, Semantics, SemanticsTable, SegmentedAddress } from '../emitter'

const EXCEPTION_BR = 5

/** The memory operand, `delta` bytes on. */
const operandAt = (m: Emitter, delta: number): SegmentedAddress => ({
  segment: 'operand',
  offset: delta === 0 ? m.effectiveAddress() : m.add(m.effectiveAddress(), m.i64(delta)),
})

/** A far pointer: immediate, or offset then selector in memory. */
const far =
  (call: 0 | 1): Semantics =>
  (m) => {
    const bytes = m.size === 1 ? 2 : m.size
    if (m.isMemory(0)) {
      const offset = m.zext(m.load(bytes, operandAt(m, 0)))
      const selector = m.load(2, operandAt(m, bytes))
      m.helper('far_transfer', selector, offset, m.i32(bytes), m.i32(call))
    } else {
      m.helper('far_transfer', m.wrap(m.immediate2()), m.immediate(), m.i32(bytes), m.i32(call))
    }
  }

const bound: Semantics = (m) => {
  const bytes = m.size === 2 ? 2 : 4
  const lower = m.sextFrom(m.load(bytes, operandAt(m, 0)), bytes)
  const upper = m.sextFrom(m.load(bytes, operandAt(m, bytes)), bytes)
  const index = m.sextFrom(m.read(0), bytes)
  m.if(m.or(m.ltS(index, lower), m.gtS(index, upper)), () => m.raise(EXCEPTION_BR))
}

const status =
  (helper: string): Semantics =>
  (m) => {
    m.helper(helper)
  }

export const farControlSemantics: SemanticsTable = {
  jmp_far: far(0),
  call_far: far(1),
  retf: (m) => {
    m.helper('far_return', m.i32(m.size), m.i32(0))
  },
  retf_imm: (m) => {
    m.helper('far_return', m.i32(m.size), m.read(0))
  },
  iret: (m) => {
    m.helper('interrupt_return', m.i32(m.size))
  },
  int: (m) => {
    m.helper('int_n', m.read(0))
  },
  int3: status('int3'),
  int1: status('int1'),
  into: status('into'),
  bound,
}
