import { describe, expect, it } from 'vitest'
import { PixelPacker, unpackPixels, type FrameRect } from '../vmm'
import { KeptPicture } from './kept-picture'

const BLACK = 0xff000000

/** Numbers that look like chance and come again. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const drawn = (picture: KeptPicture): Uint32Array => {
  const pixels = new Uint32Array(picture.width * picture.height)
  for (const part of picture.everything()) unpackPixels(part.packed, pixels, picture.width, part)
  return pixels
}

describe('kept picture', () => {
  it('is what a plain frame buffer holds, however many parts came', () => {
    const random = chance(7)
    const picture = new KeptPicture()
    const packer = new PixelPacker()
    const [width, height] = [50, 20]
    const pixels = new Uint32Array(width * height).fill(BLACK)
    for (let step = 0; step < 400; step++) {
      const parts: FrameRect[] = Array.from({ length: 1 + random(3) }, () => {
        const whole = random(60) === 0
        const x = whole ? 0 : random(width)
        const y = whole ? 0 : random(height)
        const rect = { x, y, width: whole ? width : 1 + random(width - x), height: whole ? height : 1 + random(height - y) }
        const colours = 1 + random(40)
        for (let row = y; row < y + rect.height; row++) for (let column = x; column < x + rect.width; column++) pixels[row * width + column] = BLACK + random(colours)
        return { ...rect, packed: packer.pack({ width, height, pixels }, rect) }
      })
      picture.draw(width, height, parts)
      if (step % 7 === 0) expect(drawn(picture)).toEqual(pixels)
    }
  })

  it('of another size begins black', () => {
    const picture = new KeptPicture()
    expect(picture.everything()).toEqual([])
    picture.draw(2, 1, [{ x: 0, y: 0, width: 2, height: 1, packed: Uint32Array.of(2, 5, 6) }])
    picture.draw(3, 1, [{ x: 1, y: 0, width: 1, height: 1, packed: Uint32Array.of(1, 7) }])
    expect([...drawn(picture)]).toEqual([BLACK, 7, BLACK])
  })

  it('keeps no more than a picture and what changed since', () => {
    const picture = new KeptPicture()
    const packed = new Uint32Array(51).fill(1)
    packed[0] = 50
    for (let i = 0; i < 10_000; i++) picture.draw(50, 2, [{ x: 0, y: 0, width: 50, height: 1, packed }])
    expect(picture.everything().reduce((sum, part) => sum + part.packed.length, 0)).toBeLessThanOrEqual(102)
  })
})
