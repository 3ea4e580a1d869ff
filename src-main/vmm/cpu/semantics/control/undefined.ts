/** What the decoder hands out instead of an instruction. */
import type { SemanticsTable } from '../emitter'
import { GP, UD } from '../values'

export const undefinedSemantics: SemanticsTable = {
  /** No row of the table: #UD, counted by opcode. */
  unknown: (m) => {
    m.call('count_unknown_opcode')
    m.raise(UD)
  },
  /** Architecturally undefined. */
  ud: (m) => m.raise(UD),
  /** More than 15 bytes. */
  too_long: (m) => m.raise(GP, 0),
}
