/** A region in the code cache: translated code of one guest-physical page, with what it was made from. */
import { partsOf, type RegionPlan } from '../translator/region-plan'
import { REC_BYTES } from '../layout'

/** What the engine's table of regions holds: (vCPU's base address, selector) -> STATUS_*. */
export type RegionFunction = (vcpu: number, selector: number) => number

/** What a region was made from: the plan, and the bytes that were decoded. */
export interface RegionSource {
  readonly plan: RegionPlan
  /** The code bytes of each block, block after block. */
  readonly code: Uint8Array
  /** Made generously, because it runs very often: it takes the place of others wherever it can be entered. */
  readonly hot?: boolean
}

/** Regions that share a WebAssembly module: its memory is free when none of them is left. */
export interface Batch {
  readonly id: number
  /** Bytes of the WebAssembly module. */
  readonly bytes: number
  readonly regions: Set<Region>
}

export class Region {
  /** Place in the table while it is linked, else -1. */
  slot = -1
  /** Entries by the run loop, as far as they have been collected. */
  runs = 0
  /** `runs` at the latest look for cold code. */
  runsSeen = 0
  /** `runs` from which on something better should be made of it. */
  upgradeAt = 0

  constructor(
    readonly id: number,
    readonly source: RegionSource,
    readonly fn: RegionFunction,
    readonly batch: Batch,
    /** Bytes of the function. */
    readonly wasmBytes: number = 0,
  ) {}

  /** The page at which it is entered. */
  get page(): number {
    return this.source.plan.page
  }
  get hot(): boolean {
    return this.source.hot === true
  }
  get instructions(): number {
    return this.source.plan.records.length / REC_BYTES
  }
  /** Whether any of these bytes of guest-physical memory is code of it. */
  has(gpa: number, bytes: number): boolean {
    const { plan } = this.source
    return plan.blocks.some((block) => partsOf(plan, block).some((part) => part.gpa < gpa + bytes && part.gpa + part.bytes > gpa))
  }
  /** Guest-physical addresses of the blocks at which it can be entered, by selector. */
  entries(): number[] {
    const { page, blocks, entries } = this.source.plan
    return entries.flatMap((index) => {
      const block = blocks[index]
      return block === undefined ? [] : [page + block.offset]
    })
  }
}

/** Key of the map from entry points to regions. Guest-physical addresses have 33 bits, CODE_KEY 4. */
export function entryKey(gpa: number, key: number): number {
  return gpa * 16 + (key & 15)
}
