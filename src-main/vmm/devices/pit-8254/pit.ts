/**
 * Programmable interval timer of a PC, with system control port B (61h), which gates its channel 2 and the speaker.
 * Sources: Intel 82C54 data sheet (231244-006); 82371SB PIIX3 data sheet (290550), 2.5.9.
 */

import type { IrqLine } from '../../irq/line'
import { nsFromTicks, ticksFromNs } from '../../support/rational'
import { vmTime } from '../../support/branded'
import type { Timer, TimerService } from '../../time/clock'
import { type Claim, type Device, type IoFault, NO_REGISTER, type PioHandler, type ResetKind } from '../device'
import { expectSchema, restoreDeadline, savedDeadline } from '../saved-state'
import { initialChannelState, PitChannel } from './pit-channel'
import * as reg from './registers'
import type { PitStateV1 } from './state'

export class Pit8254 implements Device<PitStateV1>, PioHandler {
  readonly name = 'pit-8254'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'counters', first: reg.PORT_CHANNEL0, last: reg.PORT_CONTROL, handler: this, split: 'bytes' },
    { kind: 'pio', name: 'system-control', first: reg.PORT_SYSTEM_CONTROL, last: reg.PORT_SYSTEM_CONTROL, handler: this, split: 'bytes' },
  ]

  // glue
  private readonly timer: Timer

  // sub-units (hold volatile state)
  private readonly channel0: PitChannel = new PitChannel(true)
  private readonly channel1: PitChannel = new PitChannel(true)
  private readonly channel2: PitChannel = new PitChannel(false)
  private readonly channels: readonly PitChannel[] = [this.channel0, this.channel1, this.channel2]

  // volatile state
  private control61 = 0
  private irqLevel = false

  /** `irq`: output of channel 0. */
  constructor(
    private readonly time: TimerService,
    private readonly irq: IrqLine,
  ) {
    this.timer = time.createTimer(this.name, () => this.expired())
  }

  private tick(): number {
    return ticksFromNs(this.time.now(), reg.PIT_HZ)
  }

  /** Channel 0's output went from low to high since the timer was armed (once or more often: the edges run into one). */
  private expired(): void {
    this.irq.setLevel(false)
    this.irqLevel = true
    this.irq.setLevel(true)
    // A count of a few ticks would make the machine do nothing else.
    const rise = this.channel0.nextRise(this.tick())
    if (rise !== undefined) this.timer.arm(vmTime(Math.max(nsFromTicks(rise, reg.PIT_HZ), this.time.now() + reg.MIN_PERIOD_NS)))
  }

  /** Brings the line to the output's level after the guest changed channel 0, and arms for the next rise. */
  private channel0Changed(): void {
    this.irqLevel = this.channel0.out(this.tick())
    this.irq.setLevel(this.irqLevel)
    this.arm()
  }

  private arm(): void {
    const rise = this.channel0.nextRise(this.tick())
    if (rise === undefined) this.timer.cancel()
    else this.timer.arm(vmTime(nsFromTicks(rise, reg.PIT_HZ)))
  }

  reset(_kind: ResetKind): void {
    this.channel0.state = initialChannelState(true)
    this.channel1.state = initialChannelState(true)
    this.channel2.state = initialChannelState(false)
    this.control61 = 0
    this.irqLevel = false
    this.irq.setLevel(false)
    this.timer.cancel()
  }

  pioRead(port: number): number | IoFault {
    const tick = this.tick()
    if (port === reg.PORT_SYSTEM_CONTROL) {
      const refresh = Math.floor(this.time.now() / reg.REFRESH_NS) % 2 === 1 ? reg.NMISC_REFRESH : 0
      return this.control61 | refresh | (this.channel2.out(tick) ? reg.NMISC_OUT2 : 0)
    }
    // The control word register cannot be read.
    if (port === reg.PORT_CONTROL) return 0xff
    return this.channels[port - reg.PORT_CHANNEL0]?.read(tick) ?? NO_REGISTER
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    const tick = this.tick()
    if (port === reg.PORT_SYSTEM_CONTROL) {
      this.control61 = value & reg.NMISC_WRITABLE
      this.channel2.setGate((value & reg.NMISC_GATE2) !== 0, tick)
      return undefined
    }
    if (port === reg.PORT_CONTROL) {
      this.writeControl(value, tick)
      return undefined
    }
    const channel = this.channels[port - reg.PORT_CHANNEL0]
    if (channel === undefined) return NO_REGISTER
    channel.writeCount(value, tick)
    if (channel === this.channel0) this.channel0Changed()
    return undefined
  }

  private writeControl(value: number, tick: number): void {
    const select = value >> reg.CW_CHANNEL_SHIFT
    if (select === reg.READBACK) {
      this.channels.forEach((channel, index) => {
        if ((value & (2 << index)) === 0) return
        if ((value & reg.READBACK_NO_COUNT) === 0) channel.latchCount(tick)
        if ((value & reg.READBACK_NO_STATUS) === 0) channel.latchStatus(tick)
      })
      return
    }
    const channel = this.channels[select]
    if (channel === undefined) return
    channel.writeControl(value, tick)
    if (channel === this.channel0 && ((value >> reg.CW_RW_SHIFT) & 3) !== reg.RW_LATCH) this.channel0Changed()
  }

  /** Speaker: whether it is driven, and the frequency of channel 2's square wave. For a sound backend and the inspector. */
  get speaker(): { readonly on: boolean; readonly hz: number } {
    const { mode, count } = this.channel2.state
    const driven = (this.control61 & (reg.NMISC_GATE2 | reg.NMISC_SPEAKER)) === (reg.NMISC_GATE2 | reg.NMISC_SPEAKER)
    const on = driven && mode === 3 && count > 0
    return { on, hz: on ? reg.PIT_HZ / count : 0 }
  }

  save(): PitStateV1 {
    const { control61, irqLevel } = this
    const channels = this.channels.map((channel) => ({ ...channel.state }))
    return { schema: ['pit-8254', 1], channels, control61, irqLevel, deadline: savedDeadline(this.timer) }
  }

  load(state: PitStateV1): void {
    expectSchema(this.name, state, ['pit-8254', 1])
    this.channels.forEach((channel, index) => {
      channel.state = { ...(state.channels[index] ?? initialChannelState(index < 2)) }
    })
    this.control61 = state.control61
    this.irqLevel = state.irqLevel
    this.irq.setLevel(this.irqLevel)
    restoreDeadline(this.timer, state.deadline)
  }
}
