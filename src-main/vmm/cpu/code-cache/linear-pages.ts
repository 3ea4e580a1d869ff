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
  JUMP_RECORD,
  TLB_CONTEXT,
  VCPU_BASE,
  VCPU_MAX,
  VCPU_STRIDE,
} from '../layout'
import { PAGE_BYTES, type BlockLists, type DecodedBlock } from './block-lists'

const BITS_32 = 0x100000000
const CODE_64 = 2
const MODE_MASK = 3

/** Guest-physical address of the page with the code at an offset from the start of a block's page; undefined: not known. */
export type PageFinder = (offset: number) => number | undefined

export class LinearPages {
  private readonly words: Uint32Array

  constructor(
    memory: WebAssembly.Memory,
    private readonly lists: BlockLists,
  ) {
    this.words = new Uint32Array(memory.buffer)
  }

  around({ header, gpa, key }: DecodedBlock): PageFinder {
    const { words } = this
    let home: number | undefined
    return (offset) => {
      // most regions have no way out of their page
      home ??= this.entryOf(header)
      if (home === 0) return undefined
      const sum = words[home >>> 2]! - (gpa % PAGE_BYTES) + offset
      const carried = (words[(home >>> 2) + 1]! + Math.floor(sum / BITS_32)) >>> 0
      const vcpu = home - ((home - VCPU_BASE) % VCPU_STRIDE)
      return this.pageAt(vcpu, sum >>> 0, (key & MODE_MASK) === CODE_64 ? carried : 0, key, words[(home + JUMP_EPOCH) >>> 2]!)
    }
  }

  /** Address of a jump cache's entry that leads to the block; 0: there is none. */
  private entryOf(header: number): number {
    const { words } = this
    const record = header + BLOCK_HEADER_BYTES
    for (let vcpu = VCPU_BASE; vcpu < VCPU_BASE + VCPU_MAX * VCPU_STRIDE; vcpu += VCPU_STRIDE) {
      if (words[(vcpu + TLB_CONTEXT) >>> 2] === 0) continue
      const first = vcpu + JUMP_CACHE
      for (let at = first; at < first + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES; at += JUMP_CACHE_ENTRY_BYTES) {
        if (words[(at + JUMP_RECORD) >>> 2] === record) return at
      }
    }
    return 0
  }

  /** As core/decode/blocks looks it up: in its slot, or the neighbour. With the same epoch, thus of the same address space and mode. */
  private pageAt(vcpu: number, low: number, high: number, key: number, epoch: number): number | undefined {
    const { words } = this
    const slot = vcpu + JUMP_CACHE + (((low >>> 12) ^ low) & (JUMP_CACHE_ENTRIES - 1)) * JUMP_CACHE_ENTRY_BYTES
    for (const at of [slot, slot ^ JUMP_CACHE_ENTRY_BYTES]) {
      if (words[at >>> 2] !== low || words[(at >>> 2) + 1] !== high || words[(at + JUMP_EPOCH) >>> 2] !== epoch) continue
      const block = this.lists.at(words[(at + JUMP_RECORD) >>> 2]! - BLOCK_HEADER_BYTES)
      if (block?.key === key && block.gpa % PAGE_BYTES === low % PAGE_BYTES) return block.gpa - (block.gpa % PAGE_BYTES)
    }
    return undefined
  }
}
