import type { Width } from './width'

/** Distinct places counted; a guest that scans the address space must not make the table grow without bound. */
const MAX_PLACES = 512

export interface AccessCount {
  /** Port, or guest-physical address of the page. */
  readonly place: number
  reads: number
  writes: number
}

/** Counts accesses by place, bounded; what does not fit is counted in `overflow`. */
export class AccessCounters {
  private readonly counts = new Map<number, AccessCount>()
  overflow = 0
  total = 0

  count(place: number, write: boolean): void {
    this.total++
    let entry = this.counts.get(place)
    if (entry === undefined) {
      if (this.counts.size >= MAX_PLACES) {
        this.overflow++
        return
      }
      entry = { place, reads: 0, writes: 0 }
      this.counts.set(place, entry)
    }
    if (write) entry.writes++
    else entry.reads++
  }

  /** Most frequent first. */
  list(): readonly AccessCount[] {
    return [...this.counts.values()].sort((a, b) => b.reads + b.writes - a.reads - a.writes || a.place - b.place)
  }
}

/** All ones of a width. */
export function allOnes(width: Width): number {
  return width === 1 ? 0xff : width === 2 ? 0xffff : 0xffffffff
}
