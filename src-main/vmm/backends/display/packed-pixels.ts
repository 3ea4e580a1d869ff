/**
 * Pixels on their way from a machine's thread to a window, losslessly run-length encoded: text and desktops are mostly runs of one colour, and every byte
 * on that way is copied between processes. What does not repeat is kept as it is, so that a photograph grows by one word a row at most.
 *
 * A stream of 32-bit words, rows from top to bottom. Each packet begins with a word: bit 31 says which kind, bits 30..0 how many pixels (1 or more).
 *   bit 31 clear: so many words follow, one pixel each.
 *   bit 31 set: one word follows, the colour of all of them.
 * No packet goes on in the next row. Pixels are words as in `Frame`.
 */
import type { Frame, Rect } from './frame'

const RUN = 0x80000000
const COUNT = 0x7fffffff
/** Shorter runs are not worth packets of their own: two words, and one more for the pixels after them. */
const MIN_RUN = 4
/** Fewer words are copied one by one: a view costs more than they do. */
const MIN_BLOCK = 32

/** Packs parts of frames. It keeps the memory it works in. */
export class PixelPacker {
  private words: Uint32Array = new Uint32Array(0)
  private at = 0

  /** `rect` lies inside the frame. The words are the caller's, in a buffer of their own. */
  pack({ pixels, width: stride }: Frame, { x, y, width, height }: Rect): Uint32Array<ArrayBuffer> {
    const most = height * (width + 1)
    if (this.words.length < most) this.words = new Uint32Array(most)
    this.at = 0
    for (let row = 0; row < height; row++) {
      const from = (y + row) * stride + x
      this.packRow(pixels, from, from + width)
    }
    return new Uint32Array(this.words.subarray(0, this.at))
  }

  private packRow(pixels: Uint32Array, from: number, end: number): void {
    const { words } = this
    let differentFrom = from
    let first = from
    while (first < end) {
      const colour = pixels[first] ?? 0
      let to = first + 1
      while (to < end && pixels[to] === colour) to++
      if (to - first >= MIN_RUN) {
        this.literal(pixels, differentFrom, first)
        words[this.at++] = RUN | (to - first)
        words[this.at++] = colour
        differentFrom = to
      }
      first = to
    }
    this.literal(pixels, differentFrom, end)
  }

  private literal(pixels: Uint32Array, from: number, to: number): void {
    if (from === to) return
    const { words } = this
    words[this.at++] = to - from
    if (to - from < MIN_BLOCK) for (let i = from; i < to; i++) words[this.at++] = pixels[i] ?? 0
    else {
      words.set(pixels.subarray(from, to), this.at)
      this.at += to - from
    }
  }
}

/** Draws packed pixels into a picture whose rows are `stride` pixels long. Words that make no sense draw nothing outside the rectangle's rows. */
export function unpackPixels(words: Uint32Array, pixels: Uint32Array, stride: number, { x, y, width, height }: Rect): void {
  let next = 0
  for (let row = 0; row < height; row++) {
    let at = (y + row) * stride + x
    const end = at + width
    while (at < end && next < words.length) {
      const header = words[next++] ?? 0
      const to = Math.min(end, at + (header & COUNT))
      if (header >= RUN) pixels.fill(words[next++] ?? 0, at, to)
      else {
        if (to - at < MIN_BLOCK) for (let i = at; i < to; i++) pixels[i] = words[next + i - at] ?? 0
        else pixels.set(words.subarray(next, next + to - at), at)
        next += to - at
      }
      at = to
    }
  }
}
