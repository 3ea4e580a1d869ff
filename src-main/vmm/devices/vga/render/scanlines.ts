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

/** What the text screen in the frame was drawn from: rows whose cells are the same are not drawn again. */
export interface TextShadow {
  /** Code, attribute, cursor and blink of each cell, row by row. */
  cells: Uint32Array
  /** False: registers, palette or fonts changed; everything has to be drawn. */
  valid: boolean
}

export function renderScanlines(
  frame: Frame,
  geometry: VgaGeometry,
  regs: VgaRegisters,
  vram: Uint8Array,
  palette: Uint32Array,
  blink: BlinkPhase,
  shadow: TextShadow,
): void {
  const { crtc, attr } = regs
  const attrMode = attr[R.ATTR_MODE] ?? 0
  const crtcMode = crtc[R.CRTC_MODE] ?? 0
  const underline = crtc[R.CRTC_UNDERLINE] ?? 0
  const presetRow = crtc[R.CRTC_PRESET_ROW_SCAN] ?? 0
  const shift256 = geometry.graphics && ((regs.gc[R.GC_MODE] ?? 0) & R.GC_MODE_SHIFT_256) !== 0
  const colours = shift256 ? palette : attributePalette(attr, palette)
  // One character more than is shown, for panning.
  const dots = new Uint8Array((geometry.columns + 1) * geometry.characterDots)
  const text = geometry.graphics ? undefined : textSource(geometry, regs, vram, blink)
  const drawLine = text === undefined ? graphicsLine(geometry, regs, vram, dots) : textLine(geometry, regs, vram, dots, text.cells)
  // The lines of a graphics row differ only if the row scan takes part in the address.
  const linesRepeat = geometry.graphics && (crtcMode & 3) === 3

  let counter = (geometry.startAddress + ((presetRow >> 5) & 3)) & 0xffff
  let rowScan = Math.min(presetRow & 0x1f, geometry.rowHeight - 1)
  let secondScan = false
  let panning = dotShift(attr[R.ATTR_PANNING] ?? 0, geometry.characterDots)
  let row = 0
  let isNewRow = true
  let isRowChanged = true
  const rows = text === undefined ? 0 : geometry.lines + 1
  const cellCount = rows * (geometry.columns + 1)
  const isShadowValid = shadow.valid && shadow.cells.length === cellCount
  if (shadow.cells.length !== cellCount) shadow.cells = new Uint32Array(cellCount)
  shadow.valid = text !== undefined

  for (let y = 0; y < geometry.lines; y++) {
    if (y === geometry.lineCompare + 1) {
      counter = 0
      rowScan = 0
      secondScan = false
      isNewRow = true
      if ((attrMode & R.ATTR_MODE_SPLIT_STOPS_PANNING) !== 0) panning = 0
    }
    if (isNewRow && text !== undefined) {
      text.fetch(counter, (cell) => planeAddress(crtcMode | 3, underline, cell, 0))
      isRowChanged = replaceRow(shadow.cells, row++ * (geometry.columns + 1), text.cells) || !isShadowValid
    }
    if (secondScan || (linesRepeat && !isNewRow)) {
      frame.pixels.copyWithin(y * frame.width, (y - 1) * frame.width, y * frame.width)
    } else if (isRowChanged) {
      const scan = rowScan
      drawLine(counter, scan, (address) => planeAddress(crtcMode, underline, address & 0xffff, scan))
      emit(frame, y, dots, panning, geometry.halfClock, colours)
    }
    isNewRow = false
    if (geometry.doubleScan && !secondScan) {
      secondScan = true
      continue
    }
    secondScan = false
    if (rowScan + 1 >= geometry.rowHeight) {
      rowScan = 0
      isNewRow = true
      counter = (counter + geometry.rowAddresses) & 0xffff
    } else {
      rowScan++
    }
  }
}

/** True when the row was different. */
function replaceRow(cells: Uint32Array, at: number, row: Uint32Array): boolean {
  let changed = false
  for (let i = 0; i < row.length; i++) {
    if (cells[at + i] === row[i]) continue
    cells[at + i] = row[i] ?? 0
    changed = true
  }
  return changed
}

type LineDrawer = (counter: number, rowScan: number, addressOf: (counter: number) => number) => void

function graphicsLine(geometry: VgaGeometry, regs: VgaRegisters, vram: Uint8Array, dots: Uint8Array): LineDrawer {
  const mode = regs.gc[R.GC_MODE] ?? 0
  if ((mode & R.GC_MODE_SHIFT_256) !== 0) return line256(geometry, vram, dots)
  if ((mode & R.GC_MODE_SHIFT_INTERLEAVE) !== 0) return lineInterleaved(geometry, vram, dots)
  return linePlanar(geometry, vram, dots)
}

/** A cell of a fetched row: code in bits 0..7, attribute in 8..15, and these. */
const CELL_CURSOR = 0x10000
const CELL_HIDDEN = 0x20000

interface TextSource {
  /** The row last fetched, with one cell more than is shown. */
  readonly cells: Uint32Array
  fetch(counter: number, addressOf: (counter: number) => number): void
}

function textSource(geometry: VgaGeometry, regs: VgaRegisters, vram: Uint8Array, blink: BlinkPhase): TextSource {
  const { crtc, attr } = regs
  const hides = ((attr[R.ATTR_MODE] ?? 0) & R.ATTR_MODE_BLINK) !== 0 && !blink.textOn
  const cursorEnd = crtc[R.CRTC_CURSOR_END] ?? 0
  const cursorOn = blink.cursorOn && ((crtc[R.CRTC_CURSOR_START] ?? 0) & R.CRTC_CURSOR_START_OFF) === 0
  const cursorAt = ((((crtc[R.CRTC_CURSOR_HIGH] ?? 0) << 8) | (crtc[R.CRTC_CURSOR_LOW] ?? 0)) + ((cursorEnd >> 5) & 3)) & 0xffff
  const cells = new Uint32Array(geometry.columns + 1)
  return {
    cells,
    fetch: (counter, addressOf) => {
      for (let column = 0; column < cells.length; column++) {
        const place = (counter + column) & 0xffff
        const word = addressOf(place) * 4
        let cell = (vram[word] ?? 0) | ((vram[word + 1] ?? 0) << 8)
        if (cursorOn && place === cursorAt) cell |= CELL_CURSOR
        if (hides && (cell & 0x8000) !== 0) cell |= CELL_HIDDEN
        cells[column] = cell
      }
    },
  }
}

function textLine(geometry: VgaGeometry, regs: VgaRegisters, vram: Uint8Array, dots: Uint8Array, cells: Uint32Array): LineDrawer {
  const { crtc, attr, seq } = regs
  const attrMode = attr[R.ATTR_MODE] ?? 0
  const backgroundMask = (attrMode & R.ATTR_MODE_BLINK) !== 0 ? 7 : 15
  const lineGraphics = (attrMode & R.ATTR_MODE_LINE_GRAPHICS) !== 0
  const map = seq[R.SEQ_CHARACTER_MAP] ?? 0
  const fontB = FONT_OFFSETS[(map & 3) | ((map >> 2) & 4)] ?? 0
  const fontA = FONT_OFFSETS[((map >> 2) & 3) | ((map >> 3) & 4)] ?? 0
  const underlineRow = (crtc[R.CRTC_UNDERLINE] ?? 0) & 0x1f
  const cursorFirst = (crtc[R.CRTC_CURSOR_START] ?? 0) & 0x1f
  const cursorLast = (crtc[R.CRTC_CURSOR_END] ?? 0) & 0x1f
  const hasNinthDot = geometry.characterDots === 9

  return (_counter, rowScan) => {
    const inCursor = rowScan >= cursorFirst && rowScan <= cursorLast
    let at = 0
    for (const cell of cells) {
      const code = cell & 0xff
      const attribute = (cell >> 8) & 0xff
      const font = (attribute & 8) !== 0 ? fontA : fontB
      const background = (attribute >> 4) & backgroundMask
      const isCursor = inCursor && (cell & CELL_CURSOR) !== 0
      const isSolid = isCursor || (rowScan === underlineRow && (attribute & 0x77) === 1)
      const glyph = isSolid ? 0xff : (vram[(((font + code * GLYPH_ROWS + rowScan) & 0xffff) << 2) + 2] ?? 0)
      const foreground = (cell & CELL_HIDDEN) !== 0 && !isCursor ? background : attribute & 0x0f
      for (let bit = 0x80; bit !== 0; bit >>= 1) dots[at++] = (glyph & bit) !== 0 ? foreground : background
      if (hasNinthDot) {
        const isCopied = lineGraphics && code >= LINE_GRAPHICS_FIRST && code <= LINE_GRAPHICS_LAST && (glyph & 1) !== 0
        dots[at++] = isSolid || isCopied ? foreground : background
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

/** The colours of the dots 0..15 (repeated, so that any dot is in bounds). */
function attributePalette(attr: Uint8Array, palette: Uint32Array): Uint32Array {
  const indexes = attributeColours(attr)
  return Uint32Array.from({ length: 256 }, (_, dot) => palette[indexes[dot & 0x0f] ?? 0] ?? 0)
}

function emit(frame: Frame, y: number, dots: Uint8Array, panning: number, halfClock: boolean, colours: Uint32Array): void {
  const { pixels, width } = frame
  const end = (y + 1) * width
  let from = panning
  if (halfClock) {
    for (let at = y * width; at < end; at += 2) {
      const colour = colours[dots[from++] ?? 0] ?? 0
      pixels[at] = colour
      pixels[at + 1] = colour
    }
  } else {
    for (let at = y * width; at < end; at++) pixels[at] = colours[dots[from++] ?? 0] ?? 0
  }
}
