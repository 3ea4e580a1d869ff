import type { SemanticsTable } from '../emitter'
import { arithmeticSemantics } from './arithmetic'
import { exchangeSemantics } from './exchange'
import { flagSemantics } from './flags'
import { moveSemantics } from './move'
import { multiplySemantics } from './multiply'
import { stackSemantics } from './stack'

export const integerSemantics: SemanticsTable = {
  ...arithmeticSemantics,
  ...moveSemantics,
  ...exchangeSemantics,
  ...multiplySemantics,
  ...flagSemantics,
  ...stackSemantics,
}
