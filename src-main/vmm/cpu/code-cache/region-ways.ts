/** Where the run loop went from region to region lately (layout.ts REGION_WAYS): what it says are hints, slots may have changed hands since. */
import { ENTRY_SLOT_MASK, REGION_WAYS, REGION_WAYS_MAX, REGION_WAYS_NEXT, REGION_WAY_BYTES } from '../layout'

/** Two words. */
export interface LinearAddress {
  readonly low: number
  readonly high: number
}

interface Way extends LinearAddress {
  readonly from: number
  readonly to: number
  times: number
}

/** Ways that one in so many samples took are followed. */
const SHARE = 64
const TIMES_MIN = 2
/** Regions whose ways are followed: functions that are called indirectly call others so. */
const REGIONS_MAX = 12

export class RegionWays {
  private readonly words: Uint32Array
  /** Up to which sample `known` goes. */
  private counted = -1
  private known: readonly Way[] = []

  constructor(memory: WebAssembly.Memory) {
    this.words = new Uint32Array(memory.buffer)
  }

  /** Places to which the region in `slot` went, and the regions that it went to, and so on: those most often met first. */
  from(slot: number): readonly LinearAddress[] {
    const ways = this.all()
    const slots = [slot]
    const found = new Map<number, Way>()
    for (let i = 0; i < slots.length && i < REGIONS_MAX; i++) {
      const mine = ways.filter(({ from }) => from === slots[i])
      const least = Math.max(TIMES_MIN, mine.reduce((sum, { times }) => sum + times, 0) / SHARE)
      for (const way of mine) {
        if (way.times < least) continue
        if (!found.has(way.low)) found.set(way.low, way)
        if (!slots.includes(way.to)) slots.push(way.to)
      }
    }
    return [...found.values()]
  }

  /** All ways in the ring, the most usual first. */
  private all(): readonly Way[] {
    const { words } = this
    const next = words[REGION_WAYS_NEXT >>> 2]!
    if (next === this.counted) return this.known
    this.counted = next
    const ways = new Map<string, Way>()
    for (let at = REGION_WAYS; at < REGION_WAYS + REGION_WAYS_MAX * REGION_WAY_BYTES; at += REGION_WAY_BYTES) {
      const [from, to, low, high] = words.subarray(at >>> 2, (at + REGION_WAY_BYTES) >>> 2) as unknown as [number, number, number, number]
      if (from === 0) continue
      const key = `${from & ENTRY_SLOT_MASK} ${low} ${high}`
      const way = ways.get(key)
      if (way === undefined) ways.set(key, { from: from & ENTRY_SLOT_MASK, to: to & ENTRY_SLOT_MASK, low, high, times: 1 })
      else way.times++
    }
    this.known = [...ways.values()].sort((a, b) => b.times - a.times)
    return this.known
  }
}
