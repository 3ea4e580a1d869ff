/**
 * Time as a Xen guest has it: a record from which it computes nanoseconds since power-on out of its TSC (struct vcpu_time_info), the wall clock at which
 * they began, one timer that raises VIRQ_TIMER, and how long the vCPU ran and waited (xen/include/public/vcpu.h).
 */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa, vmTime } from '../../support/branded'
import type { Timer, TimerService } from '../../time/clock'
import { restoreDeadline, savedDeadline } from '../../devices/saved-state'
import { VIRQ_TIMER, type EventChannels } from './event-channels'
import type { WordBytes } from './guest-struct'
import type { SharedInfo } from './shared-info'

export const TIME_RECORD_BYTES = 32
/** ((ticks << 1) * 2^31) >> 32: a tick is a nanosecond. */
const MULTIPLIER = 0x80000000
const SHIFT = 1
const TSC_STABLE = 1
/** Shorter periods are refused, as by Xen. */
export const SHORTEST_PERIOD_NS = 1_000_000
/** Less is not worth a write into the guest's memory. */
const LEAST_STOLEN_NS = 100_000
/** Timer deadlines beyond what a number holds exactly are never. */
const NEVER = Number.MAX_SAFE_INTEGER

const RUNNING = 0

export interface Place {
  readonly address: number
  readonly bytes: number
}

export interface VcpuTimeState {
  readonly version: number
  readonly deadline: number | null
  readonly period: number
  readonly periodic: number | null
  readonly stolen: number
  readonly timeArea: readonly Place[]
  readonly runstateArea: readonly Place[]
  readonly word: number
}

export class VcpuTime {
  private readonly oneShot: Timer
  private readonly periodicTimer: Timer
  private version = 0
  private period = 0
  private stolenNs = 0
  private timeArea: readonly Place[] = []
  private runstateArea: readonly Place[] = []
  private word: WordBytes = 8

  constructor(
    private readonly time: TimerService,
    private readonly memory: GuestMemory,
    private readonly shared: SharedInfo,
    private readonly events: EventChannels,
  ) {
    this.oneShot = time.createTimer('xen timer', () => this.events.raiseVirq(VIRQ_TIMER))
    this.periodicTimer = time.createTimer('xen periodic timer', () => {
      this.events.raiseVirq(VIRQ_TIMER)
      if (this.period > 0) this.periodicTimer.arm(vmTime(this.time.now() + this.period))
    })
  }

  now(): number {
    return this.time.now()
  }

  // ---- what the guest computes time from ---------------------------------------------------------------------------------------------

  /** Writes the record anew; needed when the guest's TSC or the record's place has changed. */
  update(tscOffset: bigint): void {
    const now = BigInt(this.time.now())
    const record = new Uint8Array(TIME_RECORD_BYTES)
    const view = new DataView(record.buffer)
    // the guest cannot look in between: an even number, another than before, is enough
    this.version = (this.version + 2) >>> 0
    view.setUint32(0, this.version, true)
    view.setBigUint64(8, BigInt.asUintN(64, now + tscOffset), true)
    view.setBigUint64(16, now, true)
    view.setUint32(24, MULTIPLIER, true)
    view.setInt8(28, SHIFT)
    view.setUint8(29, TSC_STABLE)
    this.shared.writeTime(record)
    this.scatter(this.timeArea, record)
  }

  /** A second place for the record; []: none. */
  setTimeArea(places: readonly Place[], tscOffset: bigint): void {
    this.timeArea = places
    this.update(tscOffset)
  }

  // ---- run states ------------------------------------------------------------------------------------------------------------------

  setRunstateArea(places: readonly Place[], word: WordBytes): void {
    this.runstateArea = places
    this.word = word
    this.scatter(places, this.runstate(word))
  }

  /** Nanoseconds since power-on that the host did not give the vCPU. */
  stolen(ns: number): void {
    if (ns - this.stolenNs < LEAST_STOLEN_NS) return
    this.stolenNs = ns
    this.scatter(this.runstateArea, this.runstate(this.word))
  }

  /** struct vcpu_runstate_info: state, since when, and nanoseconds in each (running, runnable, blocked, offline). */
  runstate(word: WordBytes): Uint8Array {
    const head = word === 8 ? 8 : 4
    const record = new Uint8Array(head + 40)
    const view = new DataView(record.buffer)
    const now = this.time.now()
    view.setUint32(0, RUNNING, true)
    const stolen = Math.min(Math.floor(this.stolenNs), now)
    for (const [i, value] of [now, now - stolen, stolen, 0, 0].entries()) view.setBigUint64(head + i * 8, BigInt(value), true)
    return record
  }

  private scatter(places: readonly Place[], record: Uint8Array): void {
    let done = 0
    for (const { address, bytes } of places) {
      this.memory.write(gpa(address), record.subarray(done, done + bytes))
      done += bytes
    }
  }

  // ---- timers ----------------------------------------------------------------------------------------------------------------------

  /** Nanoseconds since power-on, at which VIRQ_TIMER comes; 0 cancels. */
  setTimer(deadline: bigint): void {
    if (deadline === 0n) this.oneShot.cancel()
    else this.oneShot.arm(vmTime(deadline > BigInt(NEVER) ? NEVER : Number(deadline)))
  }

  stopTimer(): void {
    this.oneShot.cancel()
  }

  setPeriod(ns: number): void {
    this.period = ns
    if (ns > 0) this.periodicTimer.arm(vmTime(this.time.now() + ns))
    else this.periodicTimer.cancel()
  }

  reset(): void {
    this.stopTimer()
    this.setPeriod(0)
    this.stolenNs = 0
    this.timeArea = []
    this.runstateArea = []
    this.version = 0
    this.word = 8
  }

  save(): VcpuTimeState {
    const { version, period, stolenNs: stolen, timeArea, runstateArea, word } = this
    return { version, deadline: savedDeadline(this.oneShot), period, periodic: savedDeadline(this.periodicTimer), stolen, timeArea, runstateArea, word }
  }

  load(state: VcpuTimeState): void {
    this.version = state.version >>> 0
    this.period = state.period
    this.stolenNs = state.stolen
    this.timeArea = checkedPlaces(state.timeArea)
    this.runstateArea = checkedPlaces(state.runstateArea)
    this.word = state.word === 4 ? 4 : 8
    restoreDeadline(this.oneShot, state.deadline)
    restoreDeadline(this.periodicTimer, state.periodic)
  }
}

const MAX_PLACES = 2

function checkedPlaces(places: readonly Place[]): readonly Place[] {
  return places.slice(0, MAX_PLACES).filter(({ address, bytes }) => Number.isSafeInteger(address) && address >= 0 && Number.isInteger(bytes) && bytes > 0 && bytes <= 48)
}
