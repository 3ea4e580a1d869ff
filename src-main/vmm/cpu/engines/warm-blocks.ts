/**
 * Blocks that have asked for their translation and wait for it. They are still counted, so that the hottest can go first: a tight loop must not wait
 * for the thousands of blocks that a kernel's start makes warm. What waits gains on newcomers by and by.
 */
import type { CodeCache } from '../code-cache/code-cache'
import type { DecodedBlock } from '../code-cache/block-lists'

/** So many instructions of waiting count as much as one run. */
const INSTRUCTIONS_PER_RUN = 20_000

interface WarmBlock {
  readonly block: DecodedBlock
  readonly since: number
  gone: boolean
}

export class WarmBlocks {
  private blocks: WarmBlock[] = []
  private flushes = 0

  constructor(
    private readonly cache: CodeCache,
    /** Blocks that may wait. */
    private readonly limit: number,
    /** Those that have fewer runs have been counted anew since: they ask again. */
    private readonly threshold: number,
  ) {}

  get size(): number {
    return this.blocks.length
  }

  /** False: there is no room. */
  add(block: DecodedBlock, now: number): boolean {
    this.noticeFlush()
    if (this.blocks.length >= this.limit) return false
    this.blocks.push({ block, since: now, gone: false })
    return true
  }

  /** Takes the hottest, one after the other, until `use` says that it is enough. At most `count`. */
  takeHottest(count: number, now: number, use: (block: DecodedBlock) => boolean): void {
    this.noticeFlush()
    const best: { readonly heat: number; readonly warm: WarmBlock }[] = []
    for (const warm of this.blocks) {
      const runs = this.cache.runsOf(warm.block)
      if (runs < this.threshold) {
        warm.gone = true
        continue
      }
      const heat = runs + (now - warm.since) / INSTRUCTIONS_PER_RUN
      if (best.length === count && heat <= best[count - 1]!.heat) continue
      let at = best.length
      while (at > 0 && best[at - 1]!.heat < heat) at--
      best.splice(at, 0, { heat, warm })
      if (best.length > count) best.pop()
    }
    for (const { warm } of best) {
      warm.gone = true
      if (!use(warm.block)) break
    }
    this.blocks = this.blocks.filter(({ gone }) => !gone)
  }

  /** Headers mean nothing any more, and everything is counted from 0 again. */
  private noticeFlush(): void {
    const { decodedFlushes } = this.cache
    if (decodedFlushes === this.flushes) return
    this.flushes = decodedFlushes
    this.blocks = []
  }
}
