/**
 * Where pages of code lie in linear memory, for regions that go from page to page. The decoded-block cache knows guest-physical addresses only; the
 * jump caches of the vCPUs tell at which linear addresses blocks were found. What they say may be out of date: a region looks at the TLB before it goes there.
 */
import {
  BLOCK_HEADER_BYTES,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_EPOCH,
  JUMP_RECORDS,
  TLB_CONTEXT,
  VCPU_BASE,
  VCPU_MAX,
  VCPU_STRIDE,
} from '../layout'
import { PAGE_BYTES, type BlockLists, type DecodedBlock } from './block-lists'
import { jumpIndex } from './jump-index'

const BITS_32 = 0x100000000
const CODE_64 = 2
const MODE_MASK = 3
/** Regions add distances of 32 bits. */
const DISTANCE_MAX = 0x7fff0000

/** What lies around a block in linear memory. Offsets are from the start of the block's page. */
export interface Surroundings {
  /** Guest-physical address of the page with the code at an offset; undefined: not known. */
  readonly pageAt: (offset: number) => number | undefined
  /** Offset of a linear address, given as two words; undefined: not known, or far away. */
  readonly offsetOf: (low: number, high: number) => number | undefined
}

export class LinearPages {
  private readonly words: Uint32Array

  constructor(
    memory: WebAssembly.Memory,
    private readonly lists: BlockLists,
  ) {
    this.words = new Uint32Array(memory.buffer)
  }

  around({ header, gpa, key }: DecodedBlock): Surroundings {
    const { words } = this
    const isLong = (key & MODE_MASK) === CODE_64
    let home: number | undefined
    // most regions have no way out of their page
    const find = (): number => (home ??= this.entryOf(header))
    return {
      pageAt: (offset) => {
        const at = find()
        if (at === 0) return undefined
        const sum = words[at >>> 2]! - (gpa % PAGE_BYTES) + offset
        const carried = (words[(at >>> 2) + 1]! + Math.floor(sum / BITS_32)) >>> 0
        const vcpu = at - ((at - VCPU_BASE) % VCPU_STRIDE)
        return this.pageAt(vcpu, sum >>> 0, isLong ? carried : 0, key, words[(at + JUMP_EPOCH) >>> 2]!)
      },
      offsetOf: (low, high) => {
        const at = find()
        if (at === 0) return undefined
        // from the block's page: the difference of the pages is what the region's code adds
        const apart = low - words[at >>> 2]! + (isLong ? high - words[(at >>> 2) + 1]! : 0) * BITS_32
        const offset = (isLong ? apart : apart | 0) + (gpa % PAGE_BYTES)
        return Math.abs(offset) < DISTANCE_MAX ? offset : undefined
      },
    }
  }

  /** Address of a jump cache's entry that leads to the block; 0: there is none. */
  private entryOf(header: number): number {
    const { words } = this
    const record = header + BLOCK_HEADER_BYTES
    for (let vcpu = VCPU_BASE; vcpu < VCPU_BASE + VCPU_MAX * VCPU_STRIDE; vcpu += VCPU_STRIDE) {
      if (words[(vcpu + TLB_CONTEXT) >>> 2] === 0) continue
      const first = (vcpu + JUMP_RECORDS) >>> 2
      for (let entry = 0; entry < JUMP_CACHE_ENTRIES; entry++) {
        if (words[first + entry] === record) return vcpu + JUMP_CACHE + entry * JUMP_CACHE_ENTRY_BYTES
      }
    }
    return 0
  }

  /** As core/decode/blocks looks it up: in its slot, or the neighbour. With the same epoch, thus of the same address space and mode. */
  private pageAt(vcpu: number, low: number, high: number, key: number, epoch: number): number | undefined {
    const { words } = this
    const index = jumpIndex(low)
    for (const entry of [index, index ^ 1]) {
      const at = vcpu + JUMP_CACHE + entry * JUMP_CACHE_ENTRY_BYTES
      if (words[at >>> 2] !== low || words[(at >>> 2) + 1] !== high || words[(at + JUMP_EPOCH) >>> 2] !== epoch) continue
      const block = this.lists.at(words[((vcpu + JUMP_RECORDS) >>> 2) + entry]! - BLOCK_HEADER_BYTES)
      if (block?.key === key && block.gpa % PAGE_BYTES === low % PAGE_BYTES) return block.gpa - (block.gpa % PAGE_BYTES)
    }
    return undefined
  }
}
