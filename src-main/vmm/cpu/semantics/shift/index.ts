/**
 * Shifts and rotates. The count is masked to 5 bits (6 for 64-bit operands); a masked count of 0 changes no flag. The overflow flag is
 * architecturally defined for counts of 1 only; for others it has the value that the same formula gives. AF is undefined and reads 0.
 */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { bit, signed, signBit } from '../values'

const width = (m: Emitter): number => m.size * 8

/** The masked count (i32) of operand `i`. */
const readCount = (m: Emitter, i: number): Value => {
  const mask = m.size === 8 ? 63 : 31
  return m.form.operands[i]?.kind === 'one' ? m.i32(1) : m.and(m.wrap(m.read(i)), m.i32(mask))
}

/** Runs `setFlags` unless the count is 0. */
const flagsUnlessZero = (m: Emitter, countOperand: number, count: Value, setFlags: () => void): void => {
  if (m.form.operands[countOperand]?.kind === 'one') setFlags()
  else m.if(count, setFlags)
}

const lowBit = (m: Emitter, value: Value): Value => m.and(m.wrap(value), m.i32(1))

const shl: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const r = m.shl(x, count)
    flagsUnlessZero(m, 1, count, () => {
      // 8 and 16 bits: the carry is the bit above the operand in the wider result; 32 and 64: the last bit that left at the top
      const cf = m.size < 4 ? bit(m, r, width(m)) : lowBit(m, m.shrU(x, m.sub(m.i32(width(m)), count)))
      m.flagsResult(r, { cf, of: m.xor(signBit(m, r), cf) })
    })
    return r
  })
}

const shr: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const r = m.shrU(x, count)
    flagsUnlessZero(m, 1, count, () => {
      const cf = lowBit(m, m.shrU(x, m.sub(count, m.i32(1))))
      m.flagsResult(r, { cf, of: m.xor(signBit(m, r), bit(m, r, width(m) - 2)) })
    })
    return r
  })
}

const sar: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const wide = signed(m, x)
    const r = m.shrS(wide, count)
    flagsUnlessZero(m, 1, count, () => {
      m.flagsResult(r, { cf: lowBit(m, m.shrS(wide, m.sub(count, m.i32(1)))) })
    })
    return r
  })
}

const rol: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const r = rotateLeft(m, x, count)
    flagsUnlessZero(m, 1, count, () => {
      const cf = lowBit(m, r)
      m.setFlags({ cf, of: m.xor(signBit(m, r), cf) })
    })
    return r
  })
}

const ror: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const r = m.size < 4 ? rotateLeft(m, x, m.sub(m.i32(width(m)), m.and(count, m.i32(width(m) - 1)))) : m.rotr(x, count)
    flagsUnlessZero(m, 1, count, () => {
      const cf = signBit(m, r)
      m.setFlags({ cf, of: m.xor(cf, bit(m, r, width(m) - 2)) })
    })
    return r
  })
}

const rotateLeft = (m: Emitter, x: Value, count: Value): Value => {
  if (m.size >= 4) return m.rotl(x, count)
  const c = m.and(count, m.i32(width(m) - 1))
  return m.or(m.shl(x, c), m.shrU(x, m.sub(m.i32(width(m)), c)))
}

/** Rotates through carry work on operand and carry as one number of width + 1 bits. */
const rcl: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const cfIn = m.flag('cf')
    let r: Value
    let cf: Value
    if (m.size === 8) {
      const carried = m.select(count, m.shl(m.zext(cfIn), m.sub(count, m.i32(1))), m.i64(0))
      const wrapped = m.select(count, m.shrU(m.shrU(x, m.i64(1)), m.sub(m.i32(64), count)), m.i64(0))
      r = m.or(m.or(m.shl(x, count), carried), wrapped)
      cf = lowBit(m, m.shrU(x, m.sub(m.i32(64), count)))
    } else {
      const bits = width(m) + 1
      const c = m.size === 4 ? count : m.remU(count, m.i32(bits))
      const whole = m.or(m.shl(m.zext(cfIn), m.i64(width(m))), m.zext(x))
      const rotated = m.or(m.shl(whole, c), m.shrU(whole, m.sub(m.i32(bits), c)))
      r = m.truncate(rotated, m.size)
      cf = bit(m, rotated, width(m))
    }
    flagsUnlessZero(m, 1, count, () => m.setFlags({ cf, of: m.xor(signBit(m, r), cf) }))
    return r
  })
}

const rcr: Semantics = (m) => {
  const count = readCount(m, 1)
  m.modify(0, (x) => {
    const cfIn = m.flag('cf')
    let r: Value
    let cf: Value
    if (m.size === 8) {
      const up = m.sub(m.i32(64), count)
      const carried = m.select(count, m.shl(m.zext(cfIn), up), m.i64(0))
      const wrapped = m.select(count, m.shl(m.shl(x, m.i64(1)), up), m.i64(0))
      r = m.or(m.or(m.shrU(x, count), carried), wrapped)
      cf = lowBit(m, m.shrU(x, m.sub(count, m.i32(1))))
    } else {
      const bits = width(m) + 1
      const c = m.size === 4 ? count : m.remU(count, m.i32(bits))
      const whole = m.or(m.shl(m.zext(cfIn), m.i64(width(m))), m.zext(x))
      const rotated = m.or(m.shrU(whole, c), m.shl(whole, m.sub(m.i32(bits), c)))
      r = m.truncate(rotated, m.size)
      cf = bit(m, rotated, width(m))
    }
    flagsUnlessZero(m, 1, count, () => m.setFlags({ cf, of: m.xor(signBit(m, r), bit(m, r, width(m) - 2)) }))
    return r
  })
}

/** 16-bit double shifts by more than 16 have an undefined result; here the first operand follows the second again. */
const shld: Semantics = (m) => {
  const low = m.read(1)
  const count = readCount(m, 2)
  m.modify(0, (x) => {
    let r: Value
    let cf: Value
    if (m.size === 8) {
      r = m.or(m.shl(x, count), m.select(count, m.shrU(low, m.sub(m.i32(64), count)), m.i64(0)))
      cf = lowBit(m, m.shrU(x, m.sub(m.i32(64), count)))
    } else if (m.size === 4) {
      const whole = m.or(m.shl(m.zext(x), m.i64(32)), m.zext(low))
      r = m.wrap(m.shrU(m.shl(whole, count), m.i64(32)))
      cf = lowBit(m, m.shrU(x, m.sub(m.i32(32), count)))
    } else {
      const whole = m.or(m.or(m.shl(m.zext(x), m.i64(32)), m.shl(m.zext(low), m.i64(16))), m.zext(x))
      const shifted = m.shl(whole, count)
      r = m.truncate(m.shrU(shifted, m.i64(32)), 2)
      cf = bit(m, shifted, 48)
    }
    flagsUnlessZero(m, 2, count, () => m.flagsResult(r, { cf, of: m.xor(signBit(m, r), signBit(m, x)) }))
    return r
  })
}

const shrd: Semantics = (m) => {
  const high = m.read(1)
  const count = readCount(m, 2)
  m.modify(0, (x) => {
    let r: Value
    let cf: Value
    if (m.size === 8) {
      r = m.or(m.shrU(x, count), m.select(count, m.shl(high, m.sub(m.i32(64), count)), m.i64(0)))
      cf = lowBit(m, m.shrU(x, m.sub(count, m.i32(1))))
    } else {
      const above = m.shl(m.zext(high), m.i64(width(m)))
      const base = m.or(above, m.zext(x))
      const whole = m.size === 2 ? m.or(m.shl(m.zext(x), m.i64(32)), base) : base
      r = m.truncate(m.shrU(whole, count), m.size)
      cf = lowBit(m, m.shrU(whole, m.sub(count, m.i32(1))))
    }
    flagsUnlessZero(m, 2, count, () => m.flagsResult(r, { cf, of: m.xor(signBit(m, r), signBit(m, x)) }))
    return r
  })
}

export const shiftSemantics: SemanticsTable = { shl, shr, sar, rol, ror, rcl, rcr, shld, shrd }
