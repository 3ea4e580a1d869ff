/** Disjoint ranges [first, last] of numbers, each with a value; lookup by binary search. */
export interface RangeEntry<T> {
  readonly first: number
  readonly last: number
  readonly value: T
}

export class RangeMap<T> {
  private readonly sorted: RangeEntry<T>[] = []

  /** Inserts the range, or returns the entries that it overlaps and inserts nothing. */
  insert(first: number, last: number, value: T): readonly RangeEntry<T>[] {
    const overlaps = this.sorted.filter((entry) => entry.first <= last && entry.last >= first)
    if (overlaps.length > 0) return overlaps
    this.sorted.splice(this.indexAfter(first), 0, { first, last, value })
    return []
  }

  remove(first: number): boolean {
    const index = this.indexAfter(first) - 1
    if (this.sorted[index]?.first !== first) return false
    this.sorted.splice(index, 1)
    return true
  }

  find(at: number): RangeEntry<T> | undefined {
    const entry = this.sorted[this.indexAfter(at) - 1]
    return entry !== undefined && at <= entry.last ? entry : undefined
  }

  entries(): readonly RangeEntry<T>[] {
    return this.sorted
  }

  /** Index of the first entry that starts after `at`. */
  private indexAfter(at: number): number {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle]?.first ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return low
  }
}
