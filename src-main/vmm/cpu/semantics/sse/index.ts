/** SSE to SSE4.2. The integer operations that MMX has as well are in semantics/mmx. */
import type { SemanticsTable } from '../emitter'
import { sseArithmetic } from './arithmetic'
import { guarded } from './availability'
import { sseConversions } from './convert'
import { sseMoves } from './move'
import { sse4 } from './sse4'
import { stateSemantics } from './state'

export const sseSemantics: SemanticsTable = { ...guarded({ ...sseArithmetic, ...sseConversions, ...sseMoves, ...sse4 }), ...stateSemantics }
