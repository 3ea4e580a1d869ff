import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unpackPixels } from '../vmm'
import { ConsoleStream, SerialStream, type StreamPort } from './ports'
import type { ConsoleDown, SerialDown } from './contract'

class FakePort<Down> implements StreamPort<Down> {
  readonly posted: Down[] = []
  closed = false
  private message: (message: unknown) => void = () => undefined
  private ended: () => void = () => undefined
  post(message: Down): void {
    this.posted.push(message)
  }
  onMessage(listener: (message: unknown) => void): void {
    this.message = listener
  }
  onClose(listener: () => void): void {
    this.ended = listener
  }
  close(): void {
    this.closed = true
    this.ended()
  }
  say(message: unknown): void {
    this.message(message)
  }
}

const rect = (x: number, y: number, width: number, height: number, value: number) => ({ x, y, width, height, packed: new Uint32Array(Array.from({ length: height }, () => [RUN | width, value]).flat()) })
const RUN = 0x80000000
const rectsOf = (message: ConsoleDown | undefined) => (message?.kind === 'frame' ? message.rects : [])
/** What a window shows that got these frames. */
const shown = (messages: readonly ConsoleDown[]): number[] => {
  const pixels = new Uint32Array(8)
  for (const part of messages.flatMap(rectsOf)) unpackPixels(part.packed, pixels, 4, part)
  return [...pixels]
}
const frame = (...rects: ReturnType<typeof rect>[]) => ({ width: 4, height: 2, rects })

describe('console stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function fixture() {
    const log: unknown[] = []
    const stream = new ConsoleStream({ frameShown: () => log.push('shown'), key: (...event) => log.push(event), mouse: (...event) => log.push(event) })
    return { log, stream, port: new FakePort<ConsoleDown>() }
  }

  it('asks the machine for the next frame when the last one has been shown', () => {
    const { log, stream, port } = fixture()
    stream.connect(port)
    stream.push(frame(rect(0, 0, 4, 2, 7)))
    expect(port.posted).toHaveLength(1)
    expect(log).toEqual([])
    port.say({ kind: 'shown' })
    expect(log).toEqual(['shown'])
  })

  it('without a window the machine draws a frame a second, and a window that opens gets the whole picture', () => {
    const { log, stream, port } = fixture()
    stream.push(frame(rect(0, 0, 4, 2, 1)))
    stream.push(frame(rect(1, 1, 2, 1, 9)))
    expect(log).toEqual([])
    vi.advanceTimersByTime(1000)
    expect(log).toEqual(['shown'])
    stream.connect(port)
    expect(port.posted).toHaveLength(1)
    expect(port.posted[0]).toMatchObject({ width: 4, height: 2 })
    expect(shown(port.posted)).toEqual([1, 1, 1, 1, 1, 9, 9, 1])
    vi.advanceTimersByTime(5000)
    expect(log).toEqual(['shown'])
  })

  it('a window that opens lets the machine draw at once what it did not draw for nobody', () => {
    const { log, stream, port } = fixture()
    stream.push(frame(rect(0, 0, 4, 2, 1)))
    stream.connect(port)
    expect(log).toEqual(['shown'])
    vi.advanceTimersByTime(5000)
    expect(log).toEqual(['shown'])
  })

  it('two frames are under way at most; what changes meanwhile follows when one has been shown', () => {
    const { log, stream, port } = fixture()
    stream.connect(port)
    stream.push(frame(rect(0, 0, 4, 2, 1)))
    stream.push(frame(rect(0, 0, 1, 1, 2)))
    stream.push(frame(rect(0, 0, 1, 1, 3)))
    stream.push(frame(rect(1, 0, 1, 1, 4)))
    stream.push(frame(rect(0, 0, 1, 1, 5)))
    expect(port.posted).toHaveLength(2)
    expect(log).toEqual([])
    port.say({ kind: 'shown' })
    expect(shown(port.posted)).toEqual([5, 4, 1, 1, 1, 1, 1, 1])
    expect(log).toEqual(['shown'])
    port.say({ kind: 'shown' })
    expect(port.posted).toHaveLength(3)
    expect(log).toEqual(['shown'])
  })

  it('all of a screen that waits makes what waited before needless, and is sent as it came', () => {
    const { stream, port } = fixture()
    stream.connect(port)
    for (const value of [1, 2]) stream.push(frame(rect(0, 0, 1, 1, value)))
    stream.push(frame(rect(0, 0, 1, 1, 3)))
    const whole = rect(0, 0, 4, 2, 4)
    stream.push(frame(whole))
    port.say({ kind: 'shown' })
    const rects = rectsOf(port.posted[2])
    expect(rects).toHaveLength(1)
    expect(rects[0]?.packed).toBe(whole.packed)
  })

  it('when more waits than the whole screen is, the whole screen is sent', () => {
    const { stream, port } = fixture()
    stream.connect(port)
    stream.push(frame(rect(0, 0, 4, 2, 1)))
    stream.push(frame(rect(0, 0, 1, 1, 2)))
    for (let i = 0; i < 200; i++) stream.push(frame(rect(i % 4, 1, 1, 1, i)))
    port.say({ kind: 'shown' })
    expect(rectsOf(port.posted[2])).toHaveLength(1)
    expect(shown(port.posted)).toEqual([2, 1, 1, 1, 196, 197, 198, 199])
  })

  it('what waits for a screen of the old size is void', () => {
    const { stream, port } = fixture()
    stream.connect(port)
    for (const value of [1, 2, 3]) stream.push(frame(rect(0, 0, 4, 2, value)))
    stream.push({ width: 1, height: 1, rects: [rect(0, 0, 1, 1, 7)] })
    port.say({ kind: 'shown' })
    expect(port.posted[2]).toEqual({ kind: 'frame', width: 1, height: 1, rects: [rect(0, 0, 1, 1, 7)] })
  })

  it('a window that closes lets the machine go on; a port that is replaced is closed', () => {
    const { log, stream, port } = fixture()
    stream.connect(port)
    stream.push(frame(rect(0, 0, 4, 2, 1)))
    const second = new FakePort<ConsoleDown>()
    stream.connect(second)
    expect(port.posted.at(-1)).toEqual({ kind: 'taken-over' })
    expect(port.closed).toBe(true)
    expect(second.posted).toHaveLength(1)
    second.close()
    expect(log).toEqual(['shown'])
  })

  it('passes keys and the mouse on, and nothing else', () => {
    const { log, stream, port } = fixture()
    stream.connect(port)
    port.say({ kind: 'key', code: 'KeyA', pressed: true })
    port.say({ kind: 'mouse', dx: 1, dy: -2, dz: 0, buttons: 1 })
    port.say({ kind: 'power-off' })
    port.say({ kind: 'key', code: 5, pressed: true })
    expect(log).toEqual([['KeyA', true], [1, -2, 0, 1]])
  })
})

describe('serial stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function fixture() {
    const taken: number[] = []
    const input: number[] = []
    const stream = new SerialStream({ serial: (bytes) => input.push(...bytes), taken: (bytes) => taken.push(bytes), sendBreak: () => input.push(-1) })
    return { taken, input, stream, port: new FakePort<SerialDown>() }
  }

  it('collects output for a moment and tells the machine what has been taken', () => {
    const { taken, stream, port } = fixture()
    stream.connect(port)
    stream.push(Uint8Array.of(1, 2))
    stream.push(Uint8Array.of(3))
    vi.advanceTimersByTime(20)
    expect(port.posted).toEqual([{ kind: 'output', bytes: Uint8Array.of(1, 2, 3) }])
    expect(taken).toEqual([])
    port.say({ kind: 'taken', bytes: 2 })
    port.say({ kind: 'taken', bytes: 1000 })
    expect(taken).toEqual([2, 1])
  })

  it('shows a window that opens later what was written, without counting it twice', () => {
    const { taken, stream, port } = fixture()
    stream.push(Uint8Array.of(1, 2, 3))
    expect(taken).toEqual([3])
    stream.connect(port)
    expect(port.posted).toEqual([{ kind: 'output', bytes: Uint8Array.of(1, 2, 3) }])
    port.say({ kind: 'taken', bytes: 3 })
    expect(taken).toEqual([3])
  })

  it('keeps no more than the output of late', () => {
    const { stream, port } = fixture()
    for (let i = 0; i < 100; i++) stream.push(new Uint8Array(1 << 14))
    stream.connect(port)
    const [first] = port.posted
    expect(first?.kind === 'output' ? first.bytes.length : 0).toBeLessThan((1 << 18) + (1 << 14))
  })

  it('starts empty with a new machine', () => {
    const { taken, stream, port } = fixture()
    stream.connect(port)
    stream.push(Uint8Array.of(1))
    stream.restart()
    vi.advanceTimersByTime(20)
    expect(port.posted).toEqual([{ kind: 'cleared' }])
    port.say({ kind: 'taken', bytes: 1 })
    expect(taken).toEqual([])
  })

  it('passes input on, in pieces of bounded length', () => {
    const { input, stream, port } = fixture()
    stream.connect(port)
    port.say({ kind: 'input', bytes: Uint8Array.of(104, 105) })
    port.say({ kind: 'input', bytes: new Uint8Array(1 << 20) })
    expect(input).toEqual([104, 105])
  })

  it('passes breaks on', () => {
    const { taken, input, stream, port } = fixture()
    stream.connect(port)
    port.say({ kind: 'break' })
    expect(input).toEqual([-1])
    expect(taken).toEqual([])
  })

  it('tells a window that another shows it now; what that one had not taken is not waited for', () => {
    const { taken, stream, port } = fixture()
    stream.connect(port)
    stream.push(Uint8Array.of(1, 2))
    vi.advanceTimersByTime(20)
    const second = new FakePort<SerialDown>()
    stream.connect(second)
    expect(port.posted.at(-1)).toEqual({ kind: 'taken-over' })
    expect(port.closed).toBe(true)
    expect(taken).toEqual([2])
    expect(second.posted).toEqual([{ kind: 'output', bytes: Uint8Array.of(1, 2) }])
    port.say({ kind: 'taken', bytes: 2 })
    expect(taken).toEqual([2])
  })
})
