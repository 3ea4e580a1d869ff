/**
 * Fences, cache control and hints. Guest memory is coherent and accesses happen in program order, so that they have no effect of their
 * own (SDM volume 1, 11.4.4; volume 3A, 8.2.5).
 */
import type { SemanticsTable } from '../emitter'
import { UD } from '../values'

export const cacheSemantics: SemanticsTable = {
  lfence: () => {},
  mfence: () => {},
  sfence: () => {},
  /** A hint: it never faults. */
  prefetch: () => {},
  /** CLFLUSH, CLFLUSHOPT and CLWB are subject to the checks of a load. */
  clflush: (m) => void m.read(0),
  // not offered by CPUID: XSAVE and XSAVEOPT are
  xsavec: (m) => m.raise(UD),
  xsaves: (m) => m.raise(UD),
  xrstors: (m) => m.raise(UD),
}
