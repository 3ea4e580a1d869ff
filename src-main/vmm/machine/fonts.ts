import { readFileSync } from 'node:fs'
import type { BiosFonts } from '../firmware/bios/rom'
import { packageFile } from '../support/package-folder'

/** The VGA BIOS's fonts (resources/fonts, see there for their origin). */
export function loadFonts(): BiosFonts {
  const font = (height: number): Uint8Array => new Uint8Array(readFileSync(packageFile(`resources/fonts/vga-8x${height}.bin`)))
  return { font8x8: font(8), font8x14: font(14), font8x16: font(16) }
}
