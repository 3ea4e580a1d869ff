/** The local APIC's timer. Source: Intel SDM volume 3, 11.5.4. */

import { vmTime, type VmTime } from '../../support/branded'
import type { Timer, TimerService } from '../../time/clock'
import { restoreDeadline, savedDeadline } from '../saved-state'
import * as reg from './registers'
import type { LapicTimerState } from './state'

export function initialTimerState(): LapicTimerState {
  return { mode: reg.LVT_TIMER_ONESHOT, initial: 0, divide: 0, start: 0, tscDeadlineLow: 0, tscDeadlineHigh: 0 }
}

export class LapicTimer {
  // glue
  private readonly timer: Timer

  // volatile state
  private state: LapicTimerState = initialTimerState()

  constructor(
    name: string,
    private readonly time: TimerService,
    private readonly tscToTime: (tsc: number) => VmTime,
    private readonly onExpire: () => void,
  ) {
    this.timer = time.createTimer(name, () => this.expired())
  }

  /** Nanoseconds per count: divide configuration bits 3, 1, 0; 111 divides by one. */
  private get countNs(): number {
    const d = this.state.divide
    const code = (d & 3) | ((d >> 1) & 4)
    return reg.TIMER_TICK_NS * (code === 7 ? 1 : 2 << code)
  }

  get initial(): number {
    return this.state.initial
  }

  get divide(): number {
    return this.state.divide
  }

  /** Current count register. */
  current(): number {
    const s = this.state
    if (s.initial === 0 || s.mode === reg.LVT_TIMER_TSC_DEADLINE) return 0
    const counts = Math.floor((this.time.now() - s.start) / this.countNs)
    if (s.mode === reg.LVT_TIMER_PERIODIC) return s.initial - (counts % s.initial)
    return Math.max(0, s.initial - counts)
  }

  /** Arms for the next expiry after now. */
  private arm(): void {
    const s = this.state
    if (s.mode === reg.LVT_TIMER_TSC_DEADLINE || s.initial === 0) {
      this.timer.cancel()
      return
    }
    const now = this.time.now()
    const period = s.initial * this.countNs
    const passed = now - s.start
    if (s.mode === reg.LVT_TIMER_PERIODIC) {
      const next = s.start + (Math.floor(passed / period) + 1) * period
      this.timer.arm(vmTime(period < reg.MIN_PERIOD_NS ? Math.max(next, now + reg.MIN_PERIOD_NS) : next))
    } else if (passed < period) {
      this.timer.arm(vmTime(s.start + period))
    } else {
      this.timer.cancel()
    }
  }

  private expired(): void {
    const s = this.state
    if (s.mode === reg.LVT_TIMER_TSC_DEADLINE) {
      s.tscDeadlineLow = 0
      s.tscDeadlineHigh = 0
    }
    this.onExpire()
    if (s.mode === reg.LVT_TIMER_PERIODIC) this.arm()
  }

  /** Timer mode bits of the LVT entry. A change to or from TSC-deadline disarms the timer (11.5.4.1). */
  setMode(mode: number): void {
    const s = this.state
    if (mode === s.mode) return
    if (s.mode === reg.LVT_TIMER_TSC_DEADLINE || mode === reg.LVT_TIMER_TSC_DEADLINE) {
      s.initial = 0
      s.tscDeadlineLow = 0
      s.tscDeadlineHigh = 0
    }
    s.mode = mode
    this.arm()
  }

  /** Ignored in TSC-deadline mode. */
  writeInitial(value: number): void {
    const s = this.state
    if (s.mode === reg.LVT_TIMER_TSC_DEADLINE) return
    s.initial = value >>> 0
    s.start = this.time.now()
    this.arm()
  }

  /** The count goes on from where it is, at the new rate. */
  writeDivide(value: number): void {
    const s = this.state
    const remaining = this.current()
    s.divide = value
    s.start = this.time.now() - (s.initial - remaining) * this.countNs
    this.arm()
  }

  readTscDeadline(): readonly [low: number, high: number] {
    return [this.state.tscDeadlineLow, this.state.tscDeadlineHigh]
  }

  /** In other modes the write is ignored. */
  writeTscDeadline(low: number, high: number): void {
    const s = this.state
    if (s.mode !== reg.LVT_TIMER_TSC_DEADLINE) return
    s.tscDeadlineLow = low >>> 0
    s.tscDeadlineHigh = high >>> 0
    if (low === 0 && high === 0) {
      this.timer.cancel()
      return
    }
    const at = this.tscToTime(s.tscDeadlineHigh * 0x100000000 + s.tscDeadlineLow)
    // Too far away to be a number: never.
    if (at > Number.MAX_SAFE_INTEGER) this.timer.cancel()
    else this.timer.arm(vmTime(Math.max(0, Math.ceil(at))))
  }

  reset(): void {
    this.state = initialTimerState()
    this.timer.cancel()
  }

  save(): { readonly state: LapicTimerState; readonly deadline: number | null } {
    return { state: { ...this.state }, deadline: savedDeadline(this.timer) }
  }

  load(state: LapicTimerState, deadline: number | null): void {
    this.state = { ...state }
    restoreDeadline(this.timer, deadline)
  }
}
