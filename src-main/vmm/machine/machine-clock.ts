/** A machine's clock with what the run loop needs of it: how far a slice may go, and how idle time passes. */
import { HostClock } from '../time/host-clock'
import { InstructionClock } from '../time/instruction-clock'
import type { Clock } from '../time/clock'
import { vmTime, type VmTime } from '../support/branded'

/** Instructions in one slice when no deadline is near: about a millisecond of translated code at its fastest. */
const LONGEST_SLICE = 1 << 20
const LONGEST_SLICE_ON_HOST_TIME = 1 << 22
const SHORTEST_SLICE = 1000
/** Virtual time between two looks at the mailbox under HostClock. */
const SLICE_NS = 1_000_000
/** Shorter idle times are spent in turns of the event loop. */
const SPIN_MS = 0.2

export interface MachineClock extends Clock {
  /** Slices must end at the very instruction. */
  readonly exact: boolean
  /** Instructions until the deadline (or a full slice), at least 1. */
  budget(deadline: VmTime | undefined): number
  /** A slice has run: retired instructions. */
  ran(instructions: number): void
  /** Every vCPU is halted. Resolves when the deadline has come or wake() was called; undefined: it has come already. */
  idle(deadline: VmTime | undefined, wakeable: Wakeable): Promise<void> | undefined
  start(): void
  stop(): void
  save(): { readonly now: number; readonly skipped: number }
  load(state: { readonly now: number; readonly skipped: number }): void
}

/** Lets a sleeping run loop be woken. */
export class Wakeable {
  private resolve: (() => void) | undefined
  private awake = false

  wake(): void {
    this.awake = true
    this.resolve?.()
  }

  /** Resolves at wake() (also an earlier one, since the last sleep) or after `ms`. */
  sleep(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.resolve?.(), ms)
      this.resolve = (): void => {
        clearTimeout(timer)
        this.resolve = undefined
        this.awake = false
        resolve()
      }
      if (this.awake) this.resolve()
    })
  }
}

export class HostMachineClock implements MachineClock {
  readonly exact = false
  private readonly clock = new HostClock()
  /** Measured instructions per virtual nanosecond. */
  private rate = 0.05
  private sliceStart = 0

  now(): VmTime {
    return this.clock.now()
  }

  budget(deadline: VmTime | undefined): number {
    this.sliceStart = this.now()
    const span = Math.min(SLICE_NS, deadline === undefined ? SLICE_NS : deadline - this.sliceStart)
    return Math.max(SHORTEST_SLICE, Math.min(LONGEST_SLICE_ON_HOST_TIME, Math.floor(span * this.rate)))
  }

  ran(instructions: number): void {
    const took = this.now() - this.sliceStart
    if (took < 20_000 || instructions < SHORTEST_SLICE) return
    // No more than half each time: a slice in which the host did something else says nothing about the guest. One that turns out to be slow is cut short anyway.
    const measured = Math.min(10, instructions / took)
    this.rate = measured < this.rate ? Math.max(measured, this.rate / 2) : (this.rate + measured) / 2
  }

  idle(deadline: VmTime | undefined, wakeable: Wakeable): Promise<void> | undefined {
    if (deadline === undefined) return wakeable.sleep(undefined)
    const ms = (deadline - this.now()) / 1e6
    if (ms <= 0) return undefined
    // The host's timers have whole milliseconds. Waking up to one late costs the guest a little latency; spinning would cost the host a core.
    return ms < SPIN_MS ? new Promise((resolve) => setImmediate(resolve)) : wakeable.sleep(Math.max(1, Math.round(ms)))
  }

  start(): void {
    this.clock.resume()
  }

  stop(): void {
    this.clock.pause()
  }

  save(): { readonly now: number; readonly skipped: number } {
    return { now: this.now(), skipped: 0 }
  }

  load(state: { readonly now: number }): void {
    this.clock.set(vmTime(state.now))
  }
}

export class InstructionMachineClock implements MachineClock {
  readonly exact = true
  private readonly clock: InstructionClock

  constructor(retired: () => number) {
    this.clock = new InstructionClock(retired, { numerator: 1, denominator: 1 })
  }

  now(): VmTime {
    return this.clock.now()
  }

  budget(deadline: VmTime | undefined): number {
    if (deadline === undefined) return LONGEST_SLICE
    return Math.max(1, Math.min(LONGEST_SLICE, this.clock.instructionsUntil(deadline)))
  }

  ran(): void {
    // Time is the count itself.
  }

  idle(deadline: VmTime | undefined, wakeable: Wakeable): Promise<void> | undefined {
    if (deadline === undefined) return wakeable.sleep(undefined)
    this.clock.skipTo(deadline)
    return undefined
  }

  start(): void {
    // Runs only as instructions do.
  }

  stop(): void {
    // See start().
  }

  save(): { readonly now: number; readonly skipped: number } {
    return { now: this.now(), skipped: this.clock.save().skipped }
  }

  load(state: { readonly skipped: number }): void {
    this.clock.load(state)
  }
}
