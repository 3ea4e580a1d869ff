/** A PNG encoder for screenshots: 8-bit RGB, filter "up". PNG Specification (Second Edition), sections 5, 9 and 11. */
import * as zlib from 'node:zlib'
import type { Frame } from './frame'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const FILTER_UP = 2
const COLOUR_RGB = 2

/** The frame as a PNG file. Alpha is left out: a screen is opaque. */
export function encodePng(frame: Frame): Uint8Array {
  const { width, height, pixels } = frame
  const stride = width * 3 + 1
  const rows = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    let at = y * stride
    rows[at++] = FILTER_UP
    for (let x = 0; x < width; x++) {
      const pixel = pixels[y * width + x] ?? 0
      const above = y === 0 ? 0 : (pixels[(y - 1) * width + x] ?? 0)
      rows[at++] = pixel - above
      rows[at++] = (pixel >>> 8) - (above >>> 8)
      rows[at++] = (pixel >>> 16) - (above >>> 16)
    }
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header[8] = 8
  header[9] = COLOUR_RGB
  return join([SIGNATURE, chunk('IHDR', header), chunk('IDAT', zlib.deflateSync(rows, { level: 6 })), chunk('IEND', new Uint8Array(0))])
}

/** The same picture, smaller, when it is wider than `maxWidth`: each pixel is the mean of those that it stands for. */
export function shrinkFrame(frame: Frame, maxWidth: number): Frame {
  const { width, height, pixels } = frame
  if (width <= maxWidth || maxWidth < 1) return frame
  const small = { width: maxWidth, height: Math.max(1, Math.round((height * maxWidth) / width)) }
  const out = new Uint32Array(small.width * small.height)
  for (let y = 0; y < small.height; y++) {
    const top = Math.floor((y * height) / small.height)
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / small.height))
    for (let x = 0; x < small.width; x++) {
      const left = Math.floor((x * width) / small.width)
      const right = Math.max(left + 1, Math.floor(((x + 1) * width) / small.width))
      let red = 0
      let green = 0
      let blue = 0
      for (let row = top; row < bottom; row++) {
        for (let at = row * width + left; at < row * width + right; at++) {
          const pixel = pixels[at] ?? 0
          red += pixel & 0xff
          green += (pixel >>> 8) & 0xff
          blue += (pixel >>> 16) & 0xff
        }
      }
      const count = (bottom - top) * (right - left)
      out[y * small.width + x] = (0xff000000 | (Math.round(blue / count) << 16) | (Math.round(green / count) << 8) | Math.round(red / count)) >>> 0
    }
  }
  return { ...small, pixels: out }
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i)
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** node:zlib has crc32 since Node 20.15; Electron 25's Node 18 has not (and a module that imports the name would not even load there). */
function crc32(bytes: Uint8Array): number {
  if (typeof zlib.crc32 === 'function') return zlib.crc32(bytes) >>> 0
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
