/**
 * Near control transfers. The target is checked first, then the stack is written, then RIP changes: a fault leaves everything as it was.
 * In 64-bit mode near transfers have an operand size of 64 bits.
 */
import { CODE_MODE, SEGMENTS, SEG_BYTES, SEG_CS, SEG_LIMIT } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { GP, RCX } from '../values'

type StackBytes = 2 | 4 | 8
const stackBytes = (m: Emitter): StackBytes => (m.size === 1 ? 2 : m.size)

const CODE_MODE_64 = 2
const CANONICAL_BITS = 16

/** #GP(0) unless code may be fetched at `target`: canonical in 64-bit mode, within the limit of CS elsewhere. */
const checkTarget = (m: Emitter, target: Value): void => {
  const shift = m.i64(CANONICAL_BITS)
  const notCanonical = m.ne(m.shrS(m.shl(target, shift), shift), target)
  if (m.size === 8) {
    m.if(notCanonical, () => m.raise(GP, 0))
    return
  }
  const beyondLimit = m.gtU(target, m.zext(m.loadState('i32', SEGMENTS + SEG_CS * SEG_BYTES + SEG_LIMIT)))
  const in64 = m.eq(m.loadState('i32', CODE_MODE), m.i32(CODE_MODE_64))
  m.if(m.and(beyondLimit, m.eqz(in64)), () => m.raise(GP, 0))
}

const jcc: Semantics = m => m.jumpRelative(m.condition(m.form.variant))
const jmpRel: Semantics = m => m.jumpRelative()
const jmpNear: Semantics = m => m.jump(m.zext(m.read(0)))

const call = (m: Emitter, target: Value): void => {
  const bytes = stackBytes(m)
  checkTarget(m, target)
  m.push(bytes, m.truncate(m.nextRip(), bytes))
  m.jump(target)
}

const callRel: Semantics = m => call(m, m.relativeTarget())
const callNear: Semantics = m => call(m, m.zext(m.read(0)))

const ret: Semantics = m => {
  const bytes = stackBytes(m)
  const target = m.zext(m.top(bytes))
  checkTarget(m, target)
  m.adjustStack(bytes)
  m.jump(target)
}

const retImm: Semantics = m => {
  const bytes = stackBytes(m)
  const target = m.zext(m.top(bytes))
  checkTarget(m, target)
  m.adjustStack(m.add(m.and(m.immediate(), m.i64(0xffff)), m.i64(bytes)))
  m.jump(target)
}

/** LOOP, LOOPE, LOOPNE: rCX of the address size counts; no flag changes. */
const loopWhile =
  (condition?: (m: Emitter) => Value): Semantics =>
  m => {
    const count = m.sub(m.addressRegister(RCX), m.i64(1))
    const masked = m.form.addressSize === 2 ? m.and(count, m.i64(0xffff)) : m.form.addressSize === 4 ? m.and(count, m.i64(0xffffffff)) : count
    const notZero = m.ne(masked, m.i64(0))
    const taken = condition === undefined ? notZero : m.and(notZero, condition(m))
    m.if(taken, () => checkTarget(m, m.relativeTarget()))
    m.setAddressRegister(RCX, masked)
    m.jumpRelative(taken)
  }

const jcxz: Semantics = m => m.jumpRelative(m.eqz(m.addressRegister(RCX)))

export const nearControlSemantics: SemanticsTable = {
  jcc,
  jmp_rel: jmpRel,
  jmp_near: jmpNear,
  call_rel: callRel,
  call_near: callNear,
  ret,
  ret_imm: retImm,
  loop: loopWhile(),
  loope: loopWhile(m => m.flag('zf')),
  loopne: loopWhile(m => m.eqz(m.flag('zf'))),
  jcxz,
}
