/** All helpers of the core that meanings call. */
import { controlHelpers } from './control'
import { fpuHelpers } from './fpu'
import { integerHelpers } from './integer'
import type { HelperTable } from './signature'
import { systemHelpers } from './system'

export const helperTable: HelperTable = { ...controlHelpers, ...integerHelpers, ...fpuHelpers, ...systemHelpers }
