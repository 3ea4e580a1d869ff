/** What the CRT controller's registers say about the picture and its timing. */
import * as R from './registers'
import type { VgaRegisters } from './registers'

export interface VgaGeometry {
  /** Character clocks shown in a line. */
  readonly columns: number
  /** Scan lines shown. */
  readonly lines: number
  /** Dots of one character clock: 8 or 9. */
  readonly characterDots: number
  /** Each dot is shown twice (half dot clock). */
  readonly halfClock: boolean
  /** Scan lines of a character row (or repetitions of a graphics line). */
  readonly rowHeight: number
  /** Each scan line is shown twice. */
  readonly doubleScan: boolean
  /** Pixels of the picture. */
  readonly width: number
  readonly graphics: boolean
  /** Memory address counter at the top, and what a character row adds to it. */
  readonly startAddress: number
  readonly rowAddresses: number
  /** Last scan line before the display starts again at address 0. */
  readonly lineCompare: number
}

/** Bounds for hostile register values; real modes stay far below. */
const MAX_LINES = 2048

export function vgaGeometry(regs: VgaRegisters): VgaGeometry {
  const { seq, crtc, gc } = regs
  const reg = (index: number): number => crtc[index] ?? 0
  const overflow = reg(R.CRTC_OVERFLOW)
  const maxScan = reg(R.CRTC_MAXIMUM_SCAN_LINE)
  const clocking = seq[R.SEQ_CLOCKING_MODE] ?? 0
  const twice = (reg(R.CRTC_MODE) & R.CRTC_MODE_HALF_LINES) !== 0 ? 2 : 1
  const columns = reg(R.CRTC_HORIZONTAL_DISPLAY_END) + 1
  const shownLines = (reg(R.CRTC_VERTICAL_DISPLAY_END) | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1
  const characterDots = (clocking & R.SEQ_CLOCKING_8_DOTS) !== 0 ? 8 : 9
  const halfClock = (clocking & R.SEQ_CLOCKING_HALF) !== 0
  return {
    columns,
    lines: Math.min(shownLines * twice, MAX_LINES),
    characterDots,
    halfClock,
    rowHeight: (maxScan & 0x1f) + 1,
    doubleScan: (maxScan & R.CRTC_MAXIMUM_SCAN_LINE_DOUBLE) !== 0,
    width: columns * characterDots * (halfClock ? 2 : 1),
    graphics: ((gc[R.GC_MISC] ?? 0) & R.GC_MISC_GRAPHICS) !== 0,
    startAddress: (reg(R.CRTC_START_HIGH) << 8) | reg(R.CRTC_START_LOW),
    rowAddresses: reg(R.CRTC_OFFSET) * 2,
    lineCompare: (reg(R.CRTC_LINE_COMPARE) | ((overflow & 0x10) << 4) | ((maxScan & 0x40) << 3)) * twice,
  }
}

/** Plane address of a memory address counter: byte, word or doubleword mode, with the row-scan substitutions of CGA and Hercules. */
export function planeAddress(crtcMode: number, underline: number, counter: number, rowScan: number): number {
  let address: number
  if ((underline & R.CRTC_UNDERLINE_DOUBLEWORD) !== 0) address = (counter << 2) | ((counter >> 14) & 3)
  else if ((crtcMode & R.CRTC_MODE_BYTE) !== 0) address = counter
  else address = (counter << 1) | ((counter >> ((crtcMode & R.CRTC_MODE_WRAP_15) !== 0 ? 15 : 13)) & 1)
  if ((crtcMode & R.CRTC_MODE_NOT_ROW_SCAN_0) === 0) address = (address & ~0x2000) | ((rowScan & 1) << 13)
  if ((crtcMode & R.CRTC_MODE_NOT_ROW_SCAN_1) === 0) address = (address & ~0x4000) | ((rowScan & 2) << 13)
  return address & 0xffff
}

const NANOSECONDS = 1e9
const DOT_CLOCK_25 = 25_175_000
const DOT_CLOCK_28 = 28_322_000
/** A screen whose registers were never set still has a beam, so that a guest that waits for retrace goes on. */
const MIN_FRAME_NS = 5_000_000
const MAX_FRAME_NS = 50_000_000
const MIN_TOTAL_LINES = 32
const DEFAULT_TOTAL_LINES = 449

/** Where the beam is at a time. The frame is whole at time 0, so the beam needs no state of its own. */
export interface Beam {
  readonly frame: number
  readonly displaying: boolean
  readonly verticalRetrace: boolean
}

export function frameNs(regs: VgaRegisters, geometry: VgaGeometry): number {
  const lines = verticalTotal(regs)
  const clock = (regs.misc & R.MISC_CLOCK_28) !== 0 ? DOT_CLOCK_28 : DOT_CLOCK_25
  const dots = ((regs.crtc[R.CRTC_HORIZONTAL_TOTAL] ?? 0) + 5) * geometry.characterDots * (geometry.halfClock ? 2 : 1)
  return Math.max(MIN_FRAME_NS, Math.min(MAX_FRAME_NS, Math.round((dots * lines * NANOSECONDS) / clock)))
}

function verticalTotal(regs: VgaRegisters): number {
  const overflow = regs.crtc[R.CRTC_OVERFLOW] ?? 0
  const total = ((regs.crtc[R.CRTC_VERTICAL_TOTAL] ?? 0) | ((overflow & 0x01) << 8) | ((overflow & 0x20) << 4)) + 2
  return total < MIN_TOTAL_LINES ? DEFAULT_TOTAL_LINES : total
}

export function beamAt(regs: VgaRegisters, geometry: VgaGeometry, now: number): Beam {
  const total = verticalTotal(regs)
  const period = frameNs(regs, geometry)
  const frame = Math.floor(now / period)
  const position = ((now - frame * period) * total) / period
  const line = Math.floor(position)
  const overflow = regs.crtc[R.CRTC_OVERFLOW] ?? 0
  const shown = Math.min((regs.crtc[R.CRTC_VERTICAL_DISPLAY_END] ?? 0) | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3), total - 1)
  const retraceStart = (regs.crtc[R.CRTC_VERTICAL_RETRACE_START] ?? 0) | ((overflow & 0x04) << 6) | ((overflow & 0x80) << 2)
  const width = ((regs.crtc[R.CRTC_VERTICAL_RETRACE_END] ?? 0) - retraceStart) & 0x0f
  // Registers that make no sense still give a pulse in every frame.
  const isSound = retraceStart > shown && retraceStart < total
  const start = isSound ? retraceStart : total - (total >> 4)
  const end = isSound && width !== 0 ? start + width : total
  const visiblePart = geometry.columns / ((regs.crtc[R.CRTC_HORIZONTAL_TOTAL] ?? 0) + 5)
  return {
    frame,
    displaying: line <= shown && position - line < Math.min(visiblePart, 0.9),
    verticalRetrace: line >= start && line < end,
  }
}
