/** What a region consists of: basic blocks of one guest-physical page, as copies of their decoded records, so that a plan can go to another thread. */

export interface PlannedBlock {
  /** Offset of the first instruction in the page. */
  readonly offset: number
  /** Bytes of code. */
  readonly bytes: number
  /** Index of its first record in RegionPlan.records, and how many it has. */
  readonly first: number
  readonly count: number
}

export interface RegionPlan {
  /** Guest-physical address of the page. */
  readonly page: number
  /** CODE_KEY: code size and flatness that the translation assumes. */
  readonly key: number
  /** Decoded records (REC_BYTES each), block after block. */
  readonly records: Uint8Array
  /** blocks[0] is the block that was found hot. */
  readonly blocks: readonly PlannedBlock[]
  /** Numbers of the blocks to which the region's indirect jumps and calls are likely to go. */
  readonly aims?: readonly number[]
  /** Numbers of the blocks at which the region can be entered: entries[selector]; entries[0] is 0. */
  readonly entries: readonly number[]
}
