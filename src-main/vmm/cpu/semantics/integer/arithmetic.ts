/** ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG and the logical operations (AMD64 Architecture Programmer's Manual, volume 3). */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { fit, num, source } from '../values'

const carryIn = (m: Emitter): Value => fit(m, m.flag('cf'), m.size)

const add: Semantics = (m) => {
  const b = source(m, 1)
  m.modify(0, (a) => {
    const r = m.add(a, b)
    m.flagsAdd(a, b, r)
    return r
  })
}

const adc: Semantics = (m) => {
  const b = source(m, 1)
  m.modify(0, (a) => {
    const r = m.add(m.add(a, b), carryIn(m))
    m.flagsAdd(a, b, r)
    return r
  })
}

const sub: Semantics = (m) => {
  const b = source(m, 1)
  m.modify(0, (a) => {
    const r = m.sub(a, b)
    m.flagsSub(a, b, r)
    return r
  })
}

const sbb: Semantics = (m) => {
  const b = source(m, 1)
  m.modify(0, (a) => {
    const r = m.sub(m.sub(a, b), carryIn(m))
    m.flagsSub(a, b, r)
    return r
  })
}

const cmp: Semantics = (m) => {
  const a = m.read(0)
  const b = source(m, 1)
  m.flagsSub(a, b, m.sub(a, b))
}

const logic =
  (operation: (m: Emitter, a: Value, b: Value) => Value): Semantics =>
  (m) => {
    const b = source(m, 1)
    m.modify(0, (a) => {
      const r = operation(m, a, b)
      m.flagsLogic(r)
      return r
    })
  }

const test: Semantics = (m) => {
  const a = m.read(0)
  m.flagsLogic(m.and(a, source(m, 1)))
}

const inc: Semantics = (m) => {
  m.modify(0, (a) => {
    const r = m.add(a, num(m, 1))
    m.flagsInc(a, r)
    return r
  })
}

const dec: Semantics = (m) => {
  m.modify(0, (a) => {
    const r = m.sub(a, num(m, 1))
    m.flagsDec(a, r)
    return r
  })
}

const not: Semantics = (m) => {
  m.modify(0, (a) => m.not(a))
}

const neg: Semantics = (m) => {
  m.modify(0, (a) => {
    const zero = num(m, 0)
    const r = m.sub(zero, a)
    m.flagsSub(zero, a, r)
    return r
  })
}

export const arithmeticSemantics: SemanticsTable = {
  add,
  adc,
  sub,
  sbb,
  cmp,
  and: logic((m, a, b) => m.and(a, b)),
  or: logic((m, a, b) => m.or(a, b)),
  xor: logic((m, a, b) => m.xor(a, b)),
  test,
  inc,
  dec,
  not,
  neg,
}
