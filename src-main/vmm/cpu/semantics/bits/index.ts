/** Bit test and scan instructions, population count, CRC32. */
import type { Emitter, Reference, Semantics, SemanticsTable, SegmentedAddress, Value } from '../emitter'
import { fit, num, signed, type Bytes } from '../values'

const width = (m: Emitter): number => m.size * 8

/**
 * Memory operand of a bit instruction with a register offset: the offset is signed and may point far away from the operand. The access
 * is made in units of the operand size, as the processor does.
 */
const bitStringAddress = (m: Emitter, bitOffset: Value): SegmentedAddress => {
  const index = m.sext(signed(m, bitOffset))
  const units = m.shrS(index, m.i64(Math.log2(width(m))))
  const address = m.memoryOperand()
  const offset = m.add(address.offset, m.shl(units, m.i64(Math.log2(m.size))))
  return { segment: address.segment, offset: m.and(offset, m.addressMask()) }
}

type BitUpdate = (m: Emitter, value: Value, mask: Value) => Value

/** `update` undefined: BT, which only looks. */
const bitOperation =
  (update?: BitUpdate): Semantics =>
  (m) => {
    const operand = m.form.operands[1]
    const offset = m.read(1)
    const index = m.and(fit(m, offset, m.size), num(m, width(m) - 1))
    const selected = (value: Value): Value => m.and(m.wrap(m.shrU(value, index)), m.i32(1))
    if (m.isMemory(0) && operand?.kind !== 'imm') {
      const address = bitStringAddress(m, offset)
      if (update === undefined) {
        m.setFlags({ cf: selected(m.load(m.size, address)) })
        return
      }
      const reference: Reference = m.reference(m.size, address)
      const value = reference.load()
      const cf = selected(value)
      reference.store(update(m, value, m.shl(num(m, 1), index)))
      m.setFlags({ cf })
    } else if (update === undefined) {
      m.setFlags({ cf: selected(m.read(0)) })
    } else {
      m.modify(0, (value) => {
        m.setFlags({ cf: selected(value) })
        return update(m, value, m.shl(num(m, 1), index))
      })
    }
  }

/** A source of 0 leaves the destination as it is (AMD documents it, Intel's processors do the same) and sets ZF. */
const scan =
  (position: (m: Emitter, value: Value) => Value): Semantics =>
  (m) => {
    const source = m.read(1)
    const zero = m.eqz(source)
    m.if(m.eqz(zero), () => m.write(0, position(m, source)))
    m.setFlags({ zf: zero })
  }

const highestBit = (m: Emitter, value: Value): Value => m.sub(num(m, m.size === 8 ? 63 : 31), m.clz(value))

const countFlags = (m: Emitter, source: Value, result: Value): void => {
  m.setFlags({ cf: m.eqz(source), zf: m.eqz(result) })
}

const tzcnt: Semantics = (m) => {
  const source = m.read(1)
  // a bit above the operand stops the count of a narrow 0
  const result = m.ctz(m.size < 4 ? m.or(source, m.i32(1 << width(m))) : source)
  m.write(0, result)
  countFlags(m, source, result)
}

const lzcnt: Semantics = (m) => {
  const source = m.read(1)
  const counted = m.clz(source)
  const result = m.size < 4 ? m.sub(counted, m.i32(32 - width(m))) : counted
  m.write(0, result)
  countFlags(m, source, result)
}

const popcnt: Semantics = (m) => {
  const source = m.read(1)
  m.write(0, m.popcnt(source))
  const zero = m.i32(0)
  m.setFlags({ zf: m.eqz(source), cf: zero, of: zero, sf: zero, pf: zero, af: zero })
}

/** The operand size of the form may be that of the source or of the destination; the source operand tells its own width. */
const crc32: Semantics = (m) => {
  const source = m.form.operands[1]
  const bytes: Bytes =
    source !== undefined && 'bytes' in source && (source.bytes === 1 || source.bytes === 2 || source.bytes === 8) ? source.bytes : 4
  const value = m.zext(m.read(1))
  const old = m.wrap(m.read(0))
  const result = m.helper('crc32c', old, value, m.i32(bytes))
  const destination = m.form.operands[0]
  m.write(0, destination?.kind === 'gpr' && destination.bytes === 8 ? m.zext(result) : result)
}

export const bitSemantics: SemanticsTable = {
  bt: bitOperation(),
  bts: bitOperation((m, value, mask) => m.or(value, mask)),
  btr: bitOperation((m, value, mask) => m.and(value, m.not(mask))),
  btc: bitOperation((m, value, mask) => m.xor(value, mask)),
  bsf: scan((m, value) => m.ctz(value)),
  bsr: scan(highestBit),
  tzcnt,
  lzcnt,
  popcnt,
  crc32,
}
