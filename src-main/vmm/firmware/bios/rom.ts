/** Builds the 64 KiB ROM at F0000h (seen below 4 GiB at FFFF0000h as well). */
import { assemble } from '../assembler'
import { sealChecksum } from '../checksum'
import { ROM_FONT_8X14, ROM_FONT_8X16, ROM_FONT_8X8_HIGH, ROM_FONT_8X8_LOW, romSource } from './rom-source'

export const BIOS_ROM_ADDRESS = 0xf0000
export const BIOS_ROM_ALIAS = 0xffff0000
export const BIOS_ROM_BYTES = 0x10000
export const BIOS_SEGMENT = 0xf000

/** Code page 437, 256 characters each, one byte for each line of a character. */
export interface BiosFonts {
  readonly font8x8: Uint8Array
  readonly font8x14: Uint8Array
  readonly font8x16: Uint8Array
}

export interface BiosRom {
  readonly bytes: Uint8Array
  readonly symbols: ReadonlyMap<string, number>
}

let assembled: BiosRom | undefined

export function buildBiosRom(fonts: BiosFonts): BiosRom {
  assembled ??= ((): BiosRom => {
    const image = assemble(romSource(), { file: 'bios' })
    return { bytes: image.bytes, symbols: image.symbols }
  })()
  const bytes = Uint8Array.from(assembled.bytes)
  bytes.set(fonts.font8x16.subarray(0, 256 * 16), ROM_FONT_8X16)
  bytes.set(fonts.font8x14.subarray(0, 256 * 14), ROM_FONT_8X14)
  bytes.set(fonts.font8x8.subarray(0, 128 * 8), ROM_FONT_8X8_LOW)
  bytes.set(fonts.font8x8.subarray(128 * 8, 256 * 8), ROM_FONT_8X8_HIGH)
  const directory = assembled.symbols.get('bios32') ?? 0
  sealChecksum(bytes, directory, 16, directory + 10)
  return { bytes, symbols: assembled.symbols }
}

/** An 8x14 or 8x8 font out of the 8x16 one, for a board that ships a single font: lines are dropped evenly from the edges inward. */
export function shrinkFont(font8x16: Uint8Array, height: 8 | 14): Uint8Array {
  const result = new Uint8Array(256 * height)
  for (let character = 0; character < 256; character++) {
    for (let line = 0; line < height; line++) {
      const source = height === 14 ? line + 1 : line * 2
      const first = font8x16[character * 16 + source] ?? 0
      const second = height === 8 ? (font8x16[character * 16 + source + 1] ?? 0) : 0
      result[character * height + line] = first | second
    }
  }
  return result
}
