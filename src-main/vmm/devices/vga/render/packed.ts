/** VBE modes of the Bochs interface: lines of video memory to pixels. All formats are little-endian, blue lowest. */
import { rgba, type Frame } from '../../../backends/display/frame'
import type { DispiMode } from '../dispi'

/** Renders lines [first, last] of the mode. */
export function renderPacked(frame: Frame, mode: DispiMode, vram: Uint8Array, palette: Uint32Array, colours4: Uint8Array, first: number, last: number): void {
  const draw = lineOf(mode.bpp)
  for (let y = first; y <= last; y++) {
    draw(frame.pixels, y * frame.width, frame.width, vram, (mode.yOffset + y) * mode.lineBytes, mode.xOffset, palette, colours4)
  }
}

/** `line` is the byte (of a plane, for 4 bpp) where the line begins; `x0` the first pixel of it that is shown. */
type Line = (
  out: Uint32Array,
  at: number,
  width: number,
  vram: Uint8Array,
  line: number,
  x0: number,
  palette: Uint32Array,
  colours4: Uint8Array,
) => void

function lineOf(bpp: DispiMode['bpp']): Line {
  switch (bpp) {
    case 4:
      return line4
    case 8:
      return line8
    case 15:
      return line15
    case 16:
      return line16
    case 24:
      return line24
    case 32:
      return line32
  }
}

const line4: Line = (out, at, width, vram, line, x0, palette, colours4) => {
  for (let x = x0; x < x0 + width; x++) {
    const word = (line + (x >> 3)) * 4
    const shift = 7 - (x & 7)
    let dot = 0
    for (let plane = 0; plane < 4; plane++) dot |= (((vram[word + plane] ?? 0) >> shift) & 1) << plane
    out[at++] = palette[colours4[dot] ?? 0] ?? 0
  }
}

const line8: Line = (out, at, width, vram, line, x0, palette) => {
  for (let i = line + x0; i < line + x0 + width; i++) out[at++] = palette[vram[i] ?? 0] ?? 0
}

/** All 65,536 colours of the two 16-bit formats, made when first used. */
const colours15 = lazily(() => Uint32Array.from({ length: 0x10000 }, (_, pixel) => rgba(five(pixel >> 10), five(pixel >> 5), five(pixel))))
const colours16 = lazily(() =>
  Uint32Array.from({ length: 0x10000 }, (_, pixel) => {
    const green = (pixel >> 5) & 0x3f
    return rgba(five(pixel >> 11), (green << 2) | (green >> 4), five(pixel))
  }),
)

const line15: Line = (out, at, width, vram, line, x0) => line16Bit(out, at, width, vram, line + x0 * 2, colours15())
const line16: Line = (out, at, width, vram, line, x0) => line16Bit(out, at, width, vram, line + x0 * 2, colours16())

function line16Bit(out: Uint32Array, at: number, width: number, vram: Uint8Array, from: number, colours: Uint32Array): void {
  for (let x = 0; x < width; x++, from += 2) out[at++] = colours[(vram[from] ?? 0) | ((vram[from + 1] ?? 0) << 8)] ?? 0
}

const line24: Line = (out, at, width, vram, line, x0) => {
  let from = line + x0 * 3
  for (let x = 0; x < width; x++, from += 3) out[at++] = rgba(vram[from + 2] ?? 0, vram[from + 1] ?? 0, vram[from] ?? 0)
}

/** Lines of 32-bit pixels begin at multiples of four bytes: whole words can be taken, red and blue changing places. */
const line32: Line = (out, at, width, vram, line, x0) => {
  const from = line + x0 * 4
  const words = new Uint32Array(vram.buffer, vram.byteOffset + from, Math.min(width, (vram.length - from) >>> 2))
  for (const pixel of words) out[at++] = 0xff000000 | ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >>> 16) & 0xff)
}

function lazily(make: () => Uint32Array): () => Uint32Array {
  let made: Uint32Array | undefined
  return () => (made ??= make())
}

function five(value: number): number {
  const level = value & 0x1f
  return (level << 3) | (level >> 2)
}
