/** MUL, IMUL, DIV and IDIV. Quotients of 128 bits are helpers' (core/integer/wide.ts). */
import { highOfSignedProduct, highOfUnsignedProduct } from '../../emit/wide-product'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { DE, RAX, RDX, signed, source } from '../values'
import { SCRATCH } from '../../layout'

/** SF, ZF, AF and PF are undefined after a multiplication. */
const productFlags = (m: Emitter, low: Value, overflow: Value): void => m.flagsResult(low, { cf: overflow, of: overflow })

const mul: Semantics = (m) => {
  const b = m.read(0)
  const a = m.gpr(RAX, m.size)
  if (m.size === 1) {
    const product = m.mul(a, b)
    m.setGpr(RAX, 2, product)
    productFlags(m, product, m.ne(m.shrU(product, m.i32(8)), m.i32(0)))
  } else if (m.size === 2) {
    const product = m.mul(a, b)
    const high = m.shrU(product, m.i32(16))
    m.setGpr(RAX, 2, product)
    m.setGpr(RDX, 2, high)
    productFlags(m, product, m.ne(high, m.i32(0)))
  } else if (m.size === 4) {
    const product = m.mul(m.zext(a), m.zext(b))
    const low = m.wrap(product)
    const high = m.wrap(m.shrU(product, m.i64(32)))
    m.setGpr(RAX, 4, low)
    m.setGpr(RDX, 4, high)
    productFlags(m, low, m.ne(high, m.i32(0)))
  } else {
    const low = m.mul(a, b)
    const high = highOfUnsignedProduct(m, a, b)
    m.setGpr(RAX, 8, low)
    m.setGpr(RDX, 8, high)
    productFlags(m, low, m.ne(high, m.i64(0)))
  }
}

const imul1: Semantics = (m) => {
  const b = signed(m, m.read(0))
  const a = signed(m, m.gpr(RAX, m.size))
  if (m.size === 1) {
    m.setGpr(RAX, 2, m.mul(a, b))
  } else if (m.size === 2) {
    const product = m.mul(a, b)
    m.setGpr(RAX, 2, product)
    m.setGpr(RDX, 2, m.shrU(product, m.i32(16)))
  } else if (m.size === 4) {
    const product = m.mul(m.sext(a), m.sext(b))
    m.setGpr(RAX, 4, m.wrap(product))
    m.setGpr(RDX, 4, m.wrap(m.shrU(product, m.i64(32))))
  } else {
    m.setGpr(RAX, 8, m.mul(a, b))
    m.setGpr(RDX, 8, highOfSignedProduct(m, a, b))
  }
  m.flagsSignedProduct(a, b)
}

/** The truncating product of two and three operands. */
const truncatingProduct = (m: Emitter, left: Value, right: Value): void => {
  const a = signed(m, left)
  const b = signed(m, right)
  m.flagsSignedProduct(a, b)
  m.write(0, m.mul(a, b))
}

const imul2: Semantics = (m) => truncatingProduct(m, m.read(0), m.read(1))
const imul3: Semantics = (m) => truncatingProduct(m, m.read(1), source(m, 2))

const raiseDivideWhen = (m: Emitter, condition: Value): void => m.if(condition, () => m.raise(DE))

const div: Semantics = (m) => {
  const divisor = m.read(0)
  raiseDivideWhen(m, m.eqz(divisor))
  if (m.size === 1) {
    const dividend = m.gpr(RAX, 2)
    const quotient = m.divU(dividend, divisor)
    raiseDivideWhen(m, m.gtU(quotient, m.i32(0xff)))
    m.setGpr(RAX, 2, m.or(quotient, m.shl(m.remU(dividend, divisor), m.i32(8))))
  } else if (m.size === 2) {
    const dividend = m.or(m.shl(m.gpr(RDX, 2), m.i32(16)), m.gpr(RAX, 2))
    const quotient = m.divU(dividend, divisor)
    raiseDivideWhen(m, m.gtU(quotient, m.i32(0xffff)))
    const remainder = m.remU(dividend, divisor)
    m.setGpr(RAX, 2, quotient)
    m.setGpr(RDX, 2, remainder)
  } else if (m.size === 4) {
    const dividend = m.or(m.shl(m.zext(m.gpr(RDX, 4)), m.i64(32)), m.zext(m.gpr(RAX, 4)))
    const wideDivisor = m.zext(divisor)
    const quotient = m.divU(dividend, wideDivisor)
    raiseDivideWhen(m, m.gtU(quotient, m.i64(0xffffffff)))
    const remainder = m.remU(dividend, wideDivisor)
    m.setGpr(RAX, 4, m.wrap(quotient))
    m.setGpr(RDX, 4, m.wrap(remainder))
  } else {
    raiseDivideWhen(m, m.eqz(m.helper('divide_wide_unsigned', m.gpr(RDX, 8), m.gpr(RAX, 8), divisor)))
    m.setGpr(RAX, 8, m.loadState('i64', SCRATCH))
    m.setGpr(RDX, 8, m.loadState('i64', SCRATCH + 8))
  }
}

const idiv: Semantics = (m) => {
  const divisor = signed(m, m.read(0))
  raiseDivideWhen(m, m.eqz(divisor))
  if (m.size === 1) {
    const dividend = m.sextFrom(m.gpr(RAX, 2), 2)
    const quotient = m.divS(dividend, divisor)
    raiseDivideWhen(m, m.ne(m.sextFrom(quotient, 1), quotient))
    const remainder = m.remS(dividend, divisor)
    m.setGpr(RAX, 2, m.or(m.and(quotient, m.i32(0xff)), m.shl(remainder, m.i32(8))))
  } else if (m.size === 2) {
    const dividend = m.sext(m.or(m.shl(m.gpr(RDX, 2), m.i32(16)), m.gpr(RAX, 2)))
    const wideDivisor = m.sext(divisor)
    const quotient = m.divS(dividend, wideDivisor)
    raiseDivideWhen(m, m.ne(m.sextFrom(quotient, 2), quotient))
    const remainder = m.remS(dividend, wideDivisor)
    m.setGpr(RAX, 2, m.wrap(quotient))
    m.setGpr(RDX, 2, m.wrap(remainder))
  } else if (m.size === 4) {
    const dividend = m.or(m.shl(m.zext(m.gpr(RDX, 4)), m.i64(32)), m.zext(m.gpr(RAX, 4)))
    const wideDivisor = m.sext(divisor)
    // -2^63 / -1 would trap in WebAssembly; the quotient does not fit anyway
    raiseDivideWhen(m, m.and(m.eq(dividend, m.i64(-0x8000000000000000n)), m.eq(wideDivisor, m.i64(-1))))
    const quotient = m.divS(dividend, wideDivisor)
    raiseDivideWhen(m, m.ne(m.sextFrom(quotient, 4), quotient))
    const remainder = m.remS(dividend, wideDivisor)
    m.setGpr(RAX, 4, m.wrap(quotient))
    m.setGpr(RDX, 4, m.wrap(remainder))
  } else {
    raiseDivideWhen(m, m.eqz(m.helper('divide_wide_signed', m.gpr(RDX, 8), m.gpr(RAX, 8), divisor)))
    m.setGpr(RAX, 8, m.loadState('i64', SCRATCH))
    m.setGpr(RDX, 8, m.loadState('i64', SCRATCH + 8))
  }
}

export const multiplySemantics: SemanticsTable = { mul, imul1, imul2, imul3, div, idiv }
