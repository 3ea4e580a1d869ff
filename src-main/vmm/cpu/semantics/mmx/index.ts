/** MMX: the packed integer operations (shared with XMM registers), and what only MMX has. */
import { FPU_TAGS } from '../../layout'
import type { Semantics, SemanticsTable } from '../emitter'
import { guarded, requireMmx } from '../sse/availability'
import { packedInteger } from './packed'

/** EMMS: all x87 registers are free again. */
const emms: Semantics = (m) => {
  requireMmx(m)
  m.storeState(FPU_TAGS, m.i32(0))
}

const movntq: Semantics = (m) => {
  m.write(0, m.read(1))
}

export const mmxSemantics: SemanticsTable = { ...guarded({ ...packedInteger, movntq }), emms }
