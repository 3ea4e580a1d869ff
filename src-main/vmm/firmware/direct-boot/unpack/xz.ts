/** Unpacks a stream of the XZ file format (1.1.0) with one block: LZMA2, with or without the filter for x86 code. As Linux packs its kernels. */
import { decodeX86Branches } from './x86-branches'
import { LzmaDecoder, LzmaError } from './lzma-decoder'

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const
const STREAM_HEADER = 12
const FILTER_X86 = 4
const FILTER_LZMA2 = 0x21

export function isXz(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/** `size`: what is expected to come out. Throws LzmaError. */
export function unpackXz(bytes: Uint8Array, size: number): Uint8Array {
  const { filters, end } = blockHeader(bytes)
  const last = filters[filters.length - 1]
  const others = filters.slice(0, -1)
  if (last !== FILTER_LZMA2 || others.some((id) => id !== FILTER_X86)) throw new LzmaError('filters')
  const output = new Uint8Array(size)
  const written = lzma2(bytes, end, output)
  if (written !== size) throw new LzmaError('size')
  for (const _ of others) decodeX86Branches(output)
  return output
}

/** 3.1 of the format: size, flags, sizes, filters. */
function blockHeader(bytes: Uint8Array): { readonly filters: readonly number[]; readonly end: number } {
  const size = ((bytes[STREAM_HEADER] ?? 0) + 1) * 4
  const flags = bytes[STREAM_HEADER + 1] ?? 0
  let at = STREAM_HEADER + 2
  const number = (): number => {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value
    }
    throw new LzmaError('header')
  }
  if ((flags & 0x40) !== 0) number()
  if ((flags & 0x80) !== 0) number()
  const filters: number[] = []
  for (let i = 0; i <= (flags & 3); i++) {
    filters.push(number())
    const properties = number()
    at += properties
  }
  const end = STREAM_HEADER + size
  if (size === 4 || at > end - 4) throw new LzmaError('header')
  return { filters, end }
}

/** 5.3.1: chunks, each with a control byte. Returns how much came out. */
function lzma2(input: Uint8Array, start: number, output: Uint8Array): number {
  const decoder = new LzmaDecoder(input, output)
  const byte = (at: number): number => {
    const value = input[at]
    if (value === undefined) throw new LzmaError('input ends')
    return value
  }
  for (let at = start; ; ) {
    const control = byte(at++)
    if (control === 0) return decoder.position
    if (control < 0x80) {
      if (control > 2) throw new LzmaError('control')
      const length = ((byte(at) << 8) | byte(at + 1)) + 1
      at += 2
      if (control === 1) decoder.resetDictionary()
      decoder.copy(at, length)
      at += length
      continue
    }
    const length = (((control & 0x1f) << 16) | (byte(at) << 8) | byte(at + 1)) + 1
    const packed = ((byte(at + 2) << 8) | byte(at + 3)) + 1
    at += 4
    if (control >= 0xe0) decoder.resetDictionary()
    if (control >= 0xc0) decoder.setProperties(byte(at++))
    if (control >= 0xa0) decoder.resetState()
    decoder.decode(at, packed, length)
    at += packed
  }
}
