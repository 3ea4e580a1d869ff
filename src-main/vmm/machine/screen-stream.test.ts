import { describe, expect, it } from 'vitest'
import type { DisplayBackend } from '../backends/display/display-backend'
import { unpackPixels } from '../backends/display/packed-pixels'
import type { Machine } from './machine'
import type { Frame } from './protocol'
import { ScreenStream } from './screen-stream'

function fixture() {
  const sent: Frame[] = []
  let display: DisplayBackend | undefined
  let now = 0
  let refresh = (_display: DisplayBackend): void => undefined
  const board = {
    connectDisplay: (backend: DisplayBackend) => (display = backend),
    refreshDisplay: () => display && refresh(display),
  }
  const stream = new ScreenStream({ now: () => now, parts: { board } } as unknown as Machine, (frame) => sent.push(frame))
  return { sent, stream, at: (ms: number) => (now = ms * 1e6), draws: (how: typeof refresh) => (refresh = how) }
}

describe('screen stream', () => {
  it('what is sent is the frame buffer, rectangle by rectangle', () => {
    const { sent, stream, draws } = fixture()
    const pixels = Uint32Array.from({ length: 12 }, (_, i) => 0xff000000 + (i >> 1))
    draws((display) => {
      display.resize(4, 3)
      display.update([{ x: 0, y: 0, width: 4, height: 2 }, { x: 1, y: 2, width: 2, height: 1 }], { width: 4, height: 3, pixels })
    })
    stream.turn()
    const seen = new Uint32Array(12)
    for (const rect of sent[0]?.rects ?? []) unpackPixels(rect.packed, seen, 4, rect)
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ width: 4, height: 3 })
    expect(seen.subarray(0, 8)).toEqual(pixels.subarray(0, 8))
    expect([...seen.subarray(8)]).toEqual([0, pixels[9], pixels[10], 0])
  })

  it('draws sixty times a second at most, with two frames under way at most, and once more at the end', () => {
    const { sent, stream, at, draws } = fixture()
    draws((display) => {
      display.resize(1, 1)
      display.update([{ x: 0, y: 0, width: 1, height: 1 }], { width: 1, height: 1, pixels: Uint32Array.of(1) })
    })
    for (const ms of [0, 1, 15, 16, 20, 40, 60]) {
      at(ms)
      stream.turn()
    }
    expect(sent).toHaveLength(2)
    stream.shown()
    stream.turn()
    expect(sent).toHaveLength(3)
    stream.finish()
    expect(sent).toHaveLength(4)
  })
})
