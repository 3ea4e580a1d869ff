/** Segment registers, descriptor tables and queries of descriptors. */
import { GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, SCRATCH, SEGMENTS, SEG_BYTES, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_SELECTOR, SEG_SS, SEG_TR, STACK_MASK } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, SegmentedAddress, Value } from '../emitter'
import { RSP } from '../values'

type PushBytes = 2 | 4 | 8

const operandAt = (m: Emitter, delta: number): SegmentedAddress => ({
  segment: 'operand',
  offset: delta === 0 ? m.effectiveAddress() : m.add(m.effectiveAddress(), m.i64(delta)),
})

const pushBytes = (m: Emitter): PushBytes => (m.size === 1 ? 2 : m.size)
/** An i32 as a value of the operand size. */
const widen = (m: Emitter, value: Value): Value => (m.size === 8 ? m.zext(value) : value)

/** A load of SS holds interrupts back for one instruction. */
const shadowIfStack = (m: Emitter, segment: Value): void => m.if(m.eq(segment, m.i32(SEG_SS)), () => void m.helper('stack_segment_shadow'))

const movToSreg: Semantics = (m) => {
  const segment = m.registerField(0)
  m.helper('load_segment', segment, m.read(1))
  shadowIfStack(m, segment)
}

const movFromSreg: Semantics = (m) => {
  const selector = m.read(1)
  m.write(0, m.isMemory(0) ? selector : widen(m, selector))
}

const pushSreg: Semantics = (m) => m.push(pushBytes(m), widen(m, m.read(0)))

/** The pointer moves under the stack size from before the load: POP SS may change it. */
const popSreg: Semantics = (m) => {
  const bytes = pushBytes(m)
  const segment = m.registerField(0)
  const selector = m.truncate(m.top(bytes), 2)
  const mask = m.loadState('i64', STACK_MASK)
  m.helper('load_segment', segment, selector)
  const old = m.gpr(RSP, 8)
  m.setGpr(RSP, 8, m.or(m.and(old, m.not(mask)), m.and(m.add(old, m.i64(bytes)), mask)))
  shadowIfStack(m, segment)
}

/** LDS and its kin: the offset is loaded into the register after the segment. */
const loadFar =
  (segment: number): Semantics =>
  (m) => {
    const bytes = pushBytes(m)
    const offset = m.load(bytes, operandAt(m, 0))
    const selector = m.load(2, operandAt(m, bytes))
    m.helper('load_segment', m.i32(segment), selector)
    m.write(0, offset)
    if (segment === SEG_SS) m.helper('stack_segment_shadow')
  }

const storeSelector =
  (segment: number): Semantics =>
  (m) => {
    m.helper('check_protected')
    const selector = m.loadState16(SEGMENTS + segment * SEG_BYTES + SEG_SELECTOR)
    m.write(0, m.isMemory(0) ? selector : widen(m, selector))
  }

const loadSystemSegment =
  (helper: 'lldt' | 'ltr'): Semantics =>
  (m) => {
    m.helper('check_protected')
    m.helper('privileged')
    m.helper(helper, m.read(0))
  }

/** Limit, then base: 4 bytes, in 64-bit mode 8. */
const storeTable =
  (base: number, limit: number): Semantics =>
  (m) => {
    const bytes = m.size === 8 ? 8 : 4
    const limitAt = m.reference(2, operandAt(m, 0))
    const baseAt = m.reference(bytes, operandAt(m, 2))
    limitAt.store(m.loadState16(limit))
    const value = m.loadState('i64', base)
    baseAt.store(bytes === 8 ? value : m.wrap(value))
  }

const BASE_24_BITS = 0xffffff

const loadTable =
  (helper: 'load_gdtr' | 'load_idtr'): Semantics =>
  (m) => {
    m.helper('privileged')
    const limit = m.load(2, operandAt(m, 0))
    const base = m.load(m.size === 8 ? 8 : 4, operandAt(m, 2))
    m.helper(helper, m.zext(m.size === 2 ? m.and(base, m.i32(BASE_24_BITS)) : base), limit)
  }

const query =
  (helper: 'lar' | 'lsl'): Semantics =>
  (m) => {
    m.helper('check_protected')
    const selector = m.truncate(m.read(1), 2)
    const found = m.helper(helper, selector)
    m.if(found, () => {
      const value = m.loadState('i32', SCRATCH)
      m.write(0, m.size === 2 ? m.truncate(value, 2) : widen(m, value))
    })
    m.setFlags({ zf: found })
  }

const verify =
  (write: 0 | 1): Semantics =>
  (m) => {
    m.helper('check_protected')
    m.setFlags({ zf: m.helper('verify_segment', m.read(0), m.i32(write)) })
  }

const RPL = 3

/** Raises the destination's RPL to the source's. */
const arpl: Semantics = (m) => {
  m.helper('check_protected')
  const rpl = m.and(m.read(1), m.i32(RPL))
  const old = m.read(0)
  const raised = m.ltU(m.and(old, m.i32(RPL)), rpl)
  // without a change there is no write, which could fault
  m.if(raised, () => m.write(0, m.or(m.and(old, m.i32(~RPL)), rpl)))
  m.setFlags({ zf: raised })
}

export const segmentSemantics: SemanticsTable = {
  mov_to_sreg: movToSreg,
  mov_from_sreg: movFromSreg,
  push_sreg: pushSreg,
  pop_sreg: popSreg,
  les: loadFar(SEG_ES),
  lds: loadFar(SEG_DS),
  lss: loadFar(SEG_SS),
  lfs: loadFar(SEG_FS),
  lgs: loadFar(SEG_GS),
  sldt: storeSelector(SEG_LDTR),
  str: storeSelector(SEG_TR),
  lldt: loadSystemSegment('lldt'),
  ltr: loadSystemSegment('ltr'),
  sgdt: storeTable(GDTR_BASE, GDTR_LIMIT),
  sidt: storeTable(IDTR_BASE, IDTR_LIMIT),
  lgdt: loadTable('load_gdtr'),
  lidt: loadTable('load_idtr'),
  lar: query('lar'),
  lsl: query('lsl'),
  verr: verify(0),
  verw: verify(1),
  arpl,
}
