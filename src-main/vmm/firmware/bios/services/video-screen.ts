/** Characters and pixels in video memory, for each memory model. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosOptions } from '../host'
import type { VgaPorts } from './vga-ports'
import { videoModeNumbered } from './video-modes'
import type { VideoMode } from './video-modes'

const FALLBACK_MODE = 3

export class VideoScreen {
  constructor(
    private readonly options: BiosOptions,
    private readonly vga: VgaPorts,
  ) {}

  private get memory(): BiosOptions['memory'] {
    return this.options.memory
  }
  get8(address: number): number {
    return this.memory.readU8(gpa(address))
  }
  set8(address: number, value: number): void {
    this.memory.writeU8(gpa(address), value & 0xff)
  }
  get16(address: number): number {
    return this.memory.readU16(gpa(address))
  }
  set16(address: number, value: number): void {
    this.memory.writeU16(gpa(address), value & 0xffff)
  }

  /** What the data area says; programs write there, so it is checked. */
  get mode(): VideoMode {
    const mode = videoModeNumbered(this.get8(bda.BDA_VIDEO_MODE) & 0x7f) ?? videoModeNumbered(FALLBACK_MODE)
    if (mode === undefined) throw new Error('mode 3 is missing')
    return mode
  }
  get columns(): number {
    return Math.min(Math.max(this.get16(bda.BDA_VIDEO_COLUMNS), 1), 160)
  }
  get rows(): number {
    return Math.min(this.get8(bda.BDA_VIDEO_ROWS), 99) + 1
  }
  get page(): number {
    return this.get8(bda.BDA_VIDEO_PAGE) & 7
  }
  get characterHeight(): number {
    return Math.min(Math.max(this.get16(bda.BDA_CHARACTER_HEIGHT), 1), 32)
  }
  get isVbe(): boolean {
    return this.get16(bda.BDA_VBE_MODE) !== 0
  }

  cursor(page: number): { readonly row: number; readonly column: number } {
    const value = this.get16(bda.BDA_CURSOR_POSITIONS + (page & 7) * 2)
    return { row: value >> 8, column: value & 0xff }
  }
  setCursor(page: number, row: number, column: number): void {
    this.set16(bda.BDA_CURSOR_POSITIONS + (page & 7) * 2, ((row & 0xff) << 8) | (column & 0xff))
    if ((page & 7) !== this.page || this.mode.model !== 'text') return
    const offset = (this.get16(bda.BDA_VIDEO_PAGE_OFFSET) >> 1) + row * this.columns + column
    this.vga.crtc(0x0e, offset >> 8)
    this.vga.crtc(0x0f, offset)
  }

  private pageBase(page: number): number {
    const { memory } = this.mode
    return memory + (page & 7) * this.get16(bda.BDA_VIDEO_PAGE_BYTES)
  }
  private cellAddress(page: number, row: number, column: number): number {
    const { memory } = this.mode
    const offset = (page & 7) * this.get16(bda.BDA_VIDEO_PAGE_BYTES) + (row * this.columns + column) * 2
    return memory + (offset & 0x7fff)
  }

  /** Character and attribute (low and high byte) in a cell. In graphics modes the shape is recognized. */
  readCell(page: number, row: number, column: number): number {
    const { io } = this.options
    if (this.mode.model === 'text') return io.memoryRead(this.cellAddress(page, row, column), 2)
    const height = this.characterHeight
    const shape = Array.from({ length: height }, (_, line) => {
      let bits = 0
      for (let x = 0; x < 8; x++) bits = (bits << 1) | (this.readPixel(page, column * 8 + x, row * height + line) !== 0 ? 1 : 0)
      return bits
    })
    for (let character = 0; character < 256; character++) {
      if (shape.every((bits, line) => bits === this.glyphLine(character, line))) return character
    }
    return 0
  }

  /** `attribute` undefined: keep the one that is there. */
  writeCell(page: number, row: number, column: number, character: number, attribute: number | undefined): void {
    const { io } = this.options
    if (this.isVbe) return
    const { mode } = this
    if (mode.model === 'text') {
      const address = this.cellAddress(page, row, column)
      if (attribute === undefined) io.memoryWrite(address, 1, character & 0xff)
      else io.memoryWrite(address, 2, (character & 0xff) | ((attribute & 0xff) << 8))
      return
    }
    this.drawGlyph(page, row, column, character, attribute ?? 7)
  }

  /** One line of a character's shape, from the tables that INT 43h and INT 1Fh point to. */
  private glyphLine(character: number, line: number): number {
    const height = this.characterHeight
    const useHigh = character >= 128 && height === 8 && this.mode.model === 'cga'
    const vector = useHigh ? 0x1f : 0x43
    const offset = this.get16(vector * 4) + (useHigh ? character - 128 : character) * height + line
    return this.get8((this.get16(vector * 4 + 2) << 4) + (offset & 0xffff))
  }

  private drawGlyph(page: number, row: number, column: number, character: number, attribute: number): void {
    const { io } = this.options
    const { mode } = this
    const height = this.characterHeight
    const isXor = (attribute & 0x80) !== 0 && mode.model !== 'packed'
    const base = this.pageBase(page)
    if (mode.model === 'planar') this.beginPlanar(attribute, isXor)
    for (let line = 0; line < height; line++) {
      const bits = this.glyphLine(character, line)
      const y = row * height + line
      if (y >= mode.height) break
      switch (mode.model) {
        case 'planar': {
          // Set/reset writes the colour where the mask is 1; the background is cleared first.
          const address = base + y * this.columns + column
          if (!isXor) {
            this.vga.graphics(0, 0)
            this.vga.graphics(8, 0xff)
            io.memoryWrite(address, 1, 0)
            this.vga.graphics(0, attribute & 0x0f)
          }
          this.vga.graphics(8, bits)
          io.memoryRead(address, 1)
          io.memoryWrite(address, 1, 0xff)
          break
        }
        case 'cga': {
          const address = mode.memory + (y & 1) * 0x2000 + (y >> 1) * 80
          if (mode.bitsPerPixel === 1) {
            const old = isXor ? io.memoryRead(address + column, 1) : 0
            io.memoryWrite(address + column, 1, old ^ ((attribute & 1) !== 0 ? bits : 0))
          } else {
            let value = 0
            for (let x = 0; x < 8; x++) value = (value << 2) | ((bits & (0x80 >> x)) !== 0 ? attribute & 3 : 0)
            // Two bytes, left pixels first.
            const old = isXor ? io.memoryRead(address + column * 2, 2) : 0
            io.memoryWrite(address + column * 2, 2, old ^ (((value & 0xff) << 8) | (value >> 8)))
          }
          break
        }
        case 'packed':
          for (let x = 0; x < 8; x++) io.memoryWrite(base + y * mode.width + column * 8 + x, 1, (bits & (0x80 >> x)) !== 0 ? attribute : 0)
          break
        case 'text':
          break
      }
    }
    if (mode.model === 'planar') this.endPlanar()
  }

  private beginPlanar(colour: number, isXor: boolean): void {
    this.vga.sequencer(2, 0x0f)
    this.vga.graphics(0, colour & 0x0f)
    this.vga.graphics(1, 0x0f)
    this.vga.graphics(3, isXor ? 0x18 : 0)
    this.vga.graphics(5, 0)
  }
  private endPlanar(): void {
    this.vga.graphics(0, 0)
    this.vga.graphics(1, 0)
    this.vga.graphics(3, 0)
    this.vga.graphics(8, 0xff)
  }

  readPixel(page: number, x: number, y: number): number {
    const { io } = this.options
    const { mode } = this
    if (x >= mode.width || y >= mode.height) return 0
    switch (mode.model) {
      case 'planar': {
        let colour = 0
        for (let plane = 0; plane < 4; plane++) {
          this.vga.graphics(4, plane)
          const byte = io.memoryRead(this.pageBase(page) + y * this.columns + (x >> 3), 1)
          if ((byte & (0x80 >> (x & 7))) !== 0) colour |= 1 << plane
        }
        this.vga.graphics(4, 0)
        return colour
      }
      case 'cga': {
        const address = mode.memory + (y & 1) * 0x2000 + (y >> 1) * 80
        if (mode.bitsPerPixel === 1) return (io.memoryRead(address + (x >> 3), 1) >> (7 - (x & 7))) & 1
        return (io.memoryRead(address + (x >> 2), 1) >> (6 - (x & 3) * 2)) & 3
      }
      case 'packed':
        return io.memoryRead(mode.memory + y * mode.width + x, 1)
      case 'text':
        return 0
    }
  }

  writePixel(page: number, x: number, y: number, colour: number): void {
    const { io } = this.options
    const { mode } = this
    if (x >= mode.width || y >= mode.height || this.isVbe) return
    const isXor = (colour & 0x80) !== 0
    switch (mode.model) {
      case 'planar': {
        const address = this.pageBase(page) + y * this.columns + (x >> 3)
        this.beginPlanar(colour, isXor)
        this.vga.graphics(8, 0x80 >> (x & 7))
        io.memoryRead(address, 1)
        io.memoryWrite(address, 1, 0xff)
        this.endPlanar()
        return
      }
      case 'cga': {
        const isMono = mode.bitsPerPixel === 1
        const address = mode.memory + (y & 1) * 0x2000 + (y >> 1) * 80 + (x >> (isMono ? 3 : 2))
        const shift = isMono ? 7 - (x & 7) : 6 - (x & 3) * 2
        const mask = isMono ? 1 : 3
        const old = io.memoryRead(address, 1)
        const bits = (colour & mask) << shift
        io.memoryWrite(address, 1, isXor ? old ^ bits : (old & ~(mask << shift)) | bits)
        return
      }
      case 'packed':
        io.memoryWrite(mode.memory + y * mode.width + x, 1, colour)
        return
      case 'text':
        return
    }
  }

  /** Moves a window of cells by `lines` (0: clears it); positive up, negative down. */
  scroll(page: number, lines: number, attribute: number, top: number, left: number, bottom: number, right: number): void {
    if (this.isVbe) return
    const lastRow = Math.min(bottom, this.rows - 1)
    const lastColumn = Math.min(right, this.columns - 1)
    const height = lastRow - top + 1
    if (height <= 0 || lastColumn < left) return
    const count = lines === 0 || Math.abs(lines) > height ? height : Math.abs(lines)
    const isUp = lines >= 0
    for (let i = 0; i < height; i++) {
      const row = isUp ? top + i : lastRow - i
      const source = isUp ? row + count : row - count
      if (source < top || source > lastRow) this.clearRow(page, row, left, lastColumn, attribute)
      else this.copyRow(page, source, row, left, lastColumn)
    }
  }

  private clearRow(page: number, row: number, left: number, right: number, attribute: number): void {
    const { io } = this.options
    const { mode } = this
    if (mode.model === 'text') {
      for (let column = left; column <= right; column++) io.memoryWrite(this.cellAddress(page, row, column), 2, 0x20 | ((attribute & 0xff) << 8))
      return
    }
    this.eachCellByte(row, left, right, (address) => {
      io.memoryWrite(address, 1, mode.model === 'planar' ? 0xff : mode.model === 'packed' ? attribute : this.fillByte(attribute))
    }, page, mode.model === 'planar' ? () => {
      this.beginPlanar(attribute, false)
      this.vga.graphics(8, 0xff)
    } : undefined)
    if (mode.model === 'planar') this.endPlanar()
  }
  private fillByte(colour: number): number {
    return this.mode.bitsPerPixel === 1 ? ((colour & 1) !== 0 ? 0xff : 0) : (colour & 3) * 0x55
  }

  private copyRow(page: number, from: number, to: number, left: number, right: number): void {
    const { io } = this.options
    const { mode } = this
    if (mode.model === 'text') {
      for (let column = left; column <= right; column++) {
        io.memoryWrite(this.cellAddress(page, to, column), 2, io.memoryRead(this.cellAddress(page, from, column), 2))
      }
      return
    }
    if (mode.model === 'planar') {
      // Write mode 1 copies all planes through the latches.
      this.vga.sequencer(2, 0x0f)
      this.vga.graphics(5, 1)
    }
    const distance = this.rowBytes(from) - this.rowBytes(to)
    this.eachCellByte(to, left, right, (address) => io.memoryWrite(address, 1, io.memoryRead(address + distance, 1)), page)
    if (mode.model === 'planar') this.vga.graphics(5, 0)
  }

  /** Byte offset of a character row; rows have an even number of lines, so CGA's two banks move alike. */
  private rowBytes(row: number): number {
    const { mode } = this
    const y = row * this.characterHeight
    if (mode.model === 'cga') return (y >> 1) * 80
    return mode.model === 'packed' ? y * mode.width : y * this.columns
  }

  private eachCellByte(row: number, left: number, right: number, visit: (address: number) => void, page: number, before?: () => void): void {
    const { mode } = this
    const height = this.characterHeight
    before?.()
    const bytesPerCell = mode.model === 'packed' ? 8 : mode.model === 'cga' && mode.bitsPerPixel === 2 ? 2 : 1
    for (let line = 0; line < height; line++) {
      const y = row * height + line
      if (y >= mode.height) return
      const start =
        mode.model === 'cga' ? mode.memory + (y & 1) * 0x2000 + (y >> 1) * 80 : this.pageBase(page) + y * (mode.model === 'packed' ? mode.width : this.columns)
      for (let i = left * bytesPerCell; i < (right + 1) * bytesPerCell; i++) visit(start + i)
    }
  }

  /** Writes as a terminal: bell, backspace, return, line feed, scrolling. True: the screen was scrolled. */
  teletype(page: number, character: number, attribute: number | undefined): boolean {
    let { row, column } = this.cursor(page)
    switch (character) {
      case 7:
        return false
      case 8:
        if (column > 0) column--
        break
      case 10:
        row++
        break
      case 13:
        column = 0
        break
      default:
        this.writeCell(page, row, column, character, attribute)
        column++
    }
    if (column >= this.columns) {
      column = 0
      row++
    }
    const scrolls = row >= this.rows
    if (scrolls) {
      const isText = this.mode.model === 'text'
      // The new line takes the attribute of the one above it.
      const blank = isText ? this.readCell(page, this.rows - 1, 0) >> 8 : 0
      this.scroll(page, row - this.rows + 1, blank, 0, 0, this.rows - 1, this.columns - 1)
      row = this.rows - 1
    }
    this.setCursor(page, row, column)
    return scrolls
  }
}
