import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { civilFromSeconds, daysFromCivil } from './calendar'
import { setUpCmos } from './cmos-setup'
import { RtcMc146818 } from './rtc'

const SECOND = 1_000_000_000
// 2026-11-22 11:59:58.5 UTC, a Sunday
const START = 1795348798_500

function ready(): { rtc: RtcMc146818; clock: FakeClock; irq: RecordingLine } {
  const clock = new FakeClock()
  const irq = new RecordingLine()
  return { rtc: new RtcMc146818(clock, irq, { startEpochMs: START }), clock, irq }
}

function get(rtc: RtcMc146818, index: number): number {
  rtc.pioWrite(0x70, 1, index)
  return Number(rtc.pioRead(0x71))
}

function set(rtc: RtcMc146818, index: number, value: number): void {
  rtc.pioWrite(0x70, 1, index)
  rtc.pioWrite(0x71, 1, value)
}

describeDevice(
  'rtc-mc146818',
  () => {
    const { rtc, clock } = ready()
    return { device: rtc, clock }
  },
  ({ device, clock }) => {
    const claim = device.claims[0]
    if (claim?.kind !== 'pio') return
    claim.handler.pioWrite(0x70, 1, 0x8b)
    claim.handler.pioWrite(0x71, 1, 0x72)
    clock?.advance(1.7 * SECOND)
    claim.handler.pioWrite(0x70, 1, 0x33)
    claim.handler.pioWrite(0x71, 1, 0x5a)
  },
)

describe('calendar', () => {
  it('agrees with known days, both ways', () => {
    expect(daysFromCivil(1970, 1, 1)).toBe(0)
    expect(daysFromCivil(2000, 3, 1)).toBe(11017)
    for (const days of [-1, 0, 59, 11016, 11017, 20778, 47541]) {
      const civil = civilFromSeconds(days * 86400)
      expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(days)
      const date = new Date(days * 86400_000)
      expect([civil.year, civil.month, civil.day, civil.weekday]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay() + 1,
      ])
    }
  })
})

describe('RtcMc146818', () => {
  it('shows the time in BCD and counts on', () => {
    const { rtc, clock } = ready()
    const date = new Date(START)
    const bcd = (n: number): number => (Math.floor(n / 10) << 4) | (n % 10)
    expect(get(rtc, 9)).toBe(bcd(date.getUTCFullYear() % 100))
    expect(get(rtc, 0x32)).toBe(0x20)
    expect(get(rtc, 8)).toBe(bcd(date.getUTCMonth() + 1))
    expect(get(rtc, 7)).toBe(bcd(date.getUTCDate()))
    expect(get(rtc, 6)).toBe(date.getUTCDay() + 1)
    expect(get(rtc, 4)).toBe(bcd(date.getUTCHours()))
    expect(get(rtc, 0)).toBe(bcd(date.getUTCSeconds()))
    clock.advance(2 * SECOND)
    expect(get(rtc, 0)).toBe(bcd((date.getUTCSeconds() + 2) % 60))
  })

  it('sets UIP before each update', () => {
    const { rtc, clock } = ready()
    expect(get(rtc, 10) & 0x80).toBe(0)
    clock.advance(0.4999 * SECOND)
    expect(get(rtc, 10) & 0x80).toBe(0x80)
    clock.advance(0.0002 * SECOND)
    expect(get(rtc, 10) & 0x80).toBe(0)
  })

  it('takes a new time between SET and not SET, in binary and 12-hour form', () => {
    const { rtc, clock } = ready()
    set(rtc, 11, 0x84)
    for (const [index, value] of [
      [0, 59],
      [2, 59],
      [4, 0x80 | 11],
      [7, 31],
      [8, 12],
      [9, 99],
      [0x32, 19],
    ] as const)
      set(rtc, index, value)
    clock.advance(5 * SECOND)
    expect(get(rtc, 0)).toBe(59)
    set(rtc, 11, 0x04)
    clock.advance(1 * SECOND)
    expect([get(rtc, 0x32), get(rtc, 9), get(rtc, 8), get(rtc, 7), get(rtc, 4), get(rtc, 2), get(rtc, 0)]).toEqual([20, 0, 1, 1, 12, 0, 0])
    set(rtc, 11, 0x02)
    expect(get(rtc, 4)).toBe(0)
  })

  it('periodic interrupts come at the rate of register A; reading C lowers the line', () => {
    const { rtc, clock, irq } = ready()
    set(rtc, 11, 0x42)
    for (let i = 0; i < 640; i++) {
      clock.advance(SECOND / 10240)
      if (irq.level) expect(get(rtc, 12)).toBe(0xc0)
    }
    expect(irq.rises).toBe(64)
    expect(irq.level).toBe(false)
  })

  it('alarm and update interrupts', () => {
    const { rtc, clock, irq } = ready()
    set(rtc, 1, 0x01)
    set(rtc, 3, 0xff)
    set(rtc, 5, 0xff)
    set(rtc, 11, 0x22)
    clock.advance(2 * SECOND)
    expect(irq.level).toBe(false)
    clock.advance(1 * SECOND)
    expect(irq.level).toBe(true)
    expect(get(rtc, 12) & 0xb0).toBe(0xb0)
    set(rtc, 11, 0x12)
    clock.advance(1 * SECOND)
    expect(get(rtc, 12) & 0x90).toBe(0x90)
  })

  it('keeps time and memory over a reset, and a checksum', () => {
    const { rtc } = ready()
    rtc.setCmos(0x10, 0x40)
    rtc.setCmos(0x15, 0x80)
    rtc.updateChecksum()
    rtc.reset('hard')
    expect(get(rtc, 0x2e)).toBe(0)
    expect(get(rtc, 0x2f)).toBe(0xc0)
  })

  it('tells firmware the memory sizes and the boot order', () => {
    const { rtc } = ready()
    setUpCmos(rtc, { lowRamBytes: 0xc0000000, highRamBytes: 0x40000000, cpus: 1, bootOrder: ['cdrom', 'disk'] })
    const word = (index: number): number => get(rtc, index) | (get(rtc, index + 1) << 8)
    expect([word(0x15), word(0x17), word(0x34), word(0x5b)]).toEqual([640, 0xffff, 0xbf00, 0x4000])
    expect([get(rtc, 0x3d), get(rtc, 0x38)]).toEqual([0x23, 1])
  })
})
