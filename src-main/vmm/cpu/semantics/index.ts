/** All meanings by operation name. */
import { bcdSemantics } from './bcd'
import { bitSemantics } from './bits'
import { farControlSemantics } from './control/far'
import { nearControlSemantics } from './control/near'
import { undefinedSemantics } from './control/undefined'
import type { SemanticsTable } from './emitter'
import { integerSemantics } from './integer'
import { mmxSemantics } from './mmx'
import { shiftSemantics } from './shift'
import { sseSemantics } from './sse'
import { stringSemantics } from './string'
import { systemSemantics } from './system'
import { x87Semantics } from './x87'

export const semantics: SemanticsTable = {
  ...undefinedSemantics,
  ...integerSemantics,
  ...shiftSemantics,
  ...bitSemantics,
  ...bcdSemantics,
  ...stringSemantics,
  ...nearControlSemantics,
  ...farControlSemantics,
  ...systemSemantics,
  ...mmxSemantics,
  ...sseSemantics,
  ...x87Semantics,
}
