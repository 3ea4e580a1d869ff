/** PUSH, POP, PUSHA, POPA, ENTER and LEAVE. Registers move only after every access has succeeded. */
import { REG_GPR, SEG_SS, STACK_MASK } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, SegmentedAddress, Value } from '../emitter'
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, fit, num, source, type Bytes } from '../values'

type StackBytes = 2 | 4 | 8

const stackBytes = (m: Emitter): StackBytes => (m.size === 1 ? 2 : m.size)

/** Sets the stack pointer to `value` in the width that the stack segment has. */
const setStackPointer = (m: Emitter, value: Value): void => {
  const mask = m.loadState('i64', STACK_MASK)
  const kept = m.and(m.gpr(RSP, 8), m.not(mask))
  m.setGpr(RSP, 8, m.or(kept, m.and(value, mask)))
}

const onStack = (m: Emitter, offset: Value): SegmentedAddress => ({
  segment: SEG_SS,
  offset: m.and(offset, m.loadState('i64', STACK_MASK)),
})

const push: Semantics = (m) => {
  m.push(stackBytes(m), source(m, 0))
}

const pop: Semantics = (m) => {
  const bytes = stackBytes(m)
  const value = m.top(bytes)
  if (!m.isMemory(0)) {
    m.adjustStack(bytes)
    m.write(0, value)
    return
  }
  // the address is computed with the incremented stack pointer, but a fault must leave the old one
  const before = m.loadState('i64', REG_GPR + RSP * 8)
  m.adjustStack(bytes)
  const offset = m.effectiveAddress()
  m.storeState(REG_GPR + RSP * 8, before)
  const reference = m.reference(bytes, { segment: 'operand', offset })
  m.adjustStack(bytes)
  reference.store(value)
}

const PUSHA_ORDER = [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI] as const

const pusha: Semantics = (m) => {
  const bytes = stackBytes(m)
  PUSHA_ORDER.forEach((register, index) => m.store(bytes, m.stackAddress(-bytes * (index + 1)), m.gpr(register, bytes)))
  m.adjustStack(-bytes * PUSHA_ORDER.length)
}

const popa: Semantics = (m) => {
  const bytes = stackBytes(m)
  const order = [...PUSHA_ORDER].reverse()
  const values = order.map((_, index) => m.load(bytes, m.stackAddress(bytes * index)))
  m.adjustStack(bytes * order.length)
  order.forEach((register, index) => {
    const value = values[index]
    if (register !== RSP && value !== undefined) m.setGpr(register, bytes, value)
  })
}

const ENTER_LEVEL_MASK = 31

/** ENTER: the frame is written with local offsets; RBP and RSP change once all of it is in place. */
const enter: Semantics = (m) => {
  const bytes = stackBytes(m)
  const step = m.i64(bytes)
  const level = m.and(m.immediate2(), m.i32(ENTER_LEVEL_MASK))
  const base = m.gpr(RBP, 8)
  const frame = m.sub(m.gpr(RSP, 8), step)
  m.store(bytes, onStack(m, frame), m.gpr(RBP, bytes))
  const top = m.variable(frame)
  m.if(level, () => {
    const source = m.variable(base)
    const left = m.variable(level)
    m.if(m.gtU(level, m.i32(1)), () => {
      m.loop((again) => {
        m.set(source, m.sub(m.get(source), step))
        m.set(top, m.sub(m.get(top), step))
        m.store(bytes, onStack(m, m.get(top)), m.load(bytes, onStack(m, m.get(source))))
        m.set(left, m.sub(m.get(left), m.i32(1)))
        again(m.gtU(m.get(left), m.i32(1)))
      })
    })
    m.set(top, m.sub(m.get(top), step))
    m.store(bytes, onStack(m, m.get(top)), m.truncate(frame, bytes))
  })
  const room = m.and(m.immediate(), m.i64(0xffff))
  const last = m.sub(m.get(top), room)
  // a frame that does not fit faults here, not at its first use
  m.reference(bytes, onStack(m, last))
  setFramePointer(m, bytes, frame)
  setStackPointer(m, last)
}

/** RBP gets the frame's address in the operand size; on a 16-bit stack its upper half is 0. */
const setFramePointer = (m: Emitter, bytes: Bytes, frame: Value): void =>
  m.setGpr(RBP, bytes, fit(m, m.and(frame, m.loadState('i64', STACK_MASK)), bytes))

const leave: Semantics = (m) => {
  const bytes = stackBytes(m)
  const frame = m.gpr(RBP, 8)
  const value = m.load(bytes, onStack(m, frame))
  setStackPointer(m, m.add(frame, num(m, bytes, 8)))
  m.setGpr(RBP, bytes, value)
}

export const stackSemantics: SemanticsTable = { push, pop, pusha, popa, enter, leave }
