/**
 * Differential testing of processors: a batch of small programs, each with a full register state, run by several engines (the real processor, the
 * interpreter, later the translator) and compared. States travel in one binary layout, which oracles/native.c shares.
 */

/** Where things are in the address space of the program under test; the same for every engine. */
export const PAGE_BYTES = 0x1000
export const CODE_BASE = 0x14a40000
export const CODE_PAGES = 32
/** Code pages have an unmapped page between them. */
export const CODE_STRIDE = 0x2000
export const DATA_BASE = 0x20000000
export const DATA_PAGES = 3
/** The last data page is read-only. */
export const DATA_WRITABLE_PAGES = 2
export const STACK_BASE = 0x30000000
export const STACK_PAGES = 1
/** Each case has a slot of its own in a code page; what a program does not fill is HLT, which ends it by #GP(0) at any privilege below 0. */
export const SLOT_BYTES = 64
/** Bytes at the end of a slot that are never code, so that jumps can go there. */
export const SLOT_TAIL = 12
export const SLOTS_PER_PAGE: number = PAGE_BYTES / SLOT_BYTES
export const CASES_PER_BATCH: number = SLOTS_PER_PAGE * CODE_PAGES
export const FILLER = 0xf4

export const slotAddress = (slot: number): number =>
  CODE_BASE + Math.floor(slot / SLOTS_PER_PAGE) * CODE_STRIDE + (slot % SLOTS_PER_PAGE) * SLOT_BYTES

/** Stands as the vector of a case that did not come to an end; nothing else of it can be compared. */
export const NO_END_VECTOR = 0xff

// ---- the state of one case, before or after -------------------------------------------------------------------------------------
export const STATE_GPR = 0
export const STATE_RIP = 128
export const STATE_RFLAGS = 136
export const STATE_MODE = 144
export const STATE_VECTOR = 148
export const STATE_ERROR = 152
export const STATE_WORDS = 156
export const STATE_ADDRESS = 160
/** An FXSAVE image. */
export const STATE_FX = 168
export const STATE_BYTES = 680

export const FX_CONTROL = 0
export const FX_STATUS = 2
export const FX_TAGS = 4
export const FX_MXCSR = 24
export const FX_ST = 32
export const FX_XMM = 160

/**
 * 64-bit code; 32-bit code in compatibility mode with flat segments; 16-bit code in compatibility mode, whose segments are the 64 KiB that its
 * code lies in, the data and the stack.
 */
export type CodeMode = 64 | 32 | 16
export const SEGMENT_BYTES_16 = 0x10000
export const DATA_LIMIT_16 = 0x3fff
export const STACK_LIMIT_16 = 0xfff

/** What STATE_MODE says. */
export const stateMode = (mode: CodeMode, address: number): number =>
  mode === 64 ? 0 : mode === 32 ? 1 : 2 + Math.floor((address - CODE_BASE) / SEGMENT_BYTES_16)

/** Base of the code segment. */
export const codeSegmentBase = (mode: CodeMode, address: number): number =>
  mode === 16 ? address - ((address - CODE_BASE) % SEGMENT_BYTES_16) : 0

export interface MemoryImage {
  /** DATA_PAGES pages, then STACK_PAGES pages. */
  readonly data: Uint8Array
  readonly stack: Uint8Array
}

/** One instruction of a case, for the comparison. */
export interface DiffStep {
  readonly row: string
  readonly operation: string
  /** Address of the instruction. */
  readonly at: number
  /** Status flags that are undefined after this instruction has retired. */
  readonly undefinedFlags: number
  /** Bytes of memory that are not compared: [address, count]. */
  readonly ignored?: readonly (readonly [address: number, bytes: number])[]
}

export interface DiffCase {
  readonly mode: CodeMode
  readonly address: number
  readonly code: Uint8Array
  /** STATE_BYTES. */
  readonly state: Uint8Array
  readonly steps: readonly DiffStep[]
}

export interface DiffBatch {
  readonly image: MemoryImage
  readonly imageSeed: number
  readonly cases: readonly DiffCase[]
}

export interface Outcome {
  /** STATE_BYTES; the exception in VECTOR, ERROR and ADDRESS (CR2, for vector 14). */
  readonly state: Uint8Array
  /** Words of 8 bytes that differ from the image: [index over data and stack, low, high], in rising order. */
  readonly words: readonly (readonly [index: number, low: number, high: number])[]
  /** What only engines of ours have, to be the same in all of them: instructions retired, pointers of the last x87 instruction. */
  readonly internal?: readonly number[]
}

export interface DiffEngine {
  readonly name: string
  run(batch: DiffBatch): readonly Outcome[]
}

/** The code pages of a batch, filled. */
export const codePages = (batch: DiffBatch): Uint8Array => {
  const pages = new Uint8Array(CODE_PAGES * PAGE_BYTES).fill(FILLER)
  for (const { address, code } of batch.cases) {
    const offset = address - CODE_BASE
    const page = Math.floor(offset / CODE_STRIDE)
    pages.set(code, page * PAGE_BYTES + (offset % CODE_STRIDE))
  }
  return pages
}
