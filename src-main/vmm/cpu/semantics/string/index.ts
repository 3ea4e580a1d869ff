/**
 * String instructions. A repeated one does a bounded run per dispatch (RUN_BYTES or IO_RUN_BYTES worth of elements, one while debugging) and
 * stays at its own address until rCX has run out, so that interrupts come in between runs; the length of a run depends on architectural state
 * only. rSI, rDI and rCX are up to date after each element, so a fault in the middle needs no repair; the flags of CMPS and SCAS are then those of the last
 * comparison made, as AMD's processors have it.
 */
import { ATTENTION, ATTENTION_DEBUG, SEG_ES } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RAX, RCX, RDI, RDX, RSI } from '../values'

/** core/integer/string.ts, region_copy, knows it. */
const RUN_BYTES = 4096
/** Of INS and OUTS: a port access can cost the host ten milliseconds (clearing video memory, say), and nothing interrupts a run. */
const IO_RUN_BYTES = 128
const CONDITION_E = 4
const CONDITION_NE = 5

const destination = (m: Emitter): { segment: number; offset: Value } => ({ segment: SEG_ES, offset: m.addressRegister(RDI) })
const origin = (m: Emitter): { segment: 'operand'; offset: Value } => ({ segment: 'operand', offset: m.addressRegister(RSI) })

const advance = (m: Emitter, ...registers: readonly number[]): void => {
  const step = m.stringStep(m.size)
  for (const register of registers) m.setAddressRegister(register, m.add(m.addressRegister(register), step))
}

/** How many elements this dispatch may do, given that rCX is not 0. */
const runLength = (m: Emitter, count: Value, bytes: number = RUN_BYTES): Value => {
  const debugged = m.and(m.loadState('i32', ATTENTION), m.i32(ATTENTION_DEBUG))
  const limit = m.select(debugged, m.i64(1), m.i64(bytes / m.size))
  return m.select(m.ltU(count, limit), count, limit)
}

const countDown = (m: Emitter, by: Value): void => m.setAddressRegister(RCX, m.sub(m.addressRegister(RCX), by))

const stayUnlessDone = (m: Emitter): void => m.if(m.ne(m.addressRegister(RCX), m.i64(0)), () => m.jump(m.rip()))

/**
 * `element` does one element and moves the index registers. `bulk` may do many at once: it gets the number wanted and returns how many it
 * did (0: none), without touching registers; `indexes` are then moved for it.
 */
interface Repeated {
  /** Asked first for a way without a loop. */
  readonly atOnce?: 'movs' | 'stos'
  /** Comes first, even when rCX is 0. */
  readonly before?: (m: Emitter) => void
  readonly element: (m: Emitter) => void
  readonly bulk?: (m: Emitter, wanted: Value) => Value
  readonly indexes: readonly number[]
  readonly runBytes?: number
}

const repeated =
  ({ atOnce, before, element, bulk, indexes, runBytes }: Repeated): Semantics =>
  (m) => {
    before?.(m)
    if (m.form.rep === 0) {
      element(m)
      return
    }
    if (atOnce !== undefined && m.repeatAtOnce(atOnce)) return
    const count = m.addressRegister(RCX)
    m.if(m.ne(count, m.i64(0)), () => {
      const left = m.variable(runLength(m, count, runBytes))
      const one = (): void => {
        element(m)
        countDown(m, m.i64(1))
        m.set(left, m.sub(m.get(left), m.i64(1)))
      }
      m.loop((again) => {
        if (bulk === undefined) {
          one()
        } else {
          const done = bulk(m, m.get(left))
          m.if(m.eqz(done), one, () => {
            const bytes = m.mul(done, m.i64(m.size))
            for (const register of indexes) m.setAddressRegister(register, m.add(m.addressRegister(register), bytes))
            countDown(m, done)
            m.set(left, m.sub(m.get(left), done))
          })
        }
        again(m.ne(m.get(left), m.i64(0)))
      })
      stayUnlessDone(m)
    })
  }

const addressSize = (m: Emitter): number => m.form.addressSize ?? 4
const addressMask = (m: Emitter): Value => m.i64(addressSize(m) === 8 ? -1n : addressSize(m) === 4 ? 0xffffffffn : 0xffffn)

const movs = repeated({
  atOnce: 'movs',
  element: (m) => {
    m.store(m.size, destination(m), m.load(m.size, origin(m)))
    advance(m, RSI, RDI)
  },
  bulk: (m, wanted) =>
    m.helper('string_copy', m.operandSegment(), m.addressRegister(RSI), m.addressRegister(RDI), addressMask(m), wanted, m.i32(m.size)),
  indexes: [RSI, RDI],
})

const stos = repeated({
  atOnce: 'stos',
  element: (m) => {
    m.store(m.size, destination(m), m.gpr(RAX, m.size))
    advance(m, RDI)
  },
  bulk: (m, wanted) => m.helper('string_fill', m.addressRegister(RDI), addressMask(m), wanted, m.i32(m.size)),
  indexes: [RDI],
})

const lods = repeated({
  element: (m) => {
    m.setGpr(RAX, m.size, m.load(m.size, origin(m)))
    advance(m, RSI)
  },
  indexes: [RSI],
})

/** The port is in DX. Permission comes first, then the check of memory, then the port is touched. */
const checkPort: Semantics = (m) => void m.helper('io_check', m.gpr(RDX, 2), m.i32(m.size))

const ins = repeated({
  before: checkPort,
  element: (m) => {
    const port = m.gpr(RDX, 2)
    const reference = m.reference(m.size, destination(m))
    reference.store(m.helper('io_read', port, m.i32(m.size)))
    advance(m, RDI)
  },
  indexes: [RDI],
  runBytes: IO_RUN_BYTES,
})

const outs = repeated({
  before: checkPort,
  element: (m) => {
    const port = m.gpr(RDX, 2)
    const value = m.load(m.size, origin(m))
    m.call('io_write', port, m.i32(m.size), value)
    advance(m, RSI)
  },
  indexes: [RSI],
  runBytes: IO_RUN_BYTES,
})

/** CMPS and SCAS: `operands` reads the pair to compare. */
const comparing =
  (operands: (m: Emitter) => readonly [Value, Value], indexes: readonly number[]): Semantics =>
  (m) => {
    if (m.form.rep === 0) {
      const [a, b] = operands(m)
      m.flagsSub(a, b, m.sub(a, b))
      advance(m, ...indexes)
      return
    }
    const count = m.addressRegister(RCX)
    m.if(m.ne(count, m.i64(0)), () => {
      const left = m.variable(runLength(m, count))
      m.loop((again) => {
        const [a, b] = operands(m)
        m.flagsSub(a, b, m.sub(a, b))
        advance(m, ...indexes)
        countDown(m, m.i64(1))
        m.set(left, m.sub(m.get(left), m.i64(1)))
        again(m.and(m.ne(m.get(left), m.i64(0)), wantsMore(m)))
      })
      m.if(wantsMore(m), () => stayUnlessDone(m))
    })
  }

const wantsMore = (m: Emitter): Value => m.condition(m.form.rep === 1 ? CONDITION_E : CONDITION_NE)

/** The second source is read first: which of two faults is seen depends on it. */
const cmps = comparing(
  (m) => {
    const b = m.load(m.size, destination(m))
    return [m.load(m.size, origin(m)), b]
  },
  [RSI, RDI],
)
const scas = comparing((m) => [m.gpr(RAX, m.size), m.load(m.size, destination(m))], [RDI])

export const stringSemantics: SemanticsTable = { movs, stos, lods, ins, outs, cmps, scas }
