/**
 * The VGA's own modes, text and graphics, scan line by scan line as the hardware makes them: the CRT controller counts addresses, the
 * sequencer fetches the planes, the attribute controller turns dots into palette numbers. So every mode that a guest composes of register
 * values comes out, not only those of the BIOS.
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem".
 */
import { planeAddress, type VgaGeometry } from '../geometry'
import * as R from '../registers'
import type { Frame } from '../../../backends/display/frame'
import type { VgaRegisters } from '../registers'

export interface BlinkPhase {
  readonly cursorOn: boolean
  readonly textOn: boolean
}

/** Plane 2 offsets of the eight fonts that the character map register can select. */
const FONT_OFFSETS: readonly number[] = [0x0000, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000]
const LINE_GRAPHICS_FIRST = 0xc0
const LINE_GRAPHICS_LAST = 0xdf
const GLYPH_ROWS = 32

export function renderScanlines(
  frame: Frame,
  geometry: VgaGeometry,
  regs: VgaRegisters,
  vram: Uint8Array,
  palette: Uint32Array,
  blink: BlinkPhase,
): void {
  const { crtc, attr } = regs
  const attrMode = attr[R.ATTR_MODE] ?? 0
  const crtcMode = crtc[R.CRTC_MODE] ?? 0
  const underline = crtc[R.CRTC_UNDERLINE] ?? 0
  const presetRow = crtc[R.CRTC_PRESET_ROW_SCAN] ?? 0
  const colours = attributeColours(attr)
  const shift256 = geometry.graphics && ((regs.gc[R.GC_MODE] ?? 0) & R.GC_MODE_SHIFT_256) !== 0
  // One character more than is shown, for panning.
  const dots = new Uint8Array((geometry.columns + 1) * geometry.characterDots)
  const drawLine = lineDrawer(geometry, regs, vram, dots, blink)

  let counter = (geometry.startAddress + ((presetRow >> 5) & 3)) & 0xffff
  let rowScan = Math.min(presetRow & 0x1f, geometry.rowHeight - 1)
  let secondScan = false
  let panning = dotShift(attr[R.ATTR_PANNING] ?? 0, geometry.characterDots)

  for (let y = 0; y < geometry.lines; y++) {
    if (y === geometry.lineCompare + 1) {
      counter = 0
      rowScan = 0
      secondScan = false
      if ((attrMode & R.ATTR_MODE_SPLIT_STOPS_PANNING) !== 0) panning = 0
    }
    drawLine(counter, rowScan, (address) => planeAddress(crtcMode, underline, address & 0xffff, rowScan))
    emit(frame, y, dots, panning, geometry.halfClock, shift256 ? palette : undefined, palette, colours)
    if (geometry.doubleScan && !secondScan) {
      secondScan = true
      continue
    }
    secondScan = false
    if (rowScan + 1 >= geometry.rowHeight) {
      rowScan = 0
      counter = (counter + geometry.rowAddresses) & 0xffff
    } else {
      rowScan++
    }
  }
}

type LineDrawer = (counter: number, rowScan: number, addressOf: (counter: number) => number) => void

function lineDrawer(geometry: VgaGeometry, regs: VgaRegisters, vram: Uint8Array, dots: Uint8Array, blink: BlinkPhase): LineDrawer {
  if (!geometry.graphics) return textLine(geometry, regs, vram, dots, blink)
  const mode = regs.gc[R.GC_MODE] ?? 0
  if ((mode & R.GC_MODE_SHIFT_256) !== 0) return line256(geometry, vram, dots)
  if ((mode & R.GC_MODE_SHIFT_INTERLEAVE) !== 0) return lineInterleaved(geometry, vram, dots)
  return linePlanar(geometry, vram, dots)
}

function textLine(geometry: VgaGeometry, regs: VgaRegisters, vram: Uint8Array, dots: Uint8Array, blink: BlinkPhase): LineDrawer {
  const { crtc, attr, seq } = regs
  const attrMode = attr[R.ATTR_MODE] ?? 0
  const blinking = (attrMode & R.ATTR_MODE_BLINK) !== 0
  const lineGraphics = (attrMode & R.ATTR_MODE_LINE_GRAPHICS) !== 0
  const map = seq[R.SEQ_CHARACTER_MAP] ?? 0
  const fontB = FONT_OFFSETS[(map & 3) | ((map >> 2) & 4)] ?? 0
  const fontA = FONT_OFFSETS[((map >> 2) & 3) | ((map >> 3) & 4)] ?? 0
  const underlineRow = (crtc[R.CRTC_UNDERLINE] ?? 0) & 0x1f
  const cursorStart = crtc[R.CRTC_CURSOR_START] ?? 0
  const cursorEnd = crtc[R.CRTC_CURSOR_END] ?? 0
  const cursorOn = blink.cursorOn && (cursorStart & R.CRTC_CURSOR_START_OFF) === 0
  const cursorFirst = cursorStart & 0x1f
  const cursorLast = cursorEnd & 0x1f
  const cursorAt = ((((crtc[R.CRTC_CURSOR_HIGH] ?? 0) << 8) | (crtc[R.CRTC_CURSOR_LOW] ?? 0)) + ((cursorEnd >> 5) & 3)) & 0xffff
  const width = geometry.characterDots

  return (counter, rowScan, addressOf) => {
    let at = 0
    for (let column = 0; column <= geometry.columns; column++) {
      const cell = (counter + column) & 0xffff
      const word = addressOf(cell) * 4
      const code = vram[word] ?? 0
      const attribute = vram[word + 1] ?? 0
      const font = (attribute & 8) !== 0 ? fontA : fontB
      let glyph = vram[(((font + code * GLYPH_ROWS + rowScan) & 0xffff) << 2) + 2] ?? 0
      const background = blinking ? (attribute >> 4) & 7 : attribute >> 4
      let foreground = attribute & 0x0f
      if (blinking && (attribute & 0x80) !== 0 && !blink.textOn) foreground = background
      if (rowScan === underlineRow && (attribute & 0x77) === 1) glyph = 0xff
      const cursor = cursorOn && cell === cursorAt && rowScan >= cursorFirst && rowScan <= cursorLast
      if (cursor) {
        foreground = attribute & 0x0f
        glyph = 0xff
      }
      for (let bit = 0x80; bit !== 0; bit >>= 1) dots[at++] = (glyph & bit) !== 0 ? foreground : background
      if (width === 9) {
        const solid = cursor || (rowScan === underlineRow && (attribute & 0x77) === 1)
        const copied = lineGraphics && code >= LINE_GRAPHICS_FIRST && code <= LINE_GRAPHICS_LAST && (glyph & 1) !== 0
        dots[at++] = solid || copied ? foreground : background
      }
    }
  }
}

/** 16 colours: a bit of each plane makes a dot. In 9-dot clocking the ninth dot repeats nothing: it is blank, as no BIOS mode uses it. */
function linePlanar(geometry: VgaGeometry, vram: Uint8Array, dots: Uint8Array): LineDrawer {
  const gap = geometry.characterDots - 8
  return (counter, _rowScan, addressOf) => {
    let at = 0
    for (let column = 0; column <= geometry.columns; column++) {
      const word = addressOf(counter + column) * 4
      const p0 = vram[word] ?? 0
      const p1 = vram[word + 1] ?? 0
      const p2 = vram[word + 2] ?? 0
      const p3 = vram[word + 3] ?? 0
      for (let shift = 7; shift >= 0; shift--) {
        dots[at++] = ((p0 >> shift) & 1) | (((p1 >> shift) & 1) << 1) | (((p2 >> shift) & 1) << 2) | (((p3 >> shift) & 1) << 3)
      }
      if (gap !== 0) dots[at++] = 0
    }
  }
}

/** CGA's four colours: two-bit pixels, four from plane 0 and four from plane 1; planes 2 and 3 give the upper two bits. */
function lineInterleaved(geometry: VgaGeometry, vram: Uint8Array, dots: Uint8Array): LineDrawer {
  const gap = geometry.characterDots - 8
  return (counter, _rowScan, addressOf) => {
    let at = 0
    for (let column = 0; column <= geometry.columns; column++) {
      const word = addressOf(counter + column) * 4
      for (let plane = 0; plane < 2; plane++) {
        const low = vram[word + plane] ?? 0
        const high = vram[word + plane + 2] ?? 0
        for (let shift = 6; shift >= 0; shift -= 2) dots[at++] = ((low >> shift) & 3) | (((high >> shift) & 3) << 2)
      }
      if (gap !== 0) dots[at++] = 0
    }
  }
}

/** 256 colours: a byte of each plane in turn, each two dots wide. */
function line256(geometry: VgaGeometry, vram: Uint8Array, dots: Uint8Array): LineDrawer {
  const gap = geometry.characterDots - 8
  return (counter, _rowScan, addressOf) => {
    let at = 0
    for (let column = 0; column <= geometry.columns; column++) {
      const word = addressOf(counter + column) * 4
      for (let plane = 0; plane < 4; plane++) {
        const value = vram[word + plane] ?? 0
        dots[at++] = value
        dots[at++] = value
      }
      if (gap !== 0) dots[at++] = 0
    }
  }
}

/** Pixel panning in dots: with nine dots, 8 stands for none and 0..7 for one to eight. */
function dotShift(panning: number, characterDots: number): number {
  if (characterDots === 8) return panning & 7
  return panning >= 8 ? 0 : panning + 1
}

/** The attribute controller's 16 palette entries as DAC indexes, with the colour select register. */
export function attributeColours(attr: Uint8Array): Uint8Array {
  const select = attr[R.ATTR_COLOUR_SELECT] ?? 0
  const replaced = ((attr[R.ATTR_MODE] ?? 0) & R.ATTR_MODE_PALETTE_54) !== 0
  const planes = attr[R.ATTR_PLANE_ENABLE] ?? 0
  return Uint8Array.from({ length: 16 }, (_, dot) => {
    const entry = attr[dot & planes] ?? 0
    const low = replaced ? (entry & 0x0f) | ((select & 3) << 4) : entry & 0x3f
    return low | ((select & 0x0c) << 4)
  })
}

function emit(
  frame: Frame,
  y: number,
  dots: Uint8Array,
  panning: number,
  halfClock: boolean,
  direct: Uint32Array | undefined,
  palette: Uint32Array,
  colours: Uint8Array,
): void {
  const { pixels, width } = frame
  let at = y * width
  const count = halfClock ? width / 2 : width
  for (let x = 0; x < count; x++) {
    const dot = dots[x + panning] ?? 0
    const colour = (direct === undefined ? palette[colours[dot & 0x0f] ?? 0] : direct[dot]) ?? 0
    pixels[at++] = colour
    if (halfClock) pixels[at++] = colour
  }
}
