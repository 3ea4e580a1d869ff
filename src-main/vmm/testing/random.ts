/** A seeded pseudo-random generator (xorshift128, Marsaglia 2003) for tests: the same seed gives the same sequence everywhere. */
export class Random {
  private readonly state = new Uint32Array(4)

  constructor(seed: number) {
    let x = seed >>> 0
    for (let i = 0; i < 4; i++) {
      // splitmix32 spreads neighbouring seeds
      x = (x + 0x9e3779b9) >>> 0
      let z = x
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      this.state[i] = (z ^ (z >>> 16)) | 1
    }
  }

  /** 0 .. 2^32 - 1. */
  u32(): number {
    const s = this.state
    let t = s[3] as number
    const first = s[0] as number
    s[3] = s[2] as number
    s[2] = s[1] as number
    s[1] = first
    t ^= t << 11
    t ^= t >>> 8
    const result = (t ^ first ^ (first >>> 19)) >>> 0
    s[0] = result
    return result
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  /** 0 .. n - 1. */
  below(n: number): number {
    return this.u32() % n
  }

  /** True `percent` times of a hundred. */
  chance(percent: number): boolean {
    return this.u32() % 1000 < percent * 10
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
}
