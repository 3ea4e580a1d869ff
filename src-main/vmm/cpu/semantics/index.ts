/** All meanings by operation name. */
import { bcdSemantics } from './bcd'
import { bitSemantics } from './bits'
import { nearControlSemantics } from './control/near'
import type { SemanticsTable } from './emitter'
import { integerSemantics } from './integer'
import { mmxSemantics } from './mmx'
import { shiftSemantics } from './shift'
import { sseSemantics } from './sse'
import { stringSemantics } from './string'

export const semantics: SemanticsTable = {
  ...integerSemantics,
  ...shiftSemantics,
  ...bitSemantics,
  ...bcdSemantics,
  ...stringSemantics,
  ...nearControlSemantics,
  ...mmxSemantics,
  ...sseSemantics,
}
