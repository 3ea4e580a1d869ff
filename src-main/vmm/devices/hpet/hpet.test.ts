import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { Hpet } from './hpet'

function ready(): { hpet: Hpet; clock: FakeClock; gsi: Map<number, RecordingLine>; irq0: RecordingLine; legacy: boolean[] } {
  const clock = new FakeClock()
  const gsi = new Map<number, RecordingLine>()
  const irq0 = new RecordingLine()
  const legacy: boolean[] = []
  const gsiLine = (n: number): RecordingLine => {
    const line = new RecordingLine()
    gsi.set(n, line)
    return line
  }
  const hpet = new Hpet(clock, { gsiLine, legacyTimer: irq0, legacyRtc: new RecordingLine(), onLegacy: (on) => legacy.push(on) })
  return { hpet, clock, gsi, irq0, legacy }
}

describeDevice(
  'hpet',
  () => {
    const { hpet, clock } = ready()
    return { device: hpet, clock, moreClaims: [{ kind: 'mmio', name: 'registers', first: 0, last: 0x3ff, handler: hpet }] }
  },
  ({ device, clock }) => {
    if (!(device instanceof Hpet)) return
    device.mmioWrite(0x100, 4, 0x4c)
    device.mmioWrite(0x108, 4, 5000)
    device.mmioWrite(0x10, 4, 1)
    clock?.advance(123_456)
  },
)

describe('Hpet', () => {
  it('counts at 100 MHz while enabled', () => {
    const { hpet, clock } = ready()
    expect(hpet.mmioRead(0, 4)).toBe(0x8086a201)
    expect(hpet.mmioRead(4, 4)).toBe(10_000_000)
    clock.advance(1000)
    expect(hpet.mmioRead(0xf0, 4)).toBe(0)
    hpet.mmioWrite(0x10, 4, 1)
    clock.advance(1005)
    expect(hpet.mmioRead(0xf0, 4)).toBe(100)
    hpet.mmioWrite(0x10, 4, 0)
    clock.advance(1000)
    expect(hpet.mmioRead(0xf0, 4)).toBe(100)
  })

  it('one-shot on a GSI, edge', () => {
    const { hpet, clock, gsi } = ready()
    hpet.mmioWrite(0x120, 4, (20 << 9) | 4)
    hpet.mmioWrite(0x128, 4, 1000)
    hpet.mmioWrite(0x12c, 4, 0)
    hpet.mmioWrite(0x10, 4, 1)
    clock.advance(9_999)
    expect(gsi.get(20)?.rises ?? 0).toBe(0)
    clock.advance(1)
    expect(gsi.get(20)?.rises).toBe(1)
    clock.advance(1_000_000)
    expect(gsi.get(20)?.rises).toBe(1)
  })

  it('periodic with legacy replacement, as Linux programs it', () => {
    const { hpet, clock, irq0, legacy } = ready()
    hpet.mmioWrite(0x100, 4, 0x4 | 0x8 | 0x40 | 0x100)
    hpet.mmioWrite(0x108, 4, 100_000)
    hpet.mmioWrite(0x108, 4, 100_000)
    hpet.mmioWrite(0x10, 4, 3)
    expect(legacy).toEqual([true])
    clock.advance(10_000_000)
    expect(irq0.rises).toBe(10)
    clock.advance(100_000_000)
    expect(irq0.rises).toBe(110)
  })

  it('level-triggered until the status bit is cleared', () => {
    const { hpet, clock, gsi } = ready()
    hpet.mmioWrite(0x140, 4, (16 << 9) | 2 | 4)
    hpet.mmioWrite(0x148, 4, 100)
    hpet.mmioWrite(0x14c, 4, 0)
    hpet.mmioWrite(0x10, 4, 1)
    clock.advance(2000)
    expect(gsi.get(16)?.level).toBe(true)
    expect(hpet.mmioRead(0x20, 4)).toBe(4)
    hpet.mmioWrite(0x20, 4, 4)
    expect(gsi.get(16)?.level).toBe(false)
  })
})
