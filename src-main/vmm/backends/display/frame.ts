/** A picture: one 32-bit word per pixel, bytes R, G, B, A in memory (all hosts of Vitrine are little-endian). Rows are contiguous. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly pixels: Uint32Array
}

/** A part of a frame, in pixels. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export function createFrame(width: number, height: number): Frame {
  return { width, height, pixels: new Uint32Array(width * height).fill(rgba(0, 0, 0)) }
}

/** The frame's bytes: R, G, B, A for each pixel. A view, not a copy. */
export function frameBytes(frame: Frame): Uint8Array {
  return new Uint8Array(frame.pixels.buffer, frame.pixels.byteOffset, frame.pixels.byteLength)
}

export function rgba(red: number, green: number, blue: number): number {
  return (red | (green << 8) | (blue << 16) | 0xff000000) >>> 0
}
