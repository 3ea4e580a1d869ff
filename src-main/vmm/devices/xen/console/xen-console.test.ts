import { describe, expect, it } from 'vitest'
import { QueueCharBackend } from '../../../backends/chardev/char-backend'
import { GuestFrames } from '../../../paravirt/xen/guest-frames'
import { testMemory } from '../../../testing/virtio-driver'
import { XenConsole } from './xen-console'

const PAGE = 0
const OUTPUT = 1024
const [INPUT_CONSUMER, INPUT_PRODUCER, OUTPUT_CONSUMER, OUTPUT_PRODUCER] = [3072, 3076, 3080, 3084]

function make(): { frames: GuestFrames; terminal: QueueCharBackend; console: XenConsole; shown: () => string; events: () => number } {
  const got: number[] = []
  const terminal = new QueueCharBackend((byte) => got.push(byte))
  const frames = new GuestFrames(testMemory(0x200000, 0x1000), 1)
  const console = new XenConsole(frames, PAGE, terminal)
  let events = 0
  console.channel = { notify: () => events++ } as unknown as NonNullable<XenConsole['channel']>
  return { frames, terminal, console, shown: () => String.fromCharCode(...got), events: () => events }
}

describe('Xen console', () => {
  it('takes what the guest writes, over the end of the ring too', () => {
    const { frames, console, shown, events } = make()
    const start = 0xfffffffe
    frames.writeU32(PAGE, OUTPUT_CONSUMER, start)
    ;[...'wrap'].forEach((letter, i) => frames.writeU8(PAGE, OUTPUT + ((start + i) % 2048), letter.charCodeAt(0)))
    frames.writeU32(PAGE, OUTPUT_PRODUCER, (start + 4) >>> 0)
    console.work()
    expect(shown()).toBe('wrap')
    expect(frames.readU32(PAGE, OUTPUT_CONSUMER)).toBe(2)
    expect(events()).toBe(1)
    console.work()
    expect(events()).toBe(1)
  })

  it('gives the guest what fits, and the rest when it has read', () => {
    const { frames, terminal } = make()
    terminal.send(Buffer.alloc(1500, 'x'))
    expect(frames.readU32(PAGE, INPUT_PRODUCER)).toBe(1024)
    expect(terminal.pending).toBe(476)
    frames.writeU32(PAGE, INPUT_CONSUMER, 1000)
    terminal.onWritable?.()
    expect(frames.readU32(PAGE, INPUT_PRODUCER)).toBe(1500)
  })

  it('stands still when the indices make no sense', () => {
    const { frames, terminal, console, shown, events } = make()
    frames.writeU32(PAGE, OUTPUT_PRODUCER, 5000)
    frames.writeU32(PAGE, INPUT_PRODUCER, 5000)
    terminal.send([1])
    console.work()
    expect(shown()).toBe('')
    expect(events()).toBe(0)
  })
})
