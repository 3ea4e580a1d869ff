import type { VmTime } from '../support/branded'

/** Source of virtual time. Nothing but a Clock implementation may read the host's time. */
export interface Clock {
  /** Nanoseconds of virtual time; never goes backwards; stands still while the machine is paused. */
  now(): VmTime
}

/** A one-shot wake-up owned by a device. `onExpire` runs on the machine's thread, between instructions. */
export interface Timer {
  readonly name: string
  /** Deadline in virtual time, or undefined when not armed. */
  readonly deadline: VmTime | undefined
  /** (Re)arms; a deadline in the past fires at the next opportunity. */
  arm(deadline: VmTime): void
  cancel(): void
}

/** What a device gets instead of a clock: the time, and wake-ups. */
export interface TimerService {
  now(): VmTime
  createTimer(name: string, onExpire: () => void): Timer
}
