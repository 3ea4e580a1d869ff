import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { Pit8254 } from './pit'

function ready(): { pit: Pit8254; clock: FakeClock; irq: RecordingLine } {
  const clock = new FakeClock()
  const irq = new RecordingLine()
  return { pit: new Pit8254(clock, irq), clock, irq }
}

const MS = 1_000_000

describeDevice(
  'pit-8254',
  () => {
    const { pit, clock } = ready()
    return { device: pit, clock }
  },
  ({ device, clock }) => {
    const claim = device.claims[0]
    if (claim?.kind !== 'pio') return
    claim.handler.pioWrite(0x43, 1, 0x34)
    claim.handler.pioWrite(0x40, 1, 0x9c)
    claim.handler.pioWrite(0x40, 1, 0x2e)
    clock?.advance(123_456)
    claim.handler.pioWrite(0x43, 1, 0xc2)
  },
)

describe('Pit8254', () => {
  it('mode 2 interrupts at its rate without drift', () => {
    const { pit, clock, irq } = ready()
    pit.pioWrite(0x43, 1, 0x34)
    const before = irq.rises
    pit.pioWrite(0x40, 1, 11932 & 0xff)
    pit.pioWrite(0x40, 1, 11932 >> 8)
    clock.advance(1000 * MS)
    expect(irq.rises - before).toBe(99)
    clock.advance(9000 * MS)
    expect(irq.rises - before).toBe(999)
  })

  it('mode 0 interrupts once', () => {
    const { pit, clock, irq } = ready()
    pit.pioWrite(0x43, 1, 0x30)
    pit.pioWrite(0x40, 1, 0xa9)
    pit.pioWrite(0x40, 1, 0x04)
    expect(irq.level).toBe(false)
    clock.advance(0.9 * MS)
    expect(irq.level).toBe(false)
    clock.advance(0.2 * MS)
    expect(irq.level).toBe(true)
    clock.advance(1000 * MS)
    expect(irq.rises).toBe(1)
  })

  it('channel 2 counts while its gate is high and shows its output in port 61h', () => {
    const { pit, clock } = ready()
    pit.pioWrite(0x61, 1, 0)
    pit.pioWrite(0x43, 1, 0xb0)
    pit.pioWrite(0x42, 1, 0xff)
    pit.pioWrite(0x42, 1, 0xff)
    clock.advance(100 * MS)
    expect(Number(pit.pioRead(0x61)) & 0x20).toBe(0)
    pit.pioWrite(0x61, 1, 1)
    clock.advance(54 * MS)
    expect(Number(pit.pioRead(0x61)) & 0x20).toBe(0)
    clock.advance(1 * MS)
    expect(Number(pit.pioRead(0x61)) & 0x20).toBe(0x20)
  })

  it('latches count and status until read', () => {
    const { pit, clock } = ready()
    pit.pioWrite(0x43, 1, 0x34)
    pit.pioWrite(0x40, 1, 0)
    pit.pioWrite(0x40, 1, 0)
    clock.advance(10 * MS)
    pit.pioWrite(0x43, 1, 0xc2)
    clock.advance(10 * MS)
    expect(pit.pioRead(0x40)).toBe(0x80 | 0x34)
    const count = Number(pit.pioRead(0x40)) | (Number(pit.pioRead(0x40)) << 8)
    expect(count).toBe(65536 - 11931)
  })

  it('counts in BCD', () => {
    const { pit, clock } = ready()
    pit.pioWrite(0x43, 1, 0x31)
    pit.pioWrite(0x40, 1, 0x00)
    pit.pioWrite(0x40, 1, 0x50)
    clock.advance(MS)
    pit.pioWrite(0x43, 1, 0x00)
    const count = Number(pit.pioRead(0x40)) | (Number(pit.pioRead(0x40)) << 8)
    expect(count.toString(16)).toBe(String(5000 - 1193))
  })

  it('mode 3 is high for the first half', () => {
    const { pit, clock } = ready()
    pit.pioWrite(0x43, 1, 0xb6)
    pit.pioWrite(0x42, 1, 0)
    pit.pioWrite(0x42, 1, 0)
    pit.pioWrite(0x61, 1, 3)
    clock.advance(27 * MS)
    expect(Number(pit.pioRead(0x61)) & 0x20).toBe(0x20)
    clock.advance(1 * MS)
    expect(Number(pit.pioRead(0x61)) & 0x20).toBe(0)
    expect(pit.speaker.hz).toBeCloseTo(18.2, 1)
  })

  it('mode 2 takes a new count at the end of the period', () => {
    const { pit, clock, irq } = ready()
    pit.pioWrite(0x43, 1, 0x34)
    pit.pioWrite(0x40, 1, 0xa9)
    pit.pioWrite(0x40, 1, 0x04)
    const before = irq.rises
    clock.advance(0.5 * MS)
    pit.pioWrite(0x40, 1, 0x52)
    pit.pioWrite(0x40, 1, 0x09)
    clock.advance(0.6 * MS)
    expect(irq.rises - before).toBe(1)
    clock.advance(1.8 * MS)
    expect(irq.rises - before).toBe(1)
    clock.advance(0.2 * MS)
    expect(irq.rises - before).toBe(2)
  })
})
