/**
 * Near control transfers. jump() checks the target before it takes effect, and a fault of what follows it undoes it, so the order is: read,
 * jump, write the stack, move registers. In 64-bit mode near transfers have an operand size of 64 bits.
 */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RCX } from '../values'

type StackBytes = 2 | 4 | 8
const stackBytes = (m: Emitter): StackBytes => (m.size === 1 ? 2 : m.size)

const jcc: Semantics = (m) => m.jumpRelative(m.condition(m.form.variant))
const jmpRel: Semantics = (m) => m.jumpRelative()
const jmpNear: Semantics = (m) => m.jump(m.zext(m.read(0)))

const call = (m: Emitter, target: Value): void => {
  const bytes = stackBytes(m)
  const back = m.truncate(m.nextRip(), bytes)
  m.jump(target)
  m.push(bytes, back)
}

const callRel: Semantics = (m) => call(m, m.relativeTarget())
/** Room on the stack is looked for before the target. */
const callNear: Semantics = (m) => {
  const bytes = stackBytes(m)
  const target = m.zext(m.read(0))
  const back = m.reference(bytes, m.stackAddress(-bytes))
  const next = m.truncate(m.nextRip(), bytes)
  m.jump(target)
  back.store(next)
  m.adjustStack(-bytes)
}

const ret: Semantics = (m) => {
  const bytes = stackBytes(m)
  const target = m.zext(m.top(bytes))
  m.jump(target)
  m.adjustStack(bytes)
}

const retImm: Semantics = (m) => {
  const bytes = stackBytes(m)
  const target = m.zext(m.top(bytes))
  m.jump(target)
  m.adjustStack(m.add(m.and(m.immediate(), m.i64(0xffff)), m.i64(bytes)))
}

/** LOOP, LOOPE, LOOPNE: rCX of the address size counts; no flag changes. */
const loopWhile =
  (condition?: (m: Emitter) => Value): Semantics =>
  (m) => {
    const count = m.sub(m.addressRegister(RCX), m.i64(1))
    const masked =
      m.form.addressSize === 2 ? m.and(count, m.i64(0xffff)) : m.form.addressSize === 4 ? m.and(count, m.i64(0xffffffff)) : count
    const notZero = m.ne(masked, m.i64(0))
    const taken = condition === undefined ? notZero : m.and(notZero, condition(m))
    m.jumpRelative(taken)
    m.setAddressRegister(RCX, masked)
  }

const jcxz: Semantics = (m) => m.jumpRelative(m.eqz(m.addressRegister(RCX)))

export const nearControlSemantics: SemanticsTable = {
  jcc,
  jmp_rel: jmpRel,
  jmp_near: jmpNear,
  call_rel: callRel,
  call_near: callNear,
  ret,
  ret_imm: retImm,
  loop: loopWhile(),
  loope: loopWhile((m) => m.flag('zf')),
  loopne: loopWhile((m) => m.eqz(m.flag('zf'))),
  jcxz,
}
