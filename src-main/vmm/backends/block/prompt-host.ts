/**
 * Whether the host may be asked to do I/O at once, on the machine's thread. What its page cache has takes 2 to 5 microseconds for 4 KiB so; through
 * the thread pool and the event loop it takes 50 and more. A host that has to go to a slow disk would hold the machine: a request that took longer
 * than SLOW_NS sends the following ones through the pool, for 32 times as long as it took at least, and for twice as long each time that it comes to this
 * again. So the thread is held for 3 % of the time at the worst.
 */
import { HostClock } from '../../time/host-clock'
import type { Clock } from '../../time/clock'

const SLOW_NS = 2_000_000
const FIRST_BREAK_NS = 64_000_000
const LONGEST_BREAK_NS = 8_000_000_000
const SHARE = 32
/** So many quick requests in a row, and slowness is forgotten. */
const FORGET_AFTER = 2000

function running(): Clock {
  const clock = new HostClock()
  clock.resume()
  return clock
}

export class PromptHost {
  private pauseUntil = 0
  private nextBreak = FIRST_BREAK_NS
  private quick = 0

  constructor(private readonly clock: Clock = running()) {}

  /** Does `work` now and returns true, or nothing and false. */
  attempt(work: () => void): boolean {
    const before = this.clock.now()
    if (before < this.pauseUntil) return false
    try {
      work()
    } finally {
      this.took(before)
    }
    return true
  }

  private took(before: number): void {
    const now = this.clock.now()
    const elapsed = now - before
    if (elapsed <= SLOW_NS) {
      if (++this.quick >= FORGET_AFTER) this.nextBreak = FIRST_BREAK_NS
      return
    }
    this.quick = 0
    this.pauseUntil = now + Math.max(this.nextBreak, elapsed * SHARE)
    this.nextBreak = Math.min(this.nextBreak * 2, LONGEST_BREAK_NS)
  }
}
