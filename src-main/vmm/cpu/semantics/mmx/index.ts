/** MMX: the packed integer operations (shared with XMM registers), and what only MMX has. */
import { FPU_TAGS, FPU_TOP } from '../../layout'
import type { Semantics, SemanticsTable } from '../emitter'
import { guarded, requireMmx } from '../sse/availability'
import { packedInteger } from './packed'

/** EMMS: all x87 registers are free again. TOP is 0 as after every other MMX instruction. */
const emms: Semantics = (m) => {
  requireMmx(m)
  m.storeState(FPU_TOP, m.i32(0))
  m.storeState(FPU_TAGS, m.i32(0))
}

const movntq: Semantics = (m) => {
  m.write(0, m.read(1))
}

export const mmxSemantics: SemanticsTable = { ...guarded({ ...packedInteger, movntq }), emms }
