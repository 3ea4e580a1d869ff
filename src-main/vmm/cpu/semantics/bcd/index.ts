/** Decimal adjustment (not in 64-bit mode). Where the manual leaves flags undefined the result's flags are set and OF is cleared. */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { DE, RAX } from '../values'

const al = (m: Emitter): Value => m.gpr(RAX, 1)
const nibbleAbove9 = (m: Emitter, value: Value): Value => m.gtU(m.and(value, m.i32(15)), m.i32(9))

/** DAA and DAS: `sign` is +1 or -1. */
const decimalAdjust =
  (sign: 1 | -1): Semantics =>
  (m) => {
    const old = al(m)
    const low = m.or(nibbleAbove9(m, old), m.flag('af'))
    const high = m.or(m.gtU(old, m.i32(0x99)), m.flag('cf'))
    const correction = m.add(m.select(low, m.i32(6), m.i32(0)), m.select(high, m.i32(0x60), m.i32(0)))
    const result = m.and(sign === 1 ? m.add(old, correction) : m.sub(old, correction), m.i32(0xff))
    // DAS: subtracting 6 may itself borrow
    const borrow = sign === 1 ? m.i32(0) : m.and(low, m.ltU(old, m.i32(6)))
    m.setGpr(RAX, 1, result)
    m.flagsResult(result, { cf: m.or(high, borrow), af: low }, 1)
  }

/** AAA and AAS. The correction is made on AX as a whole, as processors since the 80286 do. */
const asciiAdjust =
  (sign: 1 | -1): Semantics =>
  (m) => {
    const ax = m.gpr(RAX, 2)
    const adjust = m.or(nibbleAbove9(m, ax), m.flag('af'))
    const corrected = sign === 1 ? m.add(ax, m.i32(0x106)) : m.sub(ax, m.i32(0x106))
    const result = m.and(m.select(adjust, corrected, ax), m.i32(0xff0f))
    m.setGpr(RAX, 2, result)
    m.flagsResult(m.and(result, m.i32(0xff)), { cf: adjust, af: adjust }, 1)
  }

const aam: Semantics = (m) => {
  const base = m.and(m.wrap(m.immediate()), m.i32(0xff))
  m.if(m.eqz(base), () => m.raise(DE))
  const old = al(m)
  const remainder = m.remU(old, base)
  m.setGpr(RAX, 2, m.or(m.shl(m.divU(old, base), m.i32(8)), remainder))
  m.flagsResult(remainder, {}, 1)
}

const aad: Semantics = (m) => {
  const base = m.and(m.wrap(m.immediate()), m.i32(0xff))
  const ax = m.gpr(RAX, 2)
  const result = m.and(m.add(m.mul(m.shrU(ax, m.i32(8)), base), ax), m.i32(0xff))
  m.setGpr(RAX, 2, result)
  m.flagsResult(result, {}, 1)
}

export const bcdSemantics: SemanticsTable = {
  daa: decimalAdjust(1),
  das: decimalAdjust(-1),
  aaa: asciiAdjust(1),
  aas: asciiAdjust(-1),
  aam,
  aad,
}
