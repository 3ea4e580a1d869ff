import { describe, expect, it } from 'vitest'
import { ApicBus } from '../../irq/apic-bus'
import { vmTime } from '../../support/branded'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock } from '../../testing/fake-clock'
import { Lapic } from './lapic'

interface Cpu {
  intr: boolean
  events: string[]
}

function make(clock: FakeClock, bus: ApicBus, apicId: number): { lapic: Lapic; cpu: Cpu } {
  const cpu: Cpu = { intr: false, events: [] }
  const lapic = new Lapic(clock, {
    apicId,
    bootstrap: apicId === 0,
    bus,
    pic: { acknowledge: () => 0x08 },
    processor: {
      setInterruptRequest: (high) => {
        cpu.intr = high
      },
      nmi: () => cpu.events.push('nmi'),
      init: () => cpu.events.push('init'),
      startup: (vector) => cpu.events.push(`startup ${vector.toString(16)}`),
    },
    tscToTime: (tsc) => vmTime(tsc / 2),
  })
  return { lapic, cpu }
}

function ready(): { lapic: Lapic; cpu: Cpu; clock: FakeClock; other: { lapic: Lapic; cpu: Cpu }; bus: ApicBus } {
  const clock = new FakeClock()
  const bus = new ApicBus()
  const first = make(clock, bus, 0)
  const other = make(clock, bus, 1)
  first.lapic.mmioWrite(0xf0, 4, 0x1ff)
  other.lapic.mmioWrite(0xf0, 4, 0x1ff)
  return { ...first, clock, other, bus }
}

describeDevice(
  'lapic',
  () => {
    const { lapic, clock } = ready()
    return { device: lapic, clock, moreClaims: [{ kind: 'mmio', name: 'window', first: 0xfee00000, last: 0xfee00fff, handler: lapic }] }
  },
  ({ device, clock }) => {
    if (!(device instanceof Lapic)) return
    device.mmioWrite(0x320, 4, 0x20040)
    device.mmioWrite(0x3e0, 4, 0x0b)
    device.mmioWrite(0x380, 4, 1_000_000)
    clock?.advance(1_500_000)
  },
)

describe('Lapic', () => {
  it('orders fixed interrupts by priority, and EOI lets lower ones in', () => {
    const { lapic, cpu } = ready()
    lapic.accept(0, 0x41, false)
    lapic.accept(0, 0x82, false)
    expect(cpu.intr).toBe(true)
    expect(lapic.acknowledge()).toBe(0x82)
    expect(cpu.intr).toBe(false)
    expect(lapic.mmioRead(0xa0, 4)).toBe(0x80)
    lapic.mmioWrite(0xb0, 4, 0)
    expect(lapic.acknowledge()).toBe(0x41)
    lapic.mmioWrite(0xb0, 4, 0)
    lapic.taskPriority = 5
    lapic.accept(0, 0x5f, false)
    expect(cpu.intr).toBe(false)
    lapic.mmioWrite(0x80, 4, 0x4f)
    expect(lapic.acknowledge()).toBe(0x5f)
  })

  it('tells I/O APICs the end of level-triggered interrupts only', () => {
    const { lapic, bus } = ready()
    const ended: number[] = []
    bus.addEoiListener({ endOfInterrupt: (vector) => ended.push(vector) })
    for (const level of [false, true]) {
      lapic.accept(0, 0x31, level)
      lapic.acknowledge()
      lapic.mmioWrite(0xb0, 4, 0)
    }
    expect(ended).toEqual([0x31])
  })

  it('passes the 8259 pair through LINT0 while that is ExtINT, or while the APIC is off', () => {
    const clock = new FakeClock()
    const { lapic, cpu } = make(clock, new ApicBus(), 0)
    lapic.lint0.setLevel(true)
    expect(cpu.intr).toBe(true)
    expect(lapic.acknowledge()).toBe(0x08)
    lapic.mmioWrite(0xf0, 4, 0x1ff)
    lapic.mmioWrite(0x350, 4, 0x10700)
    expect(cpu.intr).toBe(false)
    expect(lapic.acknowledge()).toBe(-1)
    expect(lapic.writeMsr(0x1b, 0xfee00000, 0)).toBe(true)
    expect(cpu.intr).toBe(true)
    expect(lapic.windowContains(0xfee00000)).toBe(false)
    expect(lapic.readMsr(0x1b)).toEqual([0xfee00100, 0])
    expect(lapic.writeMsr(0x1b, 0xfee00c00, 0)).toBe(false)
  })

  it('one-shot timer fires once, periodic at its rate', () => {
    const { lapic, clock } = ready()
    lapic.mmioWrite(0x320, 4, 0x40)
    lapic.mmioWrite(0x3e0, 4, 0x03)
    lapic.mmioWrite(0x380, 4, 62_500)
    clock.advance(500_000)
    expect(lapic.mmioRead(0x390, 4)).toBe(31_250)
    expect(lapic.hasInterrupt).toBe(false)
    clock.advance(500_000)
    expect(lapic.acknowledge()).toBe(0x40)
    lapic.mmioWrite(0xb0, 4, 0)
    clock.advance(5_000_000)
    expect(lapic.hasInterrupt).toBe(false)
    expect(lapic.mmioRead(0x390, 4)).toBe(0)
    lapic.mmioWrite(0x320, 4, 0x20040)
    lapic.mmioWrite(0x380, 4, 62_500)
    for (let i = 0; i < 5; i++) {
      clock.advance(1_000_000)
      expect(lapic.acknowledge()).toBe(0x40)
      lapic.mmioWrite(0xb0, 4, 0)
    }
  })

  it('TSC-deadline timer', () => {
    const { lapic, clock } = ready()
    lapic.writeMsr(0x6e0, 2_000_000, 0)
    expect(lapic.readMsr(0x6e0)).toEqual([0, 0])
    lapic.mmioWrite(0x320, 4, 0x40041)
    lapic.writeMsr(0x6e0, 2_000_000, 0)
    clock.advance(999_999)
    expect(lapic.hasInterrupt).toBe(false)
    clock.advance(1)
    expect(lapic.acknowledge()).toBe(0x41)
    expect(lapic.readMsr(0x6e0)).toEqual([0, 0])
    lapic.writeMsr(0x6e0, 0xffffffff, 0xffffffff)
    expect(clock.queue.next()).toBe(undefined)
  })

  it('sends IPIs: INIT and start-up to another, fixed to self, all, and by logical address', () => {
    const { lapic, other, cpu } = ready()
    lapic.mmioWrite(0x310, 4, 0x01000000)
    lapic.mmioWrite(0x300, 4, 0xc500)
    lapic.mmioWrite(0x300, 4, 0x8500)
    lapic.mmioWrite(0x300, 4, 0x0608)
    expect(other.cpu.events).toEqual(['init', 'startup 8'])
    expect(cpu.events).toEqual([])
    lapic.mmioWrite(0x300, 4, 0x40055)
    expect(lapic.acknowledge()).toBe(0x55)
    lapic.mmioWrite(0x300, 4, 0xc0066)
    expect(lapic.hasInterrupt).toBe(false)
    expect(other.lapic.acknowledge()).toBe(0x66)
    other.lapic.mmioWrite(0xd0, 4, 0x02000000)
    lapic.mmioWrite(0x310, 4, 0x02000000)
    lapic.mmioWrite(0x300, 4, 0x0877)
    expect(other.lapic.acknowledge()).toBe(0x77)
    other.lapic.mmioWrite(0xe0, 4, 0)
    other.lapic.mmioWrite(0xd0, 4, 0x12000000)
    lapic.mmioWrite(0x310, 4, 0x12000000)
    lapic.mmioWrite(0x300, 4, 0x0888)
    expect(other.lapic.acknowledge()).toBe(0x88)
  })

  it('reports illegal vectors and registers through ESR', () => {
    const { lapic } = ready()
    lapic.mmioWrite(0x370, 4, 0xfe)
    lapic.mmioWrite(0x300, 4, 0x40005)
    lapic.mmioWrite(0x280, 4, 0)
    expect(lapic.mmioRead(0x280, 4)).toBe(0x20)
    expect(lapic.acknowledge()).toBe(0xfe)
  })

  it('software disable masks the local entries', () => {
    const { lapic } = ready()
    lapic.mmioWrite(0x320, 4, 0x40)
    lapic.mmioWrite(0xf0, 4, 0xff)
    expect(lapic.mmioRead(0x320, 4)).toBe(0x10040)
    lapic.mmioWrite(0x320, 4, 0x41)
    expect(lapic.mmioRead(0x320, 4)).toBe(0x10041)
  })
})
