/** Telling the targets of an indirect jump apart by a few bits, for one switch over them. */

const HASH_BITS_MAX = 8
/** Other pages, too, are told apart. */
const OFFSET_BITS = 20

export interface Hash {
  readonly shift: number
  /** Which of the offsets has each of the hashes; -1: none. */
  readonly slots: readonly number[]
}

/** Some successive bits of the offsets that tell them apart. */
export function findHash(offsets: readonly number[]): Hash | undefined {
  for (let bits = Math.ceil(Math.log2(offsets.length)); bits <= HASH_BITS_MAX; bits++) {
    for (let shift = 0; shift + bits <= OFFSET_BITS; shift++) {
      const hashes = offsets.map((offset) => (offset >>> shift) & ((1 << bits) - 1))
      if (new Set(hashes).size === hashes.length) return { shift, slots: Array.from({ length: 1 << bits }, (_, i) => hashes.indexOf(i)) }
    }
  }
  return undefined
}
