import type { HostClock } from './host-clock'

/** A slice that takes the host longer than this ends as soon as it can, whatever its budget says. */
const SLICE_LIMIT_NS = 20_000_000
/** The host's event loop waits no longer than this for its turn, and a slice. */
const TURN_NS = 1_000_000

/**
 * How long the host has been busy with the running slice. A guest can choose instructions and accesses that take a thousand times longer than those
 * by which slices are measured; pausing, input and the screen shall not wait for them.
 */
export class SliceWatch {
  private began = 0
  private turned = 0

  constructor(private readonly clock: HostClock) {
    clock.resume()
  }

  begin(): void {
    this.began = this.clock.now()
  }

  /** Nanoseconds. */
  get elapsed(): number {
    return this.clock.now() - this.began
  }

  get overdue(): boolean {
    return this.elapsed > SLICE_LIMIT_NS
  }

  /** True once a millisecond: time for the host's event loop, whose turn costs as much as a hundred thousand instructions of translated code. */
  takeTurn(): boolean {
    const now = this.clock.now()
    if (now - this.turned < TURN_NS) return false
    this.turned = now
    return true
  }
}
