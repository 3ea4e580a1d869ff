import { vmTime, type VmTime } from '../support/branded'
import type { Clock } from './clock'

/** `performance` is looked up once: the global is a getter, and its work a fifth of what a guest's RDTSC costs. */
function hostTime(host: { readonly now: () => number } = performance): () => number {
  return () => host.now() * 1e6
}

/**
 * Virtual time follows the host's monotonic clock while the machine runs, and stands still while it is paused.
 * The only place of the VMM that reads the host's time.
 */
export class HostClock implements Clock {
  /** Virtual time at the last pause or resume. */
  private base = 0
  /** Host time of the last resume; undefined while paused. */
  private resumedAt: number | undefined
  private latest = 0

  /** Starts paused. `hostNanoseconds` must never go backwards. */
  constructor(private readonly hostNanoseconds: () => number = hostTime()) {}

  now(): VmTime {
    if (this.resumedAt !== undefined) {
      // The maximum guards against a host source that is not quite monotonic.
      this.latest = Math.max(this.latest, Math.floor(this.base + this.hostNanoseconds() - this.resumedAt))
    }
    return vmTime(this.latest)
  }

  get paused(): boolean {
    return this.resumedAt === undefined
  }

  pause(): void {
    if (this.resumedAt === undefined) return
    this.base = this.now()
    this.resumedAt = undefined
  }

  resume(): void {
    this.resumedAt ??= this.hostNanoseconds()
  }

  /** Continues from a saved machine's time. */
  set(now: VmTime): void {
    this.base = now
    this.latest = now
    if (this.resumedAt !== undefined) this.resumedAt = this.hostNanoseconds()
  }
}

/** The host's wall clock: milliseconds since 1970-01-01 UTC. Of a machine only the RTC may ask for it, at power-on. */
export function hostEpochMs(): number {
  return Date.now()
}

/** The same as ISO 8601 text, for files that people read: logs, lock holders, inventories. */
export function hostTimestamp(): string {
  return new Date().toISOString()
}
