/** All helpers of the core that meanings call. */
import { fpuHelpers } from './fpu'
import { integerHelpers } from './integer'
import type { HelperTable } from './signature'

export const helperTable: HelperTable = { ...integerHelpers, ...fpuHelpers }
