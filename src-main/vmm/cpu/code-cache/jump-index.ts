/** The jump cache as the core (core/decode/blocks) and the run loop (interpreter/dispatch) address it. */
import { JUMP_CACHE_ENTRIES, JUMP_CACHE_FOLD, JUMP_CACHE_SHIFT } from '../layout'

/** Index of the entry for a linear address, given by its low 32 bits. The other entry that may have it is the neighbour, index ^ 1. */
export function jumpIndex(low: number): number {
  return ((low >>> JUMP_CACHE_SHIFT) ^ (low >>> JUMP_CACHE_FOLD)) & (JUMP_CACHE_ENTRIES - 1)
}
