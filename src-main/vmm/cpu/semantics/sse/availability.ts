/** When MMX and SSE instructions may run, and what MMX does to the x87 state. SDM volume 3, sections 13.1 and 12.1 to 12.5. */
import { FPU_TAGS, FPU_TOP } from '../../layout'
import type { Emitter, Semantics, SemanticsTable } from '../emitter'

/** #UD or #NM unless SSE is enabled. */
export const requireSse = (m: Emitter): void => {
  m.if(m.invariant('sse-blocked'), () => {
    m.helper('sseUnavailable')
  })
}

/** #UD, #NM, or #MF for a pending x87 exception. */
export const requireMmx = (m: Emitter): void => {
  m.if(m.invariant('x87-blocked'), () => {
    m.helper('mmxUnavailable')
  })
}

/** Every MMX instruction but EMMS leaves TOP 0 and all registers in use. */
export const enterMmx = (m: Emitter): void => {
  m.storeState(FPU_TOP, m.i32(0))
  m.storeState(FPU_TAGS, m.i32(0xff))
}

/** Its page faults come after the change to MMX state (so AMD's processors show). */
const ENTERS_FIRST: ReadonlySet<string> = new Set(['maskmovq'])

/** Puts the checks in front of a meaning, by the kinds of its operands; a meaning without SIMD operands counts as SSE. */
const guard = (meaning: Semantics): Semantics => (m) => {
  const kinds = m.form.operands.map((operand) => operand.kind)
  const mmx = kinds.includes('mm')
  if (!mmx || kinds.includes('xmm')) requireSse(m)
  if (mmx) requireMmx(m)
  const first = ENTERS_FIRST.has(m.form.operation)
  if (mmx && first) enterMmx(m)
  meaning(m)
  // after everything that can fault
  if (mmx && !first) enterMmx(m)
}

export const guarded = (table: SemanticsTable): SemanticsTable =>
  Object.fromEntries(Object.entries(table).map(([name, meaning]) => [name, guard(meaning)]))
