/** Unpacks LZ4's legacy frames, as Linux packs its kernels: blocks of up to 8 MiB with their packed sizes. lz4_Frame_format.md, "Legacy frame"; lz4_Block_format.md. */
const MAGIC = 0x184c2102

export class Lz4Error extends Error {}

const u32 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0

export function isLz4(bytes: Uint8Array): boolean {
  return u32(bytes, 0) === MAGIC
}

/** `size`: what is expected to come out; more is cut off. */
export function unpackLz4(bytes: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size)
  let position = 0
  for (let at = 4; at + 4 <= bytes.length && position < size; ) {
    const packed = u32(bytes, at)
    at += 4
    if (packed === MAGIC) continue
    if (packed === 0 || at + packed > bytes.length) break
    position = block(bytes.subarray(at, at + packed), output, position)
    at += packed
  }
  if (position !== size) throw new Lz4Error('size')
  return output
}

function block(input: Uint8Array, output: Uint8Array, start: number): number {
  let position = start
  let at = 0
  const length = (nibble: number): number => {
    let value = nibble
    if (nibble === 15) {
      let more: number
      do {
        more = input[at++] ?? bad()
        value += more
      } while (more === 255)
    }
    return value
  }
  while (at < input.length) {
    const token = input[at++] ?? bad()
    const literals = length(token >> 4)
    if (at + literals > input.length || position + literals > output.length) bad()
    output.set(input.subarray(at, at + literals), position)
    at += literals
    position += literals
    if (at >= input.length) break
    const offset = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8)
    at += 2
    const match = length(token & 15) + 4
    if (offset === 0 || offset > position - start || position + match > output.length) bad()
    for (const stop = position + match; position < stop; position++) output[position] = output[position - offset] ?? 0
  }
  return position
}

function bad(): never {
  throw new Lz4Error('block')
}
