import type { SemanticsTable } from '../emitter'
import { cacheSemantics } from './cache'
import { controlSemantics } from './control'
import { flagControlSemantics } from './flags'
import { segmentSemantics } from './segments'

/** System instructions by operation name. */
export const systemSemantics: SemanticsTable = { ...segmentSemantics, ...controlSemantics, ...flagControlSemantics, ...cacheSemantics }
