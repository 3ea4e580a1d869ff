import { describe, expect, it } from 'vitest'
import { QueueCharBackend } from '../../backends/chardev/char-backend'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { Uart16550 } from './uart'

function ready(): { uart: Uart16550; clock: FakeClock; irq: RecordingLine; sent: number[]; backend: QueueCharBackend } {
  const clock = new FakeClock()
  const irq = new RecordingLine()
  const sent: number[] = []
  const backend = new QueueCharBackend((byte) => sent.push(byte))
  const uart = new Uart16550(clock, irq, backend, { index: 0, basePort: 0x3f8 })
  return { uart, clock, irq, sent, backend }
}

describeDevice(
  'uart-16550',
  () => {
    const { uart, clock } = ready()
    return { device: uart, clock }
  },
  ({ device }) => {
    const claim = device.claims[0]
    if (claim?.kind !== 'pio') return
    for (const [port, value] of [
      [0x3fa, 0xc1],
      [0x3fc, 0x1b],
      [0x3f9, 0x0f],
      [0x3f8, 0x55],
    ] as const)
      claim.handler.pioWrite(port, 1, value)
  },
)

describe('Uart16550', () => {
  it('sends at once, and is busy for a while', () => {
    const { uart, clock, sent } = ready()
    expect(uart.pioRead(0x3fd)).toBe(0x60)
    uart.pioWrite(0x3f8, 1, 0x41)
    uart.pioWrite(0x3f8, 1, 0x42)
    expect(sent).toEqual([0x41, 0x42])
    expect(uart.pioRead(0x3fd)).toBe(0)
    clock.advance(4000)
    expect(uart.pioRead(0x3fd)).toBe(0x20)
    clock.advance(4000)
    expect(uart.pioRead(0x3fd)).toBe(0x60)
  })

  it('raises the transmitter-empty interrupt on enabling and after each batch; reading IIR clears it', () => {
    const { uart, clock, irq } = ready()
    uart.pioWrite(0x3fc, 1, 0x0b)
    uart.pioWrite(0x3f9, 1, 0x02)
    expect(irq.level).toBe(true)
    expect(uart.pioRead(0x3fa)).toBe(0x02)
    expect(irq.level).toBe(false)
    expect(uart.pioRead(0x3fa)).toBe(0x01)
    for (let i = 0; i < 16; i++) uart.pioWrite(0x3f8, 1, i)
    expect(irq.level).toBe(false)
    clock.advance(100_000)
    expect(irq.level).toBe(true)
    expect(irq.rises).toBe(2)
  })

  it('interrupts without OUT2 stay inside', () => {
    const { uart, irq } = ready()
    uart.pioWrite(0x3f9, 1, 0x02)
    expect(irq.level).toBe(false)
    uart.pioWrite(0x3fc, 1, 0x08)
    expect(irq.level).toBe(true)
  })

  it('receives with trigger level and timeout, and leaves the rest with the backend', () => {
    const { uart, clock, irq, backend } = ready()
    uart.pioWrite(0x3fa, 1, 0x81)
    uart.pioWrite(0x3fc, 1, 0x0b)
    uart.pioWrite(0x3f9, 1, 0x01)
    backend.send([1, 2, 3])
    expect(irq.level).toBe(false)
    clock.advance(100_000)
    expect(uart.pioRead(0x3fa)).toBe(0xcc)
    for (const expected of [1, 2, 3]) expect(uart.pioRead(0x3f8)).toBe(expected)
    expect(irq.level).toBe(false)
    backend.send(Array.from({ length: 20 }, (_, i) => i))
    expect(uart.pioRead(0x3fa)).toBe(0xc4)
    expect(backend.pending).toBe(4)
    for (let i = 0; i < 20; i++) {
      expect(uart.pioRead(0x3fd)).toBe(0x61)
      expect(uart.pioRead(0x3f8)).toBe(i)
    }
    expect(uart.pioRead(0x3fd)).toBe(0x60)
  })

  it('loops back data and modem lines', () => {
    const { uart, sent } = ready()
    uart.pioWrite(0x3fc, 1, 0x1a)
    expect(Number(uart.pioRead(0x3fe)) & 0xf0).toBe(0x90)
    uart.pioWrite(0x3f8, 1, 0xae)
    expect(sent).toEqual([])
    expect(uart.pioRead(0x3f8)).toBe(0xae)
  })

  it('holds bytes for a backend without room, and reports itself busy', () => {
    const { uart, clock, backend, sent } = ready()
    let room = false
    const accept = backend.write.bind(backend)
    backend.write = (byte: number): boolean => room && accept(byte)
    uart.pioWrite(0x3f8, 1, 0x58)
    clock.advance(1_000_000)
    expect(uart.pioRead(0x3fd)).toBe(0)
    room = true
    backend.onWritable?.()
    expect(sent).toEqual([0x58])
    expect(uart.pioRead(0x3fd)).toBe(0x60)
  })

  it('shows a break with its character, and has a line status interrupt for it', () => {
    const { uart, irq, backend } = ready()
    uart.pioWrite(0x3fa, 1, 0x01)
    uart.pioWrite(0x3fc, 1, 0x0b)
    uart.pioWrite(0x3f9, 1, 0x05)
    backend.send([0x61])
    backend.sendBreak()
    backend.send([0x62])
    expect(uart.pioRead(0x3fa)).toBe(0xc4)
    expect(uart.pioRead(0x3fd)).toBe(0xe1) // data, and an error further down
    expect(uart.pioRead(0x3f8)).toBe(0x61)
    expect(irq.level).toBe(true)
    expect(uart.pioRead(0x3fa)).toBe(0xc6)
    expect(uart.pioRead(0x3fd)).toBe(0xf1)
    expect(uart.pioRead(0x3fd)).toBe(0x61) // reading has cleared it
    expect(uart.pioRead(0x3f8)).toBe(0)
    expect(uart.pioRead(0x3f8)).toBe(0x62)
    expect(uart.pioRead(0x3fd)).toBe(0x60)
  })

  it('tells a 16550A from lesser chips', () => {
    const { uart } = ready()
    expect(uart.pioRead(0x3fa)).toBe(0x01)
    uart.pioWrite(0x3fa, 1, 0x01)
    expect(uart.pioRead(0x3fa)).toBe(0xc1)
    uart.pioWrite(0x3ff, 1, 0xa5)
    expect(uart.pioRead(0x3ff)).toBe(0xa5)
  })
})
