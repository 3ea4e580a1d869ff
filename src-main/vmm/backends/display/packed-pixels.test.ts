import { describe, expect, it } from 'vitest'
import { PixelPacker, unpackPixels } from './packed-pixels'
import type { Frame, Rect } from './frame'

const RUN = 0x80000000

/** Numbers that look like chance and come again. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The clear path: pixel by pixel. */
function copy(from: Frame, to: Uint32Array, rect: Rect): void {
  for (let y = rect.y; y < rect.y + rect.height; y++) for (let x = rect.x; x < rect.x + rect.width; x++) to[y * from.width + x] = from.pixels[y * from.width + x] ?? 0
}

describe('packed pixels', () => {
  it('runs and different pixels, row by row', () => {
    const frame = { width: 6, height: 2, pixels: Uint32Array.of(1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3) }
    expect([...new PixelPacker().pack(frame, { x: 0, y: 0, width: 6, height: 2 })]).toEqual([RUN + 4, 1, 2, 2, 3, RUN + 6, 3])
    expect([...new PixelPacker().pack(frame, { x: 1, y: 0, width: 3, height: 1 })]).toEqual([3, 1, 1, 1])
  })

  it('come out as they went in: everything from one colour to noise, any rectangle, nothing beside it', () => {
    const packer = new PixelPacker()
    const random = chance(1)
    for (let round = 0; round < 300; round++) {
      const [width, height] = [1 + random(200), 1 + random(12)]
      const [colours, length] = [1 + random(5) ** 5, 1 + random(60)]
      const pixels = new Uint32Array(width * height)
      for (let i = 0; i < pixels.length; ) {
        const colour = 0xff000000 + random(colours)
        for (let left = 1 + random(length); left > 0 && i < pixels.length; left--) pixels[i++] = colour
      }
      const [x, y] = [random(width), random(height)]
      const rect = { x, y, width: 1 + random(width - x), height: 1 + random(height - y) }
      const packed = packer.pack({ width, height, pixels }, rect)
      expect(packed.length).toBeLessThanOrEqual(rect.height * (rect.width + 1))
      expect(packed.buffer.byteLength).toBe(packed.byteLength)
      const expected = new Uint32Array(pixels.length).fill(7)
      const got = expected.slice()
      copy({ width, height, pixels }, expected, rect)
      unpackPixels(packed, got, width, rect)
      expect(got).toEqual(expected)
    }
  })

  it('words that make no sense stay inside the rectangle', () => {
    const pixels = new Uint32Array(40)
    for (const words of [[], [0], [0, 0, 0], [RUN], [RUN + 0x7fffffff, 9], [0x7fffffff, 9, 9], [0xffffffff, 9, 0x7fffffff]]) unpackPixels(Uint32Array.from(words), pixels, 10, { x: 2, y: 1, width: 3, height: 2 })
    expect([...pixels].flatMap((pixel, i) => (pixel === 0 ? [] : [i])).every((i) => i % 10 >= 2 && i % 10 < 5 && i >= 10 && i < 30)).toBe(true)
  })
})
