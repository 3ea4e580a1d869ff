import { CP437_TO_UNICODE } from '../../../support/cp437'
import { planeAddress, vgaGeometry } from '../geometry'
import * as R from '../registers'
import type { VgaRegisters } from '../registers'

/** What stands on a text screen, as Unicode (code page 437), rows trimmed at the right; empty in graphics modes. */
export function textScreen(regs: VgaRegisters, vram: Uint8Array): readonly string[] {
  const geometry = vgaGeometry(regs)
  if (geometry.graphics) return []
  const crtcMode = regs.crtc[R.CRTC_MODE] ?? 0
  const underline = regs.crtc[R.CRTC_UNDERLINE] ?? 0
  const linesPerRow = geometry.rowHeight * (geometry.doubleScan ? 2 : 1)
  const rows: string[] = []
  let counter = geometry.startAddress
  let split = false
  for (let line = 0; line + linesPerRow <= geometry.lines; line += linesPerRow) {
    if (!split && line > geometry.lineCompare) {
      counter = 0
      split = true
    }
    let text = ''
    for (let column = 0; column < geometry.columns; column++) {
      const code = vram[planeAddress(crtcMode, underline, (counter + column) & 0xffff, 0) * 4] ?? 0
      text += code === 0 || code === 0xff ? ' ' : (CP437_TO_UNICODE[code] ?? ' ')
    }
    rows.push(text.trimEnd())
    counter = (counter + geometry.rowAddresses) & 0xffff
  }
  return rows
}
