/**
 * The decoded-block cache of core/decode/blocks as the code cache sees it: which blocks a guest-physical page has, and the entry word before a
 * block's first record. Addresses of headers hold only until something is decoded or dropped.
 */
import {
  BLOCK_ARENA,
  BLOCK_ARENA_BYTES,
  BLOCK_CODE_BYTES,
  BLOCK_ENTRY,
  BLOCK_GPA,
  BLOCK_MODE,
  BLOCK_NEXT_IN_PAGE,
  CODE_PAGES,
  CODE_PAGE_BYTES,
  ENTRY_SLOT_MASK,
  ENTRY_TRANSLATED,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_WORD,
  NEXT_LINES,
  NEXT_REGIONS,
  NEXT_WAYS,
  NEXT_WAY_BYTES,
  NEXT_WORD,
  PHYSMAP,
  PHYSMAP_PAGES,
  PHYS_READ,
  TLB_CONTEXT,
  VCPU_BASE,
  VCPU_MAX,
  VCPU_STRIDE,
} from '../layout'
import { ARENA_NEXT, CODE_PAGE_WATCHED, COUNT_CODE_FLUSHES } from '../layout-decode'

export const PAGE_BYTES = 4096
const GIB_4 = 0x100000000
const NEXT_LINE_BYTES = NEXT_WAYS * NEXT_WAY_BYTES

export interface DecodedBlock {
  /** Address of its header. */
  readonly header: number
  readonly gpa: number
  readonly key: number
  /** Bytes of code. */
  readonly bytes: number
}

export class BlockLists {
  private readonly words: Uint32Array
  private readonly bytes: Uint8Array

  constructor(memory: WebAssembly.Memory) {
    this.words = new Uint32Array(memory.buffer)
    this.bytes = new Uint8Array(memory.buffer)
  }

  /** How often everything decoded was dropped at once. */
  get flushes(): number {
    return this.word(COUNT_CODE_FLUSHES)
  }

  /** The block whose header is at `header`; undefined when that is no cached block (an instruction that is decoded each time, or nonsense). */
  at(header: number): DecodedBlock | undefined {
    const last = Math.min(this.word(ARENA_NEXT), BLOCK_ARENA + BLOCK_ARENA_BYTES)
    if (header % 4 !== 0 || header < BLOCK_ARENA || header >= last) return undefined
    const gpa = this.word(header + BLOCK_GPA) + this.word(header + BLOCK_GPA + 4) * GIB_4
    if (gpa >= PHYSMAP_PAGES * PAGE_BYTES) return undefined
    return { header, gpa, key: this.word(header + BLOCK_MODE), bytes: this.word(header + BLOCK_CODE_BYTES) }
  }

  /** The page's blocks. */
  ofPage(page: number): DecodedBlock[] {
    const blocks: DecodedBlock[] = []
    for (let header = this.word(CODE_PAGES + (page / PAGE_BYTES) * CODE_PAGE_BYTES); header !== 0; header = this.word(header + BLOCK_NEXT_IN_PAGE)) {
      const block = this.at(header)
      if (block === undefined) break
      blocks.push(block)
    }
    return blocks
  }

  entry(header: number): number {
    return this.word(header + BLOCK_ENTRY)
  }

  setEntry(header: number, word: number): void {
    this.words[(header + BLOCK_ENTRY) >>> 2] = word
  }

  /**
   * Takes entry words with these table slots out of what the run loop looks them up in: `slots` has 1 for each of them. Slots from `used` on have never been given out.
   */
  forgetSlots(slots: Uint8Array, used: number): void {
    const { words } = this
    const forget = (from: number, to: number, bytes: number): void => {
      for (let at = from >>> 2; at < to >>> 2; at += bytes >>> 2) {
        const word = words[at]!
        if ((word & ENTRY_TRANSLATED) !== 0 && slots[word & ENTRY_SLOT_MASK] === 1) words[at] = 0
      }
    }
    for (let vcpu = VCPU_BASE; vcpu < VCPU_BASE + VCPU_MAX * VCPU_STRIDE; vcpu += VCPU_STRIDE) {
      if (this.word(vcpu + TLB_CONTEXT) === 0) continue
      const places = vcpu + JUMP_CACHE
      forget(places + JUMP_WORD, places + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES, JUMP_CACHE_ENTRY_BYTES)
      const next = NEXT_REGIONS + ((vcpu - VCPU_BASE) / VCPU_STRIDE) * NEXT_LINES * NEXT_LINE_BYTES
      forget(next + NEXT_WORD, next + Math.min(used, NEXT_LINES) * NEXT_LINE_BYTES, NEXT_WAY_BYTES)
    }
  }

  /** Whether the core shall tell what it drops from the page. */
  watch(page: number, on: boolean): void {
    this.bytes[CODE_PAGES + (page / PAGE_BYTES) * CODE_PAGE_BYTES + CODE_PAGE_WATCHED] = on ? 1 : 0
  }

  /** The bytes of a guest-physical page, where they are now; undefined: it is not memory. */
  pageBytes(page: number): Uint8Array | undefined {
    const entry = this.word(PHYSMAP + (page / PAGE_BYTES) * 4)
    if ((entry & PHYS_READ) === 0) return undefined
    const host = (entry & ~(PAGE_BYTES - 1)) >>> 0
    return this.bytes.subarray(host, host + PAGE_BYTES)
  }

  private word(address: number): number {
    return this.words[address >>> 2] ?? 0
  }
}
