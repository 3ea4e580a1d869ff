/**
 * Blocks that do not find the x87's stack as they expect it: regions leave them to the interpreter (translator/tracked-x87-stack.ts). Those that refuse often in a
 * short time are translated without expectations.
 */

/** So many in REFUSALS_WITHIN instructions cost some percent of the time. */
const REFUSALS_MAX = 64
const REFUSALS_WITHIN = 1_000_000
/** Blocks remembered; the guest chooses how many there are. */
const BLOCKS_MAX = 4096

interface Refusals {
  readonly since: number
  readonly count: number
}

export class UnusualStacks {
  private readonly blocks = new Map<number, Refusals>()

  /** A block (entryKey) refused when `now` instructions had retired. True: no region that tracks its stack is worth keeping. */
  refused(block: number, now: number): boolean {
    const { since, count } = this.blocks.get(block) ?? { since: now, count: 0 }
    const isRecent = count >= REFUSALS_MAX || now - since < REFUSALS_WITHIN
    const refusals = isRecent ? { since, count: count + 1 } : { since: now, count: 1 }
    // latest refusal last: the one forgotten is the one that has been quiet longest
    this.blocks.delete(block)
    this.blocks.set(block, refusals)
    if (this.blocks.size > BLOCKS_MAX) for (const oldest of this.blocks.keys()) if (this.blocks.delete(oldest)) break
    return refusals.count >= REFUSALS_MAX
  }

  has(block: number): boolean {
    return (this.blocks.get(block)?.count ?? 0) >= REFUSALS_MAX
  }
}
