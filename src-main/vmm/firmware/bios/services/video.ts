/** INT 10h: the VGA BIOS. IBM PS/2 and PC BIOS Interface Technical Reference, "Interrupt 10h". */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosOptions, BiosTask } from '../host'
import { BIOS_SEGMENT } from '../rom'
import { ROM_FONT_8X14, ROM_FONT_8X16, ROM_FONT_8X8_HIGH, ROM_FONT_8X8_LOW } from '../rom-source'
import { VbeService } from './vbe'
import { VgaPorts } from './vga-ports'
import { videoModeNumbered } from './video-modes'
import type { VideoMode } from './video-modes'
import { VideoScreen } from './video-screen'
import { VideoState } from './video-state'

/** What INT 10h AH=13h writes before it lets the guest have a turn. */
const CHARACTERS_AT_ONCE = 4096
const SCROLLS_AT_ONCE = 16

export class VideoService {
  readonly screen: VideoScreen
  private readonly vga: VgaPorts
  private readonly vbe: VbeService
  private readonly state: VideoState

  constructor(
    private readonly options: BiosOptions,
    private readonly symbol: (name: string) => number,
  ) {
    this.vga = new VgaPorts(options.io)
    this.screen = new VideoScreen(options, this.vga)
    this.state = new VideoState(options, this.vga)
    this.vbe = new VbeService(options, this.vga, this, symbol)
  }

  /** At power-on: mode 3, pointers in the data area. */
  initialize(): void {
    const { screen } = this
    screen.set8(bda.BDA_VIDEO_CONTROL, 0x60)
    screen.set8(bda.BDA_VIDEO_SWITCHES, 0x09)
    screen.set8(bda.BDA_VIDEO_FLAGS, 0x11)
    // VGA with analogue colour display.
    screen.set8(bda.BDA_VIDEO_COMBINATION, 0x08)
    screen.set16(bda.BDA_VIDEO_SAVE_POINTER, this.symbol('video_save_pointers'))
    screen.set16(bda.BDA_VIDEO_SAVE_POINTER + 2, BIOS_SEGMENT)
    this.setMode(3, false)
  }

  handle(context: BiosContext): BiosTask | undefined {
    if (context.ah === 0x13) return this.writeString(context)
    this.handleAtOnce(context)
    return undefined
  }

  private handleAtOnce(context: BiosContext): void {
    const { screen } = this
    switch (context.ah) {
      case 0x00:
        this.setModeByNumber(context)
        return
      case 0x01:
        this.setCursorShape(context.ch, context.cl)
        return
      case 0x02:
        screen.setCursor(context.bh, context.dh, context.dl)
        return
      case 0x03: {
        const { row, column } = screen.cursor(context.bh)
        context.dh = row
        context.dl = column
        context.cx = screen.get16(bda.BDA_CURSOR_TYPE)
        return
      }
      case 0x04:
        // No light pen.
        context.ah = 0
        return
      case 0x05:
        this.selectPage(context.al)
        return
      case 0x06:
      case 0x07: {
        const lines = context.ah === 6 ? context.al : -context.al
        screen.scroll(screen.page, lines, context.bh, context.ch, context.cl, context.dh, context.dl)
        return
      }
      case 0x08: {
        const { row, column } = screen.cursor(context.bh)
        context.ax = screen.readCell(context.bh, row, column)
        return
      }
      case 0x09:
      case 0x0a:
        this.writeCharacters(context)
        return
      case 0x0b:
        this.setCgaColour(context.bh, context.bl)
        return
      case 0x0c:
        screen.writePixel(context.bh, context.cx, context.dx, context.al)
        return
      case 0x0d:
        context.al = screen.readPixel(context.bh, context.cx, context.dx)
        return
      case 0x0e:
        screen.teletype(screen.page, context.al, screen.mode.model === 'text' ? undefined : context.bl)
        return
      case 0x0f:
        context.al = screen.get8(bda.BDA_VIDEO_MODE) | (screen.get8(bda.BDA_VIDEO_CONTROL) & 0x80)
        context.ah = screen.columns
        context.bh = screen.page
        return
      case 0x10:
        this.palette(context)
        return
      case 0x11:
        this.fonts(context)
        return
      case 0x12:
        this.alternateSelect(context)
        return
      case 0x1a:
        this.displayCombination(context)
        return
      case 0x1b:
        this.stateInformation(context)
        return
      case 0x1c:
        this.state.handle(context)
        return
      case 0x4f:
        this.vbe.handle(context)
        return
      default:
        this.options.unsupported?.(`INT 10h AX=${context.ax.toString(16)}h`)
    }
  }

  private setModeByNumber(context: BiosContext): void {
    const keepMemory = (context.al & 0x80) !== 0
    const number = context.al & 0x7f
    this.setMode(number, keepMemory)
    // The CRT mode byte that callers of old expect back.
    context.al = number > 7 ? 0x20 : number === 6 ? 0x3f : 0x30
  }

  /** False when there is no such mode. */
  setMode(number: number, keepMemory: boolean): boolean {
    const mode = videoModeNumbered(number)
    if (mode === undefined) {
      this.options.unsupported?.(`video mode ${number.toString(16)}h`)
      return false
    }
    const { screen, vga } = this
    const keepPalette = (screen.get8(bda.BDA_VIDEO_FLAGS) & 0x08) !== 0
    vga.program(mode, keepPalette)
    if (!keepPalette && (screen.get8(bda.BDA_VIDEO_FLAGS) & 0x02) !== 0) vga.sumToGrey(0, 256)
    if (mode.model === 'text') vga.loadFont(this.options.fonts.font8x16, 16, 0, 256, 0)
    if (!keepMemory) this.clearMemory(mode)
    this.recordMode(mode, keepMemory)
    return true
  }

  private clearMemory(mode: VideoMode): void {
    const { io } = this.options
    if (mode.model === 'planar') {
      this.vga.sequencer(2, 0x0f)
      this.vga.graphics(8, 0xff)
    }
    const value = mode.model === 'text' ? 0x07200720 : 0
    const bytes = mode.memory === 0xa0000 ? 0x10000 : 0x8000
    for (let offset = 0; offset < bytes; offset += 4) io.memoryWrite(mode.memory + offset, 4, value)
  }

  private recordMode(mode: VideoMode, keepMemory: boolean): void {
    const { screen } = this
    screen.set8(bda.BDA_VIDEO_MODE, mode.mode)
    screen.set16(bda.BDA_VIDEO_COLUMNS, mode.columns)
    screen.set16(bda.BDA_VIDEO_PAGE_BYTES, mode.pageBytes)
    screen.set16(bda.BDA_VIDEO_PAGE_OFFSET, 0)
    screen.set8(bda.BDA_VIDEO_PAGE, 0)
    for (let page = 0; page < 8; page++) screen.set16(bda.BDA_CURSOR_POSITIONS + page * 2, 0)
    screen.set16(bda.BDA_CURSOR_TYPE, 0x0607)
    screen.set16(bda.BDA_CRTC_PORT, (mode.misc & 1) !== 0 ? 0x3d4 : 0x3b4)
    screen.set8(bda.BDA_VIDEO_MODE_CONTROL, mode.modeControl)
    screen.set8(bda.BDA_VIDEO_PALETTE, mode.mode === 6 ? 0x3f : 0x30)
    screen.set8(bda.BDA_VIDEO_ROWS, mode.rows - 1)
    screen.set16(bda.BDA_CHARACTER_HEIGHT, mode.characterHeight)
    screen.set8(bda.BDA_VIDEO_CONTROL, 0x60 | (keepMemory ? 0x80 : 0))
    screen.set16(bda.BDA_VBE_MODE, 0)
    const font = mode.characterHeight === 16 ? ROM_FONT_8X16 : mode.characterHeight === 14 ? ROM_FONT_8X14 : ROM_FONT_8X8_LOW
    this.setFontVector(0x43, BIOS_SEGMENT, font)
  }

  private setFontVector(vector: number, segment: number, offset: number): void {
    this.screen.set16(vector * 4, offset)
    this.screen.set16(vector * 4 + 2, segment)
  }

  /** Lines are given for an 8-line character and scaled to the real height, unless emulation is off (40:87h bit 0). */
  private setCursorShape(start: number, end: number): void {
    const { screen, vga } = this
    screen.set16(bda.BDA_CURSOR_TYPE, (start << 8) | end)
    let first = start & 0x3f
    let last = end & 0x1f
    const height = screen.characterHeight
    const isEmulating = (screen.get8(bda.BDA_VIDEO_CONTROL) & 1) === 0
    if (isEmulating && height > 8 && last < 8 && (first & 0x20) === 0) {
      if (last !== first + 1) first = Math.floor(((first + 1) * height) / 8) - 1
      else first = Math.floor(((last + 1) * height) / 8) - 2
      last = Math.floor(((last + 1) * height) / 8) - 1
    }
    vga.crtc(0x0a, first)
    vga.crtc(0x0b, last)
  }

  private selectPage(page: number): void {
    const { screen, vga } = this
    if (page >= screen.mode.pages) return
    const offset = page * screen.get16(bda.BDA_VIDEO_PAGE_BYTES)
    screen.set8(bda.BDA_VIDEO_PAGE, page)
    screen.set16(bda.BDA_VIDEO_PAGE_OFFSET, offset)
    const start = screen.mode.model === 'text' ? offset >> 1 : offset
    vga.crtc(0x0c, start >> 8)
    vga.crtc(0x0d, start)
    const { row, column } = screen.cursor(page)
    screen.setCursor(page, row, column)
  }

  private writeCharacters(context: BiosContext): void {
    const { screen } = this
    const page = context.bh
    const attribute = context.ah === 9 || screen.mode.model !== 'text' ? context.bl : undefined
    let { row, column } = screen.cursor(page)
    const count = Math.min(context.cx, screen.columns * screen.rows)
    for (let i = 0; i < count; i++) {
      screen.writeCell(page, row, column, context.al, attribute)
      if (++column >= screen.columns) {
        column = 0
        row++
      }
    }
  }

  /** Scrolling a graphics screen takes milliseconds, and 65,535 line feeds would take minutes: the guest gets a turn now and then. */
  private *writeString(context: BiosContext): BiosTask {
    const { screen } = this
    const { es, bl, al, cx: count } = context
    const page = context.bh
    const before = screen.cursor(page)
    const withAttributes = (al & 2) !== 0
    screen.setCursor(page, context.dh, context.dl)
    let scrolled = 0
    for (let i = 0, offset = context.bp; i < count; i++) {
      const character = context.read8(es, offset++)
      const attribute = withAttributes ? context.read8(es, offset++) : bl
      if (screen.teletype(page, character, attribute)) scrolled++
      if (scrolled >= SCROLLS_AT_ONCE || i % CHARACTERS_AT_ONCE === CHARACTERS_AT_ONCE - 1) {
        scrolled = 0
        yield 'poll'
      }
    }
    if ((al & 1) === 0) screen.setCursor(page, before.row, before.column)
  }

  private setCgaColour(what: number, value: number): void {
    const { vga, screen } = this
    if (what === 0) {
      // Border, and in CGA graphics the background.
      vga.attribute(0x11, value & 0x1f)
      if (screen.mode.model === 'cga') vga.attribute(0, (value & 7) | ((value & 8) << 1))
      for (let i = 1; i < 4; i++) vga.attribute(i, (vga.readAttribute(i) & ~0x10) | (value & 0x10))
    } else for (let i = 1; i < 4; i++) vga.attribute(i, (vga.readAttribute(i) & ~1) | (value & 1))
  }

  private palette(context: BiosContext): void {
    const { vga } = this
    switch (context.al) {
      case 0x00:
        vga.attribute(context.bl & 0x1f, context.bh)
        return
      case 0x01:
        vga.attribute(0x11, context.bh)
        return
      case 0x02:
        for (let i = 0; i < 16; i++) vga.attribute(i, context.read8(context.es, context.dx + i))
        vga.attribute(0x11, context.read8(context.es, context.dx + 16))
        return
      case 0x03:
        vga.attribute(0x10, (vga.readAttribute(0x10) & ~8) | (context.bl !== 0 ? 8 : 0))
        return
      case 0x07:
        context.bh = vga.readAttribute(context.bl & 0x1f)
        return
      case 0x08:
        context.bh = vga.readAttribute(0x11)
        return
      case 0x09:
        for (let i = 0; i < 16; i++) context.write8(context.es, context.dx + i, vga.readAttribute(i))
        context.write8(context.es, context.dx + 16, vga.readAttribute(0x11))
        return
      case 0x10:
        vga.setDac(context.bx & 0xff, context.dh, context.ch, context.cl)
        return
      case 0x12:
        for (let i = 0; i < context.cx && context.bx + i < 256; i++) {
          const at = context.dx + i * 3
          vga.setDac(context.bx + i, context.read8(context.es, at), context.read8(context.es, at + 1), context.read8(context.es, at + 2))
        }
        return
      case 0x13: {
        const control = vga.readAttribute(0x10)
        if (context.bl === 0) vga.attribute(0x10, (control & 0x7f) | ((context.bh & 1) << 7))
        else vga.attribute(0x14, (control & 0x80) !== 0 ? context.bh & 0x0f : (context.bh & 3) << 2)
        return
      }
      case 0x15: {
        const [red, green, blue] = vga.readDac(context.bl)
        context.dh = red
        context.ch = green
        context.cl = blue
        return
      }
      case 0x17:
        for (let i = 0; i < context.cx && context.bx + i < 256; i++) {
          vga.readDac(context.bx + i).forEach((level, channel) => context.write8(context.es, context.dx + i * 3 + channel, level))
        }
        return
      case 0x18:
        vga.out(0x3c6, context.bl)
        return
      case 0x19:
        context.bl = vga.in(0x3c6)
        return
      case 0x1a: {
        const isSmall = (vga.readAttribute(0x10) & 0x80) !== 0
        context.bl = isSmall ? 1 : 0
        context.bh = isSmall ? vga.readAttribute(0x14) & 0x0f : (vga.readAttribute(0x14) >> 2) & 3
        return
      }
      case 0x1b:
        vga.sumToGrey(context.bx, context.cx)
        return
      default:
        this.options.unsupported?.(`INT 10h AX=${context.ax.toString(16)}h`)
    }
  }

  private fonts(context: BiosContext): void {
    const { options, vga } = this
    const { fonts } = options
    const block = context.bl & 7
    const recalculate = (context.al & 0x10) !== 0
    switch (context.al) {
      case 0x00:
      case 0x10: {
        const height = Math.min(Math.max(context.bh, 1), 32)
        const count = Math.min(context.cx, 256)
        const shapes = new Uint8Array(count * height)
        options.memory.read(gpa(linear(context.es, context.bp)), shapes)
        vga.loadFont(shapes, height, context.dx & 0xff, count, block)
        if (recalculate) this.setTextHeight(height)
        return
      }
      case 0x01:
      case 0x11:
        vga.loadFont(fonts.font8x14, 14, 0, 256, block)
        if (recalculate) this.setTextHeight(14)
        return
      case 0x02:
      case 0x12:
        vga.loadFont(fonts.font8x8, 8, 0, 256, block)
        if (recalculate) this.setTextHeight(8)
        return
      case 0x04:
      case 0x14:
        vga.loadFont(fonts.font8x16, 16, 0, 256, block)
        if (recalculate) this.setTextHeight(16)
        return
      case 0x03:
        vga.sequencer(3, context.bl)
        return
      case 0x20:
        this.setFontVector(0x1f, context.es, context.bp)
        return
      case 0x21:
        this.setFontVector(0x43, context.es, context.bp)
        this.setGraphicsRows(context.bl, context.dl, context.cx)
        return
      case 0x22:
      case 0x23:
      case 0x24: {
        const [offset, height] = context.al === 0x22 ? [ROM_FONT_8X14, 14] : context.al === 0x23 ? [ROM_FONT_8X8_LOW, 8] : [ROM_FONT_8X16, 16]
        this.setFontVector(0x43, BIOS_SEGMENT, offset ?? 0)
        this.setGraphicsRows(context.bl, context.dl, height ?? 16)
        return
      }
      case 0x30:
        this.fontInformation(context)
        return
      default:
        options.unsupported?.(`INT 10h AX=${context.ax.toString(16)}h`)
    }
  }

  /** After a font of another height was loaded: as many rows as fit the scan lines. */
  private setTextHeight(height: number): void {
    const { screen, vga } = this
    vga.crtc(9, (vga.readCrtc(9) & 0xe0) | (height - 1))
    const overflow = vga.readCrtc(7)
    const lines = (vga.readCrtc(0x12) | ((overflow & 2) << 7) | ((overflow & 0x40) << 3)) + 1
    const rows = Math.max(1, Math.floor(lines / height))
    screen.set16(bda.BDA_CHARACTER_HEIGHT, height)
    screen.set8(bda.BDA_VIDEO_ROWS, rows - 1)
    screen.set16(bda.BDA_VIDEO_PAGE_BYTES, (rows * screen.columns * 2 + 0xff) & 0xff00)
    const shown = rows * height - 1
    vga.crtc(0x12, shown)
    vga.crtc(7, (overflow & ~0x42) | ((shown >> 7) & 2) | ((shown >> 3) & 0x40))
    this.setCursorShape(height > 8 ? height - 3 : height - 2, height - 1)
  }

  private setGraphicsRows(which: number, rows: number, height: number): void {
    const count = [rows, 14, 25, 43][which & 3] ?? 25
    this.screen.set8(bda.BDA_VIDEO_ROWS, count - 1)
    this.screen.set16(bda.BDA_CHARACTER_HEIGHT, height)
  }

  private fontInformation(context: BiosContext): void {
    const { screen } = this
    const rom = (offset: number): readonly [number, number] => [BIOS_SEGMENT, offset]
    const vector = (n: number): readonly [number, number] => [screen.get16(n * 4 + 2), screen.get16(n * 4)]
    const pointers: readonly (readonly [number, number])[] = [
      vector(0x1f), vector(0x43), rom(ROM_FONT_8X14), rom(ROM_FONT_8X8_LOW), rom(ROM_FONT_8X8_HIGH), rom(ROM_FONT_8X14), rom(ROM_FONT_8X16), rom(ROM_FONT_8X16),
    ]
    const pointer = pointers[context.bh]
    if (pointer === undefined) return
    context.es = pointer[0]
    context.bp = pointer[1]
    context.cx = screen.characterHeight
    context.dl = screen.rows - 1
  }

  private alternateSelect(context: BiosContext): void {
    const { screen, vga } = this
    const flags = screen.get8(bda.BDA_VIDEO_FLAGS)
    switch (context.bl) {
      case 0x10:
        // Colour, 256 KiB, no feature bits.
        context.bx = 0x0003
        context.cx = 0x0009
        return
      case 0x20:
        return
      case 0x30:
        // Text modes always have 400 lines here; asking for that is granted.
        context.al = context.al === 2 ? 0x12 : 0
        return
      case 0x31:
        screen.set8(bda.BDA_VIDEO_FLAGS, (flags & ~8) | ((context.al & 1) << 3))
        context.al = 0x12
        return
      case 0x32: {
        const misc = vga.in(0x3cc)
        vga.out(0x3c2, (misc & ~2) | ((context.al & 1) === 0 ? 2 : 0))
        context.al = 0x12
        return
      }
      case 0x33:
        screen.set8(bda.BDA_VIDEO_FLAGS, (flags & ~2) | ((context.al & 1) === 0 ? 2 : 0))
        context.al = 0x12
        return
      case 0x34: {
        const control = screen.get8(bda.BDA_VIDEO_CONTROL)
        screen.set8(bda.BDA_VIDEO_CONTROL, (control & ~1) | (context.al & 1))
        context.al = 0x12
        return
      }
      case 0x36: {
        vga.out(0x3c4, 1)
        const clocking = vga.in(0x3c5)
        vga.sequencer(1, (clocking & ~0x20) | ((context.al & 1) << 5))
        context.al = 0x12
        return
      }
      default:
        this.options.unsupported?.(`INT 10h AH=12h BL=${context.bl.toString(16)}h`)
    }
  }

  private displayCombination(context: BiosContext): void {
    const { screen } = this
    if (context.al === 0) {
      context.bx = screen.get8(bda.BDA_VIDEO_COMBINATION)
      context.al = 0x1a
    } else if (context.al === 1) {
      screen.set8(bda.BDA_VIDEO_COMBINATION, context.bl)
      context.al = 0x1a
    }
  }

  private stateInformation(context: BiosContext): void {
    const { memory } = this.options
    const { screen } = this
    const block = new Uint8Array(64)
    const view = new DataView(block.buffer)
    view.setUint16(0, this.symbol('video_functionality'), true)
    view.setUint16(2, BIOS_SEGMENT, true)
    memory.read(gpa(bda.BDA_VIDEO_MODE), block.subarray(4, 4 + 30))
    block[0x22] = screen.rows
    view.setUint16(0x23, screen.characterHeight, true)
    block[0x25] = screen.get8(bda.BDA_VIDEO_COMBINATION)
    view.setUint16(0x27, screen.mode.model === 'packed' ? 256 : 16, true)
    block[0x29] = screen.mode.pages
    block[0x2a] = [200, 350, 400, 480].indexOf(screen.mode.height)
    block[0x31] = 3
    context.writeBytes(context.es, context.di, block)
    context.al = 0x1b
  }
}
