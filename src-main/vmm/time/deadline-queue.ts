import type { VmTime } from '../support/branded'
import type { Clock, Timer, TimerService } from './clock'

/** Expiries served by one runDue: a device that keeps arming in the past cannot hold the machine's thread. */
const MAX_EXPIRIES_PER_RUN = 4096

/** Names counted; timers made for one completion each share theirs. */
const MAX_NAMES = 256

class QueuedTimer implements Timer {
  deadline: VmTime | undefined = undefined

  constructor(
    private readonly queue: DeadlineQueue,
    /** Order of creation, which the board fixes: decides between equal deadlines, also after a restore. */
    readonly order: number,
    readonly name: string,
    readonly onExpire: () => void,
  ) {}

  arm(deadline: VmTime): void {
    this.queue.remove(this)
    this.deadline = deadline
    this.queue.insert(this)
  }

  cancel(): void {
    this.queue.remove(this)
    this.deadline = undefined
  }
}

/**
 * All deadlines of a machine. Equal deadlines fire in the order in which the timers were created, whatever the order of arming, so that a
 * restored machine (whose devices arm again in load) goes on exactly as the saved one would have.
 */
export class DeadlineQueue implements TimerService {
  /** Armed timers, latest first, so that the next one is popped off the end. A machine has a few dozen at most. */
  private readonly armed: QueuedTimer[] = []
  private created = 0
  private readonly expiries = new Map<string, number>()

  /** `onEarlier` is called when the next deadline moves closer: the running slice may have to end sooner. */
  constructor(
    private readonly clock: Clock,
    private readonly onEarlier: (deadline: VmTime) => void = () => undefined,
  ) {}

  now(): VmTime {
    return this.clock.now()
  }

  createTimer(name: string, onExpire: () => void): Timer {
    return new QueuedTimer(this, this.created++, name, onExpire)
  }

  /** The earliest deadline. */
  next(): VmTime | undefined {
    return this.armed[this.armed.length - 1]?.deadline
  }

  /** Fires every timer that is due at `now`, in order. Returns how many fired. */
  runDue(now: VmTime): number {
    let fired = 0
    while (fired < MAX_EXPIRIES_PER_RUN) {
      const timer = this.armed[this.armed.length - 1]
      if (timer === undefined || timer.deadline === undefined || timer.deadline > now) break
      this.armed.pop()
      timer.deadline = undefined
      fired++
      this.count(timer.name)
      timer.onExpire()
    }
    return fired
  }

  /** How often timers of each name have expired since power-on. */
  get expired(): ReadonlyMap<string, number> {
    return this.expiries
  }

  private count(name: string): void {
    const count = this.expiries.get(name)
    if (count !== undefined || this.expiries.size < MAX_NAMES) this.expiries.set(name, (count ?? 0) + 1)
  }

  /** What is armed, earliest first, for the inspector. */
  pending(): readonly { readonly name: string; readonly deadline: VmTime }[] {
    return this.armed.flatMap((timer) => (timer.deadline === undefined ? [] : [{ name: timer.name, deadline: timer.deadline }])).reverse()
  }

  /** For Timer.arm only. */
  insert(timer: QueuedTimer): void {
    const deadline = timer.deadline ?? 0
    let index = this.armed.length
    while (index > 0) {
      const other = this.armed[index - 1]
      if (other === undefined) break
      const otherDeadline = other.deadline ?? 0
      if (otherDeadline > deadline || (otherDeadline === deadline && other.order > timer.order)) break
      index--
    }
    this.armed.splice(index, 0, timer)
    if (index === this.armed.length - 1 && timer.deadline !== undefined) this.onEarlier(timer.deadline)
  }

  /** For Timer.arm and Timer.cancel only. */
  remove(timer: QueuedTimer): void {
    if (timer.deadline === undefined) return
    const index = this.armed.indexOf(timer)
    if (index >= 0) this.armed.splice(index, 1)
  }
}
