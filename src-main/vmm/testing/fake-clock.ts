import { vmTime, type VmTime } from '../support/branded'
import type { Clock, Timer, TimerService } from '../time/clock'
import { DeadlineQueue } from '../time/deadline-queue'
import type { IrqLine } from '../irq/line'

/** A clock that tests move, with the real deadline queue on it. */
export class FakeClock implements Clock, TimerService {
  private time = 0
  readonly queue: DeadlineQueue = new DeadlineQueue(this)

  now(): VmTime {
    return vmTime(this.time)
  }

  createTimer(name: string, onExpire: () => void): Timer {
    return this.queue.createTimer(name, onExpire)
  }

  /** Lets `ns` nanoseconds pass, stopping at every deadline on the way. */
  advance(ns: number): void {
    this.advanceTo(this.time + ns)
  }

  advanceTo(target: number): void {
    for (;;) {
      const next = this.queue.next()
      if (next === undefined || next > target) break
      this.time = Math.max(this.time, next)
      this.queue.runDue(this.now())
    }
    this.time = target
  }

  /** Time passes, but nothing is served: as when the machine's thread was held up. */
  jump(ns: number): void {
    this.time += ns
  }
}

/** Records what a device does to its line. */
export class RecordingLine implements IrqLine {
  level = false
  rises = 0
  readonly changes: boolean[] = []

  setLevel(high: boolean): void {
    if (high === this.level) return
    this.level = high
    if (high) this.rises++
    this.changes.push(high)
  }
}
