/** 256-bit registers (ISR, TMR, IRR) as eight dwords. */

export function setBit(set: number[], bit: number): void {
  set[bit >> 5] = ((set[bit >> 5] ?? 0) | (1 << (bit & 31))) >>> 0
}

export function clearBit(set: number[], bit: number): void {
  set[bit >> 5] = ((set[bit >> 5] ?? 0) & ~(1 << (bit & 31))) >>> 0
}

export function testBit(set: readonly number[], bit: number): boolean {
  return ((set[bit >> 5] ?? 0) & (1 << (bit & 31))) !== 0
}

/** Number of the highest set bit, or -1. */
export function highestBit(set: readonly number[]): number {
  for (let word = 7; word >= 0; word--) {
    const bits = set[word] ?? 0
    if (bits !== 0) return word * 32 + 31 - Math.clz32(bits)
  }
  return -1
}
