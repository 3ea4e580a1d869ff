/**
 * High precision event timer: 64-bit counter at 100 MHz, three timers, all periodic-capable, legacy replacement.
 * Source: IA-PC HPET specification 1.0a.
 */

import type { IrqLine } from '../../irq/line'
import { vmTime } from '../../support/branded'
import type { Timer, TimerService } from '../../time/clock'
import { BAD_WIDTH, type Claim, type Device, type IoFault, type MmioHandler, type ResetKind, UNALIGNED, type Width } from '../device'
import { expectSchema, restoreDeadline, savedDeadline } from '../saved-state'
import * as reg from './registers'
import type { HpetStateV1, HpetTimerState } from './state'

const MASK64 = 0xffffffffffffffffn
const MASK32 = 0xffffffffn
const TICK = BigInt(reg.TICK_NS)

export interface HpetOptions {
  /** A new source of a GSI; called for each timer and route once. */
  readonly gsiLine: (gsi: number) => IrqLine
  /** Legacy replacement: timer 0 on IRQ 0 (in place of the PIT), timer 1 on IRQ 8 (in place of the RTC). */
  readonly legacyTimer: IrqLine
  readonly legacyRtc: IrqLine
  /** Legacy replacement was switched: the board cuts the PIT and the RTC off while it is on. */
  readonly onLegacy: (on: boolean) => void
}

interface HpetTimer {
  readonly index: number
  readonly timer: Timer
  readonly lines: Map<number, IrqLine>
  state: HpetTimerState
}

function initialTimer(): HpetTimerState {
  return { config: 0, comparator: MASK64, period: 0n, setValue: false, line: false }
}

export class Hpet implements Device<HpetStateV1>, MmioHandler {
  readonly name = 'hpet'
  readonly claims: readonly Claim[] = [
    { kind: 'mmio', name: 'registers', first: reg.HPET_BASE, last: reg.HPET_BASE + reg.HPET_BYTES - 1, handler: this },
  ]

  // sub-units
  private readonly timers: readonly HpetTimer[]

  // volatile state (with that of the timers)
  private config = 0
  private status = 0
  private counter = 0n
  private counterTime = 0

  constructor(
    private readonly time: TimerService,
    private readonly options: HpetOptions,
  ) {
    this.timers = Array.from({ length: reg.HPET_TIMERS }, (_, index) => ({
      index,
      timer: time.createTimer(`${this.name}/${index}`, () => this.expired(index)),
      lines: new Map<number, IrqLine>(),
      state: initialTimer(),
    }))
  }

  private get enabled(): boolean {
    return (this.config & reg.CONFIG_ENABLE) !== 0
  }

  private get legacy(): boolean {
    return (this.config & reg.CONFIG_LEGACY) !== 0
  }

  private counterNow(): bigint {
    if (!this.enabled) return this.counter
    return (this.counter + BigInt(Math.floor((this.time.now() - this.counterTime) / reg.TICK_NS))) & MASK64
  }

  // ---- interrupts -----------------------------------------------------------------------------------------------------------------------

  private lineOf(unit: HpetTimer): IrqLine | undefined {
    if (this.legacy && unit.index === 0) return this.options.legacyTimer
    if (this.legacy && unit.index === 1) return this.options.legacyRtc
    const gsi = (unit.state.config >> reg.TN_ROUTE_SHIFT) & 31
    if (((reg.ROUTES >> gsi) & 1) === 0) return undefined
    let line = unit.lines.get(gsi)
    if (line === undefined) {
      line = this.options.gsiLine(gsi)
      unit.lines.set(gsi, line)
    }
    return line
  }

  private setLine(unit: HpetTimer, high: boolean): void {
    unit.state.line = high
    this.lineOf(unit)?.setLevel(high)
  }

  private fire(unit: HpetTimer): void {
    const { config } = unit.state
    const level = (config & reg.TN_LEVEL) !== 0
    // The status bit is set for level-triggered timers only, enabled or not (2.3.6).
    if (level) this.status |= 1 << unit.index
    if ((config & reg.TN_ENABLE) === 0) return
    if (level) this.setLine(unit, true)
    else {
      this.setLine(unit, true)
      this.setLine(unit, false)
    }
  }

  private expired(index: number): void {
    const unit = this.timers[index]
    if (unit === undefined) return
    this.fire(unit)
    const s = unit.state
    if (this.isPeriodic(s) && s.period > 0n) {
      // The next value after now: matches that were missed run into this one.
      const passed = (this.counterNow() - s.comparator) & this.widthMask(s)
      s.comparator = (s.comparator + (passed / s.period + 1n) * s.period) & this.widthMask(s)
      this.arm(unit)
    } else if ((s.config & reg.TN_32BIT) !== 0 || this.isPeriodic(s)) {
      // A 32-bit comparator matches again when the counter comes round.
      this.arm(unit)
    }
  }

  private isPeriodic(s: HpetTimerState): boolean {
    return (s.config & reg.TN_PERIODIC) !== 0
  }

  private widthMask(s: HpetTimerState): bigint {
    return (s.config & reg.TN_32BIT) !== 0 ? MASK32 : MASK64
  }

  /** Arms for the next match strictly after the counter's present value. */
  private arm(unit: HpetTimer): void {
    const s = unit.state
    if (!this.enabled || (s.config & (reg.TN_ENABLE | reg.TN_LEVEL)) === 0) {
      unit.timer.cancel()
      return
    }
    const mask = this.widthMask(s)
    const distance = ((s.comparator - this.counterNow() - 1n) & mask) + 1n
    const now = this.time.now()
    // Counted from the counter's own tick grid, so that nothing drifts.
    const phase = (now - this.counterTime) % reg.TICK_NS
    const wait = Number(distance * TICK) - phase
    if (now + wait > Number.MAX_SAFE_INTEGER) {
      unit.timer.cancel()
      return
    }
    const short = this.isPeriodic(s) && s.period * TICK < BigInt(reg.MIN_PERIOD_NS)
    unit.timer.arm(vmTime(now + (short ? Math.max(wait, reg.MIN_PERIOD_NS) : wait)))
  }

  private armAll(): void {
    for (const unit of this.timers) this.arm(unit)
  }

  // ---- registers ------------------------------------------------------------------------------------------------------------------------

  mmioRead(offset: number, width: Width): number | IoFault {
    if (offset % width !== 0) return UNALIGNED
    const dword = this.readDword(offset & ~3)
    if (width === 4) return dword
    return (dword >>> ((offset & 3) * 8)) & (width === 1 ? 0xff : 0xffff)
  }

  private readDword(offset: number): number {
    const index = Math.floor((offset - reg.HPET_TIMER0) / reg.HPET_TIMER_STRIDE)
    const unit = this.timers[index]
    if (unit !== undefined) return this.readTimer(unit, offset - reg.HPET_TIMER0 - index * reg.HPET_TIMER_STRIDE)
    switch (offset) {
      case reg.HPET_CAPABILITIES:
        return reg.CAPABILITIES
      case reg.HPET_PERIOD:
        return reg.PERIOD_FS
      case reg.HPET_CONFIG:
        return this.config
      case reg.HPET_STATUS:
        return this.status
      case reg.HPET_COUNTER:
        return Number(this.counterNow() & MASK32)
      case reg.HPET_COUNTER + 4:
        return Number(this.counterNow() >> 32n)
      default:
        return 0
    }
  }

  private readTimer(unit: HpetTimer, offset: number): number {
    const s = unit.state
    switch (offset) {
      case reg.TN_CONFIG:
        return s.config | reg.TN_PERIODIC_CAPABLE | reg.TN_SIZE_64
      case reg.TN_ROUTES:
        return reg.ROUTES
      case reg.TN_COMPARATOR:
        return Number(s.comparator & MASK32)
      case reg.TN_COMPARATOR + 4:
        return Number((s.comparator & this.widthMask(s)) >> 32n)
      default:
        return 0
    }
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (width !== 4) return BAD_WIDTH
    if (offset % 4 !== 0) return UNALIGNED
    const index = Math.floor((offset - reg.HPET_TIMER0) / reg.HPET_TIMER_STRIDE)
    const unit = this.timers[index]
    if (unit !== undefined) this.writeTimer(unit, offset - reg.HPET_TIMER0 - index * reg.HPET_TIMER_STRIDE, value)
    else if (offset === reg.HPET_CONFIG) this.writeConfig(value & (reg.CONFIG_ENABLE | reg.CONFIG_LEGACY))
    else if (offset === reg.HPET_STATUS) this.writeStatus(value)
    else if (offset === reg.HPET_COUNTER) this.writeCounter((this.counterNow() & ~MASK32) | BigInt(value >>> 0))
    else if (offset === reg.HPET_COUNTER + 4) this.writeCounter((this.counterNow() & MASK32) | (BigInt(value >>> 0) << 32n))
    return undefined
  }

  private writeConfig(value: number): void {
    const wasLegacy = this.legacy
    this.counter = this.counterNow()
    this.counterTime = this.time.now()
    for (const unit of this.timers) if (unit.state.line) this.lineOf(unit)?.setLevel(false)
    this.config = value
    if (this.legacy !== wasLegacy) this.options.onLegacy(this.legacy)
    for (const unit of this.timers) if (unit.state.line) this.lineOf(unit)?.setLevel(true)
    this.armAll()
  }

  /** Level-triggered: writing one clears, and lowers the line. */
  private writeStatus(value: number): void {
    this.status &= ~value
    for (const unit of this.timers) if ((value & (1 << unit.index)) !== 0 && unit.state.line) this.setLine(unit, false)
  }

  /** Allowed only while the counter stands (2.3.7); while it runs, it goes on from the new value. */
  private writeCounter(value: bigint): void {
    this.counter = value
    this.counterTime = this.time.now()
    this.armAll()
  }

  private writeTimer(unit: HpetTimer, offset: number, value: number): void {
    const s = unit.state
    switch (offset) {
      case reg.TN_CONFIG:
        if (s.line) this.setLine(unit, false)
        s.config = value & reg.TN_WRITABLE
        s.setValue = (value & reg.TN_VALUE_SET) !== 0
        if ((s.config & reg.TN_32BIT) !== 0) s.comparator &= MASK32
        this.arm(unit)
        break
      case reg.TN_COMPARATOR:
        this.writeComparator(unit, MASK32, BigInt(value >>> 0))
        break
      case reg.TN_COMPARATOR + 4:
        this.writeComparator(unit, MASK32 << 32n, BigInt(value >>> 0) << 32n)
        break
    }
  }

  /** In periodic mode the write sets the period, and after TN_VALUE_SET the comparator as well (2.3.9.2.2). */
  private writeComparator(unit: HpetTimer, mask: bigint, bits: bigint): void {
    const s = unit.state
    const width = this.widthMask(s)
    if (!this.isPeriodic(s) || s.setValue) s.comparator = ((s.comparator & ~mask) | bits) & width
    if (this.isPeriodic(s)) s.period = ((s.period & ~mask) | bits) & width
    // The bit clears itself with the write that completes the value.
    if ((s.config & reg.TN_32BIT) !== 0 || mask !== MASK32) s.setValue = false
    this.arm(unit)
  }

  // ---- device ---------------------------------------------------------------------------------------------------------------------------

  reset(_kind: ResetKind): void {
    for (const unit of this.timers) {
      if (unit.state.line) this.setLine(unit, false)
      unit.timer.cancel()
      unit.state = initialTimer()
    }
    if (this.legacy) this.options.onLegacy(false)
    this.config = 0
    this.status = 0
    this.counter = 0n
    this.counterTime = this.time.now()
  }

  save(): HpetStateV1 {
    const { config, status, counter, counterTime } = this
    const timers = this.timers.map(({ state, timer }) => ({
      ...state,
      comparator: state.comparator.toString(),
      period: state.period.toString(),
      deadline: savedDeadline(timer),
    }))
    return { schema: ['hpet', 1], config, status, counter: counter.toString(), counterTime, timers }
  }

  load(saved: HpetStateV1): void {
    expectSchema(this.name, saved, ['hpet', 1])
    this.config = saved.config
    this.status = saved.status
    this.counter = BigInt(saved.counter)
    this.counterTime = saved.counterTime
    this.options.onLegacy(this.legacy)
    for (const unit of this.timers) {
      const from = saved.timers[unit.index]
      if (from === undefined) continue
      const { config, setValue, line } = from
      unit.state = { config, comparator: BigInt(from.comparator), period: BigInt(from.period), setValue, line }
      restoreDeadline(unit.timer, from.deadline)
      if (unit.state.line) this.setLine(unit, true)
    }
  }
}
