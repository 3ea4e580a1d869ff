import { describe, expect, it } from 'vitest'
import { RecordingLine } from '../testing/fake-clock'
import { GsiRouting } from './gsi-routing'
import { invertedLine, pulse, SharedLine } from './shared-line'

describe('interrupt lines', () => {
  it('a shared line is high while any source is', () => {
    const target = new RecordingLine()
    const shared = new SharedLine(target)
    const [a, b] = [shared.source(), shared.source()]
    a.setLevel(true)
    a.setLevel(true)
    b.setLevel(true)
    a.setLevel(false)
    expect(target.changes).toEqual([true])
    b.setLevel(false)
    expect(target.changes).toEqual([true, false])
  })

  it('inverts and pulses', () => {
    const target = new RecordingLine()
    const line = invertedLine(target)
    expect(target.level).toBe(true)
    pulse(line)
    expect(target.changes).toEqual([true, false, true])
  })

  it('routes GSIs to both controllers, the timer to I/O APIC pin 2', () => {
    const pic = Array.from({ length: 16 }, () => new RecordingLine())
    const io = Array.from({ length: 24 }, () => new RecordingLine())
    const routing = new GsiRouting({ picPin: (pin) => pic[pin] ?? new RecordingLine(), ioApicPin: (pin) => io[pin] ?? new RecordingLine() })
    for (const gsi of [0, 4, 20, 99]) routing.line(gsi).setLevel(true)
    expect(pic.flatMap((line, pin) => (line.level ? [pin] : []))).toEqual([0, 4])
    expect(io.flatMap((line, pin) => (line.level ? [pin] : []))).toEqual([2, 4, 20])
  })
})
