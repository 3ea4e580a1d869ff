/** What regions are made from, compared with what guest memory and the decoded-block cache hold. */
import { inPage, pagesOf, partsOf, type CodePart, type RegionPlan } from '../translator/region-plan'
import { PAGE_BYTES, type BlockLists } from './block-lists'

/** Decodes what is not decoded yet; 0: impossible. */
export interface Decoder {
  /** The block at a guest-physical address. */
  readonly block: (gpa: number, key: number) => number
  /** The instruction there that goes on at the beginning of another page (core/decode/crossing): header of the block with its record. */
  readonly crossing: (gpa: number, second: number, key: number) => number
}

export class CodeBytes {
  constructor(
    private readonly lists: BlockLists,
    private readonly decoder: Decoder,
  ) {}

  /** The code bytes that a plan was made from, as they are now, block after block; undefined: a page is not memory. */
  of(plan: RegionPlan): Uint8Array | undefined {
    const code = new Uint8Array(plan.blocks.reduce((sum, block) => sum + block.bytes, 0))
    const pages = new Map(pagesOf(plan).map((page) => [page, this.lists.pageBytes(page)]))
    let at = 0
    for (const block of plan.blocks) {
      for (const { gpa, bytes } of partsOf(plan, block)) {
        const first = inPage(gpa)
        const page = pages.get(gpa - first)
        if (page === undefined) return undefined
        code.set(page.subarray(first, first + bytes), at)
        at += bytes
      }
    }
    return code
  }

  /** Whether guest memory still holds what a region was made from, with every byte of it in a decoded block. */
  isCurrent(plan: RegionPlan, code: Uint8Array): boolean {
    const now = this.of(plan)
    if (now === undefined || now.some((byte, i) => byte !== code[i])) return false
    if (this.isCovered(plan)) return true
    const { flushes } = this.lists
    for (const block of plan.blocks) {
      const [{ gpa }, second] = partsOf(plan, block) as [CodePart, CodePart?]
      const header = second === undefined ? this.decoder.block(gpa, plan.key) : this.decoder.crossing(gpa, second.gpa, plan.key)
      if (header === 0) return false
    }
    return flushes === this.lists.flushes && this.isCovered(plan)
  }

  private isCovered(plan: RegionPlan): boolean {
    const covered = new Map(pagesOf(plan).map((page) => [page, this.coverOf(page)]))
    return plan.blocks.every((block) =>
      partsOf(plan, block).every(({ gpa, bytes }) => {
        const first = inPage(gpa)
        const hole = covered.get(gpa - first)!.indexOf(0, first)
        return hole < 0 || hole >= first + bytes
      }),
    )
  }

  /** 1 for each byte of the page that belongs to a decoded block. */
  private coverOf(page: number): Uint8Array {
    const covered = new Uint8Array(PAGE_BYTES)
    // pages have hundreds of blocks of a few bytes: calling fill() for each was 1 to 3 % of the machine's thread
    for (const { gpa, bytes } of this.lists.ofPage(page)) {
      const first = gpa % PAGE_BYTES
      for (let i = first; i < first + bytes; i++) covered[i] = 1
    }
    return covered
  }
}
