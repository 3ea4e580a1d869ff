/** What a region consists of: basic blocks as copies of their decoded records, so that a plan can go to another thread. */

export interface PlannedBlock {
  /** Offset of the first instruction, relative to the linear address at which the region's page begins; in another page when it is beyond that. */
  readonly offset: number
  /** Bytes of code. The last may lie in the next page when the block is of one instruction, which crosses the page's end. */
  readonly bytes: number
  /** Index of its first record in RegionPlan.records, and how many it has. */
  readonly first: number
  readonly count: number
  /** The x87's stack is looked at by each instruction, as it is not what the block would expect. */
  readonly untracked?: boolean
}

/** A page with code of the region besides the one at which it is entered. */
export interface OtherPage {
  /** Linear address of the page minus that of the region's page: a multiple of PAGE_BYTES, not 0. */
  readonly distance: number
  /** Guest-physical address. That it is there for that linear address is looked at whenever the region goes there. */
  readonly page: number
}

export interface RegionPlan {
  /** Guest-physical address of the page at which the region is entered. */
  readonly page: number
  /** Only in 64-bit and in flat 32-bit code. */
  readonly others?: readonly OtherPage[]
  /** CODE_KEY: code size and flatness that the translation assumes. */
  readonly key: number
  /** Decoded records (REC_BYTES each), block after block. */
  readonly records: Uint8Array
  /** blocks[0] is the block that was found hot. */
  readonly blocks: readonly PlannedBlock[]
  /** Numbers of the blocks at which the region can be entered: entries[selector]; entries[0] is 0. */
  readonly entries: readonly number[]
  /** Made sparingly: short code matters more than what happens when memory is not where it usually is (access-windows.ts). */
  readonly brief?: boolean
  /** Numbers of the blocks to which its indirect jumps and calls may go. */
  readonly aims?: readonly number[]
}

export const PAGE_BYTES = 0x1000

/** The page of an offset: its distance from the region's page. */
export const distanceOf = (offset: number): number => offset - inPage(offset)
/** The offset within its page. */
export const inPage = (offset: number): number => offset & (PAGE_BYTES - 1)

/** Guest-physical addresses of all pages with code of the region, the one at which it is entered first. */
export function pagesOf({ page, others = [] }: RegionPlan): readonly number[] {
  return [page, ...others.map((other) => other.page)]
}

/** Guest-physical address of an offset. */
export function addressOf({ page, others }: RegionPlan, offset: number): number {
  if (offset >= 0 && offset < PAGE_BYTES) return page + offset
  const distance = distanceOf(offset)
  const other = others?.find((one) => one.distance === distance)
  if (other === undefined) throw new Error(`no page of the region is at distance ${distance}`)
  return other.page + inPage(offset)
}

/** Whether `bytes` at an offset go on into the next page. */
export const isCrossing = (offset: number, bytes: number): boolean => inPage(offset) + bytes > PAGE_BYTES

export interface CodePart {
  /** Guest-physical address. */
  readonly gpa: number
  readonly bytes: number
}

/** Where the code of a block lies: two parts when its instruction crosses the end of a page. */
export function partsOf(plan: RegionPlan, { offset, bytes }: PlannedBlock): readonly CodePart[] {
  const gpa = addressOf(plan, offset)
  if (!isCrossing(offset, bytes)) return [{ gpa, bytes }]
  const first = PAGE_BYTES - inPage(offset)
  return [
    { gpa, bytes: first },
    { gpa: addressOf(plan, offset + first), bytes: bytes - first },
  ]
}
