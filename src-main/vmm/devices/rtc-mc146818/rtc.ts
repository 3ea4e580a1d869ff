/**
 * Real-time clock and CMOS memory of a PC/AT.
 * Sources: Motorola MC146818A data sheet; IBM PC/AT technical reference (CMOS map); ACPI 6.5, 4.8.2.4 (century).
 */

import type { IrqLine } from '../../irq/line'
import { vmTime } from '../../support/branded'
import { NANOSECONDS_PER_SECOND, nsFromTicks, ticksFromNs } from '../../support/rational'
import type { Timer, TimerService } from '../../time/clock'
import type { Claim, Device, IoFault, PioHandler, ResetKind } from '../device'
import { expectSchema, restoreDeadline, savedDeadline } from '../saved-state'
import { civilFromSeconds, daysFromCivil, SECONDS_PER_DAY } from './calendar'
import * as reg from './registers'
import type { RtcStateV1 } from './state'

export interface RtcOptions {
  /** What the clock shows at power-on: milliseconds since 1970-01-01 UTC, in the time zone that the guest expects. */
  readonly startEpochMs: number
  /** Port 70h bit 7 changed. */
  readonly onNmiMask?: (masked: boolean) => void
}

const CMOS_BYTES = 128
const INTERRUPTS = reg.C_PF | reg.C_AF | reg.C_UF

export class RtcMc146818 implements Device<RtcStateV1>, PioHandler {
  readonly name = 'rtc-mc146818'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'cmos', first: reg.PORT_INDEX, last: reg.PORT_DATA, handler: this, split: 'bytes' },
  ]

  // glue
  private readonly periodicTimer: Timer
  private readonly secondTimer: Timer
  private readonly onNmiMask: (masked: boolean) => void

  // volatile state
  private readonly cmos = new Uint8Array(CMOS_BYTES)
  private index = 0
  private nmiMasked = false
  private baseSeconds: number
  private baseTime: number
  private stopped = false
  private flags = 0
  private seenSecond: number
  private seenTick = 0

  constructor(
    private readonly time: TimerService,
    private readonly irq: IrqLine,
    options: RtcOptions,
  ) {
    this.onNmiMask = options.onNmiMask ?? ((): void => undefined)
    this.periodicTimer = time.createTimer(`${this.name}/periodic`, () => this.periodicExpired())
    this.secondTimer = time.createTimer(`${this.name}/second`, () => this.secondExpired())
    const now = time.now()
    const ms = Math.floor(options.startEpochMs)
    this.baseSeconds = Math.floor(ms / 1000)
    this.baseTime = now - (ms - this.baseSeconds * 1000) * 1_000_000
    this.seenSecond = this.baseSeconds
    this.cmos[reg.RTC_A] = reg.A_DIVIDER_NORMAL | 6
    this.cmos[reg.RTC_B] = reg.B_24H
    this.showTime(this.baseSeconds)
  }

  // ---- the CMOS as boards and firmware builders see it ---------------------------------------------------------------------------

  /** Sets a byte of the memory part (0Eh..7Fh), as a set-up program would. */
  setCmos(index: number, value: number): void {
    if (index > reg.RTC_D && index < CMOS_BYTES) this.cmos[index] = value
  }

  getCmos(index: number): number {
    return this.cmos[index] ?? 0xff
  }

  /** Stores the checksum that a PC/AT BIOS keeps over bytes 10h..2Dh. */
  updateChecksum(): void {
    let sum = 0
    for (let i = reg.CMOS_CHECKSUM_FIRST; i <= reg.CMOS_CHECKSUM_LAST; i++) sum += this.getCmos(i)
    this.cmos[reg.CMOS_CHECKSUM] = sum >> 8
    this.cmos[reg.CMOS_CHECKSUM + 1] = sum & 0xff
  }

  // ---- time ----------------------------------------------------------------------------------------------------------------------

  private get registerB(): number {
    return this.getCmos(reg.RTC_B)
  }

  /** Whole guest seconds now (meaningless while stopped). */
  private secondsNow(): number {
    return this.baseSeconds + Math.floor((this.time.now() - this.baseTime) / NANOSECONDS_PER_SECOND)
  }

  /** Nanoseconds since the last second boundary. */
  private sinceSecond(): number {
    const ns = this.time.now() - this.baseTime
    return ns - Math.floor(ns / NANOSECONDS_PER_SECOND) * NANOSECONDS_PER_SECOND
  }

  private encode(value: number): number {
    return (this.registerB & reg.B_BINARY) !== 0 ? value : (Math.floor(value / 10) << 4) | (value % 10)
  }

  private decode(value: number): number {
    return (this.registerB & reg.B_BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15)
  }

  private encodeHours(hours: number): number {
    if ((this.registerB & reg.B_24H) !== 0) return this.encode(hours)
    return this.encode(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? reg.HOURS_PM : 0)
  }

  private decodeHours(value: number): number {
    if ((this.registerB & reg.B_24H) !== 0) return this.decode(value)
    return (this.decode(value & ~reg.HOURS_PM) % 12) + ((value & reg.HOURS_PM) !== 0 ? 12 : 0)
  }

  /** Writes a time into the registers. */
  private showTime(seconds: number): void {
    const civil = civilFromSeconds(seconds)
    const year = ((civil.year % 10000) + 10000) % 10000
    this.cmos[reg.RTC_SECONDS] = this.encode(civil.seconds)
    this.cmos[reg.RTC_MINUTES] = this.encode(civil.minutes)
    this.cmos[reg.RTC_HOURS] = this.encodeHours(civil.hours)
    this.cmos[reg.RTC_WEEKDAY] = this.encode(civil.weekday)
    this.cmos[reg.RTC_DAY] = this.encode(civil.day)
    this.cmos[reg.RTC_MONTH] = this.encode(civil.month)
    this.cmos[reg.RTC_YEAR] = this.encode(year % 100)
    this.cmos[reg.RTC_CENTURY] = this.encode(Math.floor(year / 100))
  }

  /** The time that the registers show. Nonsense carries over into something; the chip would count on from it likewise. */
  private shownSeconds(): number {
    const at = (index: number): number => this.decode(this.getCmos(index))
    const year = at(reg.RTC_CENTURY) * 100 + at(reg.RTC_YEAR)
    const days = daysFromCivil(year, at(reg.RTC_MONTH), at(reg.RTC_DAY))
    const hours = this.decodeHours(this.getCmos(reg.RTC_HOURS))
    return days * SECONDS_PER_DAY + hours * 3600 + at(reg.RTC_MINUTES) * 60 + at(reg.RTC_SECONDS)
  }

  private shouldStop(): boolean {
    return (this.registerB & reg.B_SET) !== 0 || this.dividerReset()
  }

  private dividerReset(): boolean {
    return (this.getCmos(reg.RTC_A) & reg.A_DIVIDER_RESET) === reg.A_DIVIDER_RESET
  }

  private stop(): void {
    if (this.stopped) return
    this.catchUp()
    this.showTime(this.secondsNow())
    this.stopped = true
  }

  /** The clock goes on from what the registers show. `phase`: nanoseconds into the second. */
  private go(phase: number): void {
    this.baseSeconds = this.shownSeconds()
    this.baseTime = this.time.now() - phase
    this.seenSecond = this.baseSeconds
    this.stopped = false
  }

  // ---- interrupts ------------------------------------------------------------------------------------------------------------------

  /** Period of the periodic interrupt in ticks of 32,768 Hz, or 0. */
  private periodTicks(): number {
    const rate = this.getCmos(reg.RTC_A) & reg.A_RATE
    if (rate === 0 || this.dividerReset()) return 0
    // Rates 1 and 2 repeat 8 and 9 with a 32.768 kHz time base.
    return 1 << ((rate <= 2 ? rate + 7 : rate) - 1)
  }

  private tick(): number {
    return ticksFromNs(this.time.now(), reg.RTC_HZ)
  }

  private alarmMatches(seconds: number): boolean {
    const ofDay = ((seconds % SECONDS_PER_DAY) + SECONDS_PER_DAY) % SECONDS_PER_DAY
    const any = (index: number): boolean => this.getCmos(index) >= reg.ALARM_ANY
    const byte = (index: number): number => this.decode(this.getCmos(index))
    // In 12-hour mode PM hours reach 92h only, so C0h and up still means "any".
    return (
      (any(reg.RTC_SECONDS_ALARM) || byte(reg.RTC_SECONDS_ALARM) === ofDay % 60) &&
      (any(reg.RTC_MINUTES_ALARM) || byte(reg.RTC_MINUTES_ALARM) === Math.floor(ofDay / 60) % 60) &&
      (any(reg.RTC_HOURS_ALARM) || this.decodeHours(this.getCmos(reg.RTC_HOURS_ALARM)) === Math.floor(ofDay / 3600))
    )
  }

  /** Sets the flags for everything that happened since the last look. */
  private catchUp(): void {
    const period = this.periodTicks()
    const tick = this.tick()
    if (period !== 0 && Math.floor(tick / period) !== Math.floor(this.seenTick / period)) this.flags |= reg.C_PF
    this.seenTick = tick
    if (this.stopped) return
    const second = this.secondsNow()
    if (second > this.seenSecond) {
      this.flags |= reg.C_UF
      // After a day every alarm has matched once.
      const passed = Math.min(second - this.seenSecond, SECONDS_PER_DAY)
      for (let i = 0; i < passed && (this.flags & reg.C_AF) === 0; i++) if (this.alarmMatches(second - i)) this.flags |= reg.C_AF
    }
    this.seenSecond = second
  }

  private updateIrq(): void {
    this.irq.setLevel((this.flags & this.registerB & INTERRUPTS) !== 0)
  }

  private periodicExpired(): void {
    this.catchUp()
    this.updateIrq()
    this.arm()
  }

  private secondExpired(): void {
    this.catchUp()
    this.updateIrq()
    this.arm()
  }

  /** Wake-ups only for what can interrupt. */
  private arm(): void {
    const period = this.periodTicks()
    if (period !== 0 && (this.registerB & reg.B_PIE) !== 0) {
      const next = (Math.floor(this.tick() / period) + 1) * period
      this.periodicTimer.arm(vmTime(nsFromTicks(next, reg.RTC_HZ)))
    } else {
      this.periodicTimer.cancel()
    }
    if (!this.stopped && (this.registerB & (reg.B_UIE | reg.B_AIE)) !== 0) {
      this.secondTimer.arm(vmTime(this.time.now() - this.sinceSecond() + NANOSECONDS_PER_SECOND))
    } else {
      this.secondTimer.cancel()
    }
  }

  // ---- ports ------------------------------------------------------------------------------------------------------------------------

  pioRead(port: number): number | IoFault {
    // Port 70h is write-only on a PC/AT.
    return port === reg.PORT_INDEX ? 0xff : this.readRegister()
  }

  private readRegister(): number {
    switch (this.index) {
      case reg.RTC_A: {
        const updating = !this.stopped && this.sinceSecond() >= NANOSECONDS_PER_SECOND - reg.UIP_NS
        return this.getCmos(reg.RTC_A) | (updating ? reg.A_UIP : 0)
      }
      case reg.RTC_C: {
        this.catchUp()
        const raised = (this.flags & this.registerB & INTERRUPTS) !== 0
        const value = this.flags | (raised ? reg.C_IRQF : 0)
        this.flags = 0
        this.updateIrq()
        return value
      }
      case reg.RTC_D:
        return reg.D_VRT
      default:
        if (isTime(this.index) && !this.stopped) this.showTime(this.secondsNow())
        return this.getCmos(this.index)
    }
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    if (port === reg.PORT_INDEX) {
      this.index = value & 0x7f
      const masked = (value & reg.INDEX_NMI_MASK) !== 0
      if (masked !== this.nmiMasked) {
        this.nmiMasked = masked
        this.onNmiMask(masked)
      }
      return undefined
    }
    this.writeRegister(value)
    return undefined
  }

  private writeRegister(value: number): void {
    switch (this.index) {
      case reg.RTC_A:
        this.writeA(value & ~reg.A_UIP)
        break
      case reg.RTC_B:
        this.writeB(value)
        break
      case reg.RTC_C:
      case reg.RTC_D:
        break
      default:
        this.writeByte(value)
    }
  }

  private writeByte(value: number): void {
    if (!isTime(this.index) || this.stopped) {
      if (this.index <= reg.RTC_HOURS_ALARM) this.catchUp()
      this.cmos[this.index] = value
      return
    }
    // Written while the clock runs: the byte changes, the others and the phase stay.
    this.catchUp()
    this.showTime(this.secondsNow())
    this.cmos[this.index] = value
    this.go(this.sinceSecond())
    this.arm()
  }

  private writeA(value: number): void {
    this.catchUp()
    const wasReset = this.dividerReset()
    if ((value & reg.A_DIVIDER_RESET) === reg.A_DIVIDER_RESET) this.stop()
    this.cmos[reg.RTC_A] = value
    // The first update comes half a second after the divider leaves reset.
    if (this.stopped && !this.shouldStop()) this.go(wasReset ? NANOSECONDS_PER_SECOND / 2 : 0)
    this.arm()
    this.updateIrq()
  }

  private writeB(value: number): void {
    this.catchUp()
    const setting = (value & reg.B_SET) !== 0
    if (setting) this.stop()
    // Setting SET clears UIE.
    const next = setting ? value & ~reg.B_UIE : value
    const wasSetting = (this.registerB & reg.B_SET) !== 0
    const phase = this.sinceSecond()
    this.cmos[reg.RTC_B] = next
    // The divider chain ran on while SET was set, so the second's phase is kept.
    if (this.stopped && wasSetting && !this.shouldStop()) this.go(phase)
    this.arm()
    this.updateIrq()
  }

  // ---- device -------------------------------------------------------------------------------------------------------------------------

  /** RESET# clears the interrupt enables and flags; time and memory are battery-backed. */
  reset(_kind: ResetKind): void {
    this.index = 0
    this.cmos[reg.RTC_B] = this.registerB & ~(reg.B_PIE | reg.B_AIE | reg.B_UIE | reg.B_SQWE)
    this.catchUp()
    this.flags = 0
    if (this.nmiMasked) {
      this.nmiMasked = false
      this.onNmiMask(false)
    }
    this.updateIrq()
    this.arm()
  }

  save(): RtcStateV1 {
    const { index, nmiMasked, baseSeconds, baseTime, stopped, flags, seenSecond, seenTick } = this
    return {
      schema: ['rtc-mc146818', 1],
      cmos: this.cmos.slice(),
      index,
      nmiMasked,
      baseSeconds,
      baseTime,
      stopped,
      flags,
      seenSecond,
      seenTick,
      periodicDeadline: savedDeadline(this.periodicTimer),
      secondDeadline: savedDeadline(this.secondTimer),
    }
  }

  load(state: RtcStateV1): void {
    expectSchema(this.name, state, ['rtc-mc146818', 1])
    this.cmos.set(state.cmos.subarray(0, CMOS_BYTES))
    this.index = state.index
    this.nmiMasked = state.nmiMasked
    this.baseSeconds = state.baseSeconds
    this.baseTime = state.baseTime
    this.stopped = state.stopped
    this.flags = state.flags
    this.seenSecond = state.seenSecond
    this.seenTick = state.seenTick
    restoreDeadline(this.periodicTimer, state.periodicDeadline)
    restoreDeadline(this.secondTimer, state.secondDeadline)
    this.onNmiMask(this.nmiMasked)
    this.updateIrq()
  }
}

function isTime(index: number): boolean {
  if (index === reg.RTC_CENTURY) return true
  return index <= reg.RTC_YEAR && index !== reg.RTC_SECONDS_ALARM && index !== reg.RTC_MINUTES_ALARM && index !== reg.RTC_HOURS_ALARM
}
