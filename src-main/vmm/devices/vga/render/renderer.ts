/**
 * Makes the picture, when asked to, of registers and video memory. Nothing here is guest-visible or saved: a renderer can be thrown away.
 *
 * What is drawn again: in packed-pixel modes the lines whose pages were written; in the VGA's own modes everything, when anything was
 * written (a frame of at most 720x480 takes about a millisecond). What is reported: the rows and columns that differ from the last frame.
 */
import { createFrame, rgba, type Frame, type Rect } from '../../../backends/display/frame'
import { beamAt, vgaGeometry, type VgaGeometry } from '../geometry'
import * as R from '../registers'
import { renderPacked } from './packed'
import { attributeColours, renderScanlines, type BlinkPhase, type TextShadow } from './scanlines'
import type { DisplayBackend } from '../../../backends/display/display-backend'
import type { Clock } from '../../../time/clock'
import type { Dac } from '../dac'
import type { Dispi, DispiMode } from '../dispi'
import type { VgaRegisters } from '../registers'
import type { VgaWindow } from '../window'

export interface RendererSources {
  readonly regs: VgaRegisters
  readonly dac: Dac
  readonly dispi: Dispi
  readonly window: VgaWindow
  readonly vram: Uint8Array
  readonly clock: Clock
  readonly takeDirty: () => Uint8Array
}

const PAGE_SHIFT = 12
/** The VGA's own modes reach the first 256 KiB. */
const LEGACY_PAGES = 0x40000 >> PAGE_SHIFT
/** Shown while no mode is set: what a monitor without a signal would be given. */
const IDLE_WIDTH = 640
const IDLE_HEIGHT = 400
/** Lines of a frame, both ends included. */
interface Lines {
  readonly first: number
  readonly last: number
}

/** The cursor changes every 8 frames, blinking characters every 16. */
const CURSOR_FRAME_BIT = 3
const TEXT_FRAME_BIT = 4

export class VgaRenderer {
  private frame: Frame = createFrame(IDLE_WIDTH, IDLE_HEIGHT)
  private shown: Uint32Array = new Uint32Array(0)
  private readonly palette = new Uint32Array(256)
  private stale = true
  private resized = true
  private lastBlink = -1
  private readonly textShadow: TextShadow = { cells: new Uint32Array(0), valid: false }
  private display: DisplayBackend | undefined

  constructor(private readonly sources: RendererSources) {}

  connect(display: DisplayBackend | undefined): void {
    this.display = display
    this.resized = true
    this.stale = true
  }

  /** A register changed: draw everything at the next refresh. */
  invalidate(): void {
    this.stale = true
  }

  refresh(): void {
    const drawn = this.draw()
    const { display, frame } = this
    if (display === undefined) return
    if (this.resized) {
      this.resized = false
      this.shown = frame.pixels.slice()
      display.resize(frame.width, frame.height)
      display.update([{ x: 0, y: 0, width: frame.width, height: frame.height }], frame)
      return
    }
    const rects = drawn.flatMap((lines) => this.differences(lines))
    if (rects.length > 0) display.update(rects, frame)
  }

  screenshot(): Frame {
    this.stale = true
    this.draw()
    // What was drawn for the screenshot still has to reach the display.
    this.stale = true
    return this.frame
  }

  /** Draws what has to be and returns the lines that it drew. */
  private draw(): readonly Lines[] {
    const { regs, dac, dispi } = this.sources
    const mode = dispi.mode
    const geometry = vgaGeometry(regs)
    const fontsTouched = this.sources.window.fontsTouched
    const pages = this.takeDirtyPages()
    const isBlank =
      (regs.attrIndex & R.ATTR_INDEX_VIDEO_ON) === 0 ||
      ((regs.seq[R.SEQ_CLOCKING_MODE] ?? 0) & R.SEQ_CLOCKING_SCREEN_OFF) !== 0 ||
      (mode === undefined && !isModeSet(geometry))
    const size = mode ?? (isModeSet(geometry) ? { width: geometry.width, height: geometry.lines } : this.frame)
    this.setSize(size.width, size.height)
    const whole = [{ first: 0, last: this.frame.height - 1 }]
    const wasStale = this.stale
    if (wasStale) dac.fillPalette(this.palette)
    if (wasStale || fontsTouched) this.textShadow.valid = false
    this.stale = false
    if (isBlank) {
      if (!wasStale) return []
      const overscan = mode === undefined ? this.palette[regs.attr[R.ATTR_OVERSCAN] ?? 0] : undefined
      this.frame.pixels.fill(overscan ?? rgba(0, 0, 0))
      return whole
    }
    if (mode !== undefined) return this.drawPacked(mode, wasStale ? whole : dirtyLines(mode, pages))
    return this.drawScanlines(geometry, wasStale, pages) ? whole : []
  }

  private drawPacked(mode: DispiMode, lines: readonly Lines[]): readonly Lines[] {
    if (lines.length === 0) return lines
    const colours4 = attributeColours(this.sources.regs.attr)
    for (const { first, last } of lines) renderPacked(this.frame, mode, this.sources.vram, this.palette, colours4, first, last)
    return lines
  }

  private drawScanlines(geometry: VgaGeometry, all: boolean, pages: Uint8Array): boolean {
    const { regs, vram, clock } = this.sources
    const { frame } = beamAt(regs, geometry, clock.now())
    const blink: BlinkPhase = { cursorOn: ((frame >> CURSOR_FRAME_BIT) & 1) === 0, textOn: ((frame >> TEXT_FRAME_BIT) & 1) === 0 }
    const phase = geometry.graphics ? 0 : (blink.cursorOn ? 1 : 0) | (blink.textOn ? 2 : 0)
    const blinked = phase !== this.lastBlink
    this.lastBlink = phase
    if (!all && !blinked && !pages.subarray(0, LEGACY_PAGES).includes(1)) return false
    renderScanlines(this.frame, geometry, regs, vram, this.palette, blink, this.textShadow)
    return true
  }

  /** Pages written by the guest directly (frame buffer BAR, DMA) or through the window. */
  private takeDirtyPages(): Uint8Array {
    const { window, takeDirty } = this.sources
    const pages = takeDirty()
    // What the guest wrote past the window may have been a font.
    if (pages.subarray(0, LEGACY_PAGES).includes(1)) this.textShadow.valid = false
    if (!window.touched) return pages
    window.touched = false
    window.fontsTouched = false
    const marks = window.dirtyPages
    const merged = marks.slice()
    marks.fill(0)
    for (let i = 0; i < merged.length; i++) if ((pages[i] ?? 0) !== 0) merged[i] = 1
    return merged
  }

  private setSize(width: number, height: number): void {
    if (this.frame.width === width && this.frame.height === height) return
    this.frame = createFrame(width, height)
    this.resized = true
    this.stale = true
  }

  /** Compares the lines drawn with what the display has; one rectangle for each run of changed lines. */
  private differences({ first, last }: Lines): readonly Rect[] {
    const { frame, shown } = this
    const { width, pixels } = frame
    const rects: Rect[] = []
    let top = -1
    let left = width
    let right = -1
    const close = (bottom: number): void => {
      if (top >= 0) rects.push({ x: left, y: top, width: right - left + 1, height: bottom - top })
      top = -1
      left = width
      right = -1
    }
    for (let y = first; y <= last; y++) {
      const start = y * width
      let from = 0
      while (from < width && pixels[start + from] === shown[start + from]) from++
      if (from === width) {
        close(y)
        continue
      }
      let to = width - 1
      while (pixels[start + to] === shown[start + to]) to--
      if (top < 0) top = y
      left = Math.min(left, from)
      right = Math.max(right, to)
      shown.set(pixels.subarray(start + from, start + to + 1), start + from)
    }
    close(last + 1)
    return rects
  }
}

/** The lines of a packed mode whose pages were written, in runs. */
function dirtyLines(mode: DispiMode, pages: Uint8Array): readonly Lines[] {
  if (!pages.includes(1)) return []
  // Bytes of memory a line takes: four planes for 4 bpp.
  const lineBytes = mode.lineBytes * (mode.bpp === 4 ? 4 : 1)
  const runs: Lines[] = []
  let first = -1
  for (let y = 0; y <= mode.height; y++) {
    const start = (mode.yOffset + y) * lineBytes
    const isDirty = y < mode.height && pages.subarray(start >>> PAGE_SHIFT, ((start + lineBytes - 1) >>> PAGE_SHIFT) + 1).includes(1)
    if (isDirty && first < 0) first = y
    if (!isDirty && first >= 0) {
      runs.push({ first, last: y - 1 })
      first = -1
    }
  }
  return runs
}

/** A guest that has set no mode has a CRT controller full of zeros. */
function isModeSet(geometry: VgaGeometry): boolean {
  return geometry.columns > 1 && geometry.lines > 1
}
