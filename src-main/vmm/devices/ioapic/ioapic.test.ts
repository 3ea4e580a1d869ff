import { describe, expect, it } from 'vitest'
import { ApicBus, type ApicAgent } from '../../irq/apic-bus'
import { describeDevice } from '../../testing/describe-device'
import { IoApic } from './ioapic'

function ready(): { io: IoApic; got: [number, number, boolean][] } {
  const bus = new ApicBus()
  const got: [number, number, boolean][] = []
  const agent: ApicAgent = {
    apicId: 0,
    processorPriority: 0,
    matchesLogical: (destination) => (destination & 1) !== 0,
    accept: (mode, vector, level) => got.push([mode, vector, level]),
  }
  bus.addAgent(agent)
  return { io: new IoApic(bus), got }
}

function set(io: IoApic, register: number, value: number): void {
  io.mmioWrite(0, 4, register)
  io.mmioWrite(0x10, 4, value)
}

function get(io: IoApic, register: number): number {
  io.mmioWrite(0, 4, register)
  return Number(io.mmioRead(0x10, 4))
}

describeDevice(
  'ioapic',
  () => ({ device: ready().io }),
  ({ device }) => {
    if (device instanceof IoApic) set(device, 0x12, 0x31)
  },
)

describe('IoApic', () => {
  it('identifies itself', () => {
    const { io } = ready()
    expect(get(io, 1)).toBe(0x00170020)
    expect(get(io, 0x10)).toBe(0x10000)
  })

  it('sends an edge once, and loses it while masked', () => {
    const { io, got } = ready()
    io.pin(4).setLevel(true)
    set(io, 0x18, 0x34)
    expect(got).toEqual([])
    io.pin(4).setLevel(false)
    io.pin(4).setLevel(true)
    expect(got).toEqual([[0, 0x34, false]])
  })

  it('sends a level until EOI found it low', () => {
    const { io, got } = ready()
    io.pin(11).setLevel(true)
    set(io, 0x26, 0x800b)
    expect(got.length).toBe(0 + 1)
    expect(get(io, 0x26) & 0x4000).toBe(0x4000)
    io.endOfInterrupt(0x0b)
    expect(got.length).toBe(2)
    io.pin(11).setLevel(false)
    io.endOfInterrupt(0x0b)
    expect(got.length).toBe(2)
    expect(get(io, 0x26) & 0x4000).toBe(0)
  })

  it('reaches logical destinations', () => {
    const { io, got } = ready()
    set(io, 0x13, 0x02000000)
    set(io, 0x12, 0x841)
    io.pin(1).setLevel(true)
    expect(got).toEqual([])
    set(io, 0x13, 0x03000000)
    io.pin(1).setLevel(false)
    io.pin(1).setLevel(true)
    expect(got).toEqual([[0, 0x41, false]])
  })
})
