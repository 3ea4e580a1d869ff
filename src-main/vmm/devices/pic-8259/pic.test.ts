import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { RecordingLine } from '../../testing/fake-clock'
import { Pic8259 } from './pic'

function ready(): { pic: Pic8259; intr: RecordingLine } {
  const intr = new RecordingLine()
  const pic = new Pic8259(intr)
  for (const [port, base, icw3] of [
    [0x20, 0x08, 4],
    [0xa0, 0x70, 2],
  ] as const) {
    pic.pioWrite(port, 1, 0x11)
    pic.pioWrite(port + 1, 1, base)
    pic.pioWrite(port + 1, 1, icw3)
    pic.pioWrite(port + 1, 1, 1)
    pic.pioWrite(port + 1, 1, 0)
  }
  return { pic, intr }
}

describeDevice(
  'pic-8259',
  () => ({ device: new Pic8259(new RecordingLine()) }),
  ({ device }) => {
    for (const claim of device.claims) if (claim.kind === 'pio') claim.handler.pioWrite(claim.first, 1, claim.name === 'elcr' ? 0xff : 0x11)
  },
)

describe('Pic8259', () => {
  it('delivers an edge once, and blocks lower priorities until EOI', () => {
    const { pic, intr } = ready()
    pic.pin(3).setLevel(true)
    expect(intr.level).toBe(true)
    expect(pic.acknowledge()).toBe(0x0b)
    pic.pin(4).setLevel(true)
    expect(pic.hasInterrupt).toBe(false)
    pic.pin(1).setLevel(true)
    expect(pic.acknowledge()).toBe(0x09)
    pic.pioWrite(0x20, 1, 0x20)
    pic.pioWrite(0x20, 1, 0x20)
    expect(pic.acknowledge()).toBe(0x0c)
    pic.pioWrite(0x20, 1, 0x64)
    expect(pic.hasInterrupt).toBe(false)
  })

  it('slave requests come through pin 2, with the slave vector', () => {
    const { pic } = ready()
    pic.pin(14).setLevel(true)
    pic.pin(8).setLevel(true)
    expect(pic.acknowledge()).toBe(0x70)
    pic.pioWrite(0xa0, 1, 0x20)
    pic.pioWrite(0x20, 1, 0x20)
    expect(pic.acknowledge()).toBe(0x76)
  })

  it('a level-triggered input requests again after EOI while it is high', () => {
    const { pic } = ready()
    pic.pioWrite(0x4d1, 1, 0x08)
    pic.pin(11).setLevel(true)
    expect(pic.acknowledge()).toBe(0x73)
    pic.pioWrite(0xa0, 1, 0x20)
    pic.pioWrite(0x20, 1, 0x20)
    expect(pic.hasInterrupt).toBe(true)
    pic.pin(11).setLevel(false)
    expect(pic.hasInterrupt).toBe(true)
    // The master's latched cascade edge ends as a spurious IRQ 15.
    expect(pic.acknowledge()).toBe(0x77)
    expect(pic.pioRead(0xa0)).toBe(0)
  })

  it('an acknowledge without request gives spurious IRQ 7', () => {
    const { pic } = ready()
    pic.pin(5).setLevel(true)
    pic.pioWrite(0x21, 1, 0x20)
    expect(pic.acknowledge()).toBe(0x0f)
    pic.pioWrite(0x20, 1, 0x0b)
    expect(pic.pioRead(0x20)).toBe(0)
  })

  it('polls, rotates and masks specially', () => {
    const { pic } = ready()
    pic.pin(6).setLevel(true)
    pic.pioWrite(0x20, 1, 0x0c)
    expect(pic.pioRead(0x20)).toBe(0x86)
    pic.pioWrite(0x20, 1, 0x68)
    pic.pioWrite(0x21, 1, 0x40)
    pic.pin(7).setLevel(true)
    expect(pic.acknowledge()).toBe(0x0f)
    pic.pioWrite(0x20, 1, 0xa0)
    pic.pioWrite(0x20, 1, 0x48)
    // 7 was rotated to the lowest priority.
    pic.pioWrite(0x21, 1, 0)
    pic.pin(7).setLevel(false)
    pic.pin(7).setLevel(true)
    pic.pin(0).setLevel(true)
    expect(pic.acknowledge()).toBe(0x08)
  })

  it('automatic EOI leaves nothing in service', () => {
    const { pic } = ready()
    pic.pioWrite(0x20, 1, 0x11)
    for (const value of [0x20, 4, 3, 0]) pic.pioWrite(0x21, 1, value)
    pic.pin(0).setLevel(true)
    expect(pic.acknowledge()).toBe(0x20)
    pic.pin(3).setLevel(true)
    expect(pic.acknowledge()).toBe(0x23)
  })
})
