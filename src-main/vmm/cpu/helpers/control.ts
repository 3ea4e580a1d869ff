/** Helpers of control/undefined. */
import type { HelperTable } from './signature'

export const controlHelpers: HelperTable = {
  /** Counts the opcode of the current record as one that nothing implements. */
  count_unknown_opcode: { params: [], result: 'void' },
}
