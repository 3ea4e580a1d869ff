/** The VGA's registers, through ports as any program would. */
import type { BiosIo } from '../host'
import { paletteEntry } from './video-modes'
import type { VideoMode } from './video-modes'

export const DISPI_ID = 0
export const DISPI_XRES = 1
export const DISPI_YRES = 2
export const DISPI_BPP = 3
export const DISPI_ENABLE = 4
export const DISPI_BANK = 5
export const DISPI_VIRTUAL_WIDTH = 6
export const DISPI_VIRTUAL_HEIGHT = 7
export const DISPI_X_OFFSET = 8
export const DISPI_Y_OFFSET = 9
export const DISPI_VIDEO_MEMORY_64K = 10
export const DISPI_ENABLED = 0x01
export const DISPI_GET_CAPABILITIES = 0x02
export const DISPI_8BIT_DAC = 0x20
export const DISPI_LFB = 0x40
export const DISPI_NO_CLEAR = 0x80

export class VgaPorts {
  constructor(private readonly io: BiosIo) {}

  out(port: number, value: number): void {
    this.io.pioWrite(port, 1, value & 0xff)
  }
  in(port: number): number {
    return this.io.pioRead(port, 1)
  }

  dispiRead(index: number): number {
    this.io.pioWrite(0x1ce, 2, index)
    return this.io.pioRead(0x1cf, 2)
  }
  dispiWrite(index: number, value: number): void {
    this.io.pioWrite(0x1ce, 2, index)
    this.io.pioWrite(0x1cf, 2, value & 0xffff)
  }

  sequencer(index: number, value: number): void {
    this.out(0x3c4, index)
    this.out(0x3c5, value)
  }
  readSequencer(index: number): number {
    this.out(0x3c4, index)
    return this.in(0x3c5)
  }
  graphics(index: number, value: number): void {
    this.out(0x3ce, index)
    this.out(0x3cf, value)
  }
  readGraphics(index: number): number {
    this.out(0x3ce, index)
    return this.in(0x3cf)
  }
  /** 3D4h, or 3B4h in monochrome modes. */
  get crtcPort(): number {
    return (this.in(0x3cc) & 1) !== 0 ? 0x3d4 : 0x3b4
  }
  crtc(index: number, value: number): void {
    const port = this.crtcPort
    this.out(port, index)
    this.out(port + 1, value)
  }
  readCrtc(index: number): number {
    const port = this.crtcPort
    this.out(port, index)
    return this.in(port + 1)
  }
  private resetAttributeFlipFlop(): void {
    this.in(this.crtcPort + 6)
  }
  /** Writes an attribute register and leaves the display on. */
  attribute(index: number, value: number): void {
    this.resetAttributeFlipFlop()
    this.out(0x3c0, index & 0x1f)
    this.out(0x3c0, value)
    this.out(0x3c0, 0x20)
  }
  readAttribute(index: number): number {
    this.resetAttributeFlipFlop()
    this.out(0x3c0, index & 0x1f)
    const value = this.in(0x3c1)
    this.resetAttributeFlipFlop()
    this.out(0x3c0, 0x20)
    return value
  }
  setDac(index: number, red: number, green: number, blue: number): void {
    this.out(0x3c8, index)
    this.out(0x3c9, red)
    this.out(0x3c9, green)
    this.out(0x3c9, blue)
  }
  readDac(index: number): readonly [number, number, number] {
    this.out(0x3c7, index)
    return [this.in(0x3c9), this.in(0x3c9), this.in(0x3c9)]
  }

  loadPalette(palette: VideoMode['palette']): void {
    this.out(0x3c6, 0xff)
    this.out(0x3c8, 0)
    const count = palette === '256' ? 256 : 64
    for (let i = 0; i < count; i++) for (const level of paletteEntry(palette, i)) this.out(0x3c9, level)
    for (let i = count * 3; i < 256 * 3; i++) this.out(0x3c9, 0)
  }

  /** Turns DACs between two colours of grey (AX=101Bh and when summing is on). ITU-R BT.601 weights as IBM's. */
  sumToGrey(first: number, count: number): void {
    for (let i = first; i < first + count && i < 256; i++) {
      const [red, green, blue] = this.readDac(i)
      const grey = Math.min(0x3f, Math.round(red * 0.3 + green * 0.59 + blue * 0.11))
      this.setDac(i, grey, grey, grey)
    }
  }

  program(mode: VideoMode, keepPalette: boolean): void {
    this.dispiWrite(DISPI_ENABLE, 0)
    this.sequencer(0, 1)
    this.out(0x3c2, mode.misc)
    mode.sequencer.forEach((value, i) => this.sequencer(i + 1, value))
    this.sequencer(0, 3)
    // Register 11h's top bit protects 0..7.
    this.crtc(0x11, 0)
    mode.crtc.forEach((value, i) => this.crtc(i, value))
    mode.graphics.forEach((value, i) => this.graphics(i, value))
    this.resetAttributeFlipFlop()
    mode.attribute.forEach((value, i) => {
      this.out(0x3c0, i)
      this.out(0x3c0, value)
    })
    this.out(0x3c0, 0x14)
    this.out(0x3c0, 0)
    this.out(0x3c0, 0x20)
    if (!keepPalette) this.loadPalette(mode.palette)
  }

  /**
   * Loads character shapes into plane 2. `block` 0..7; 32 bytes are kept for each character.
   */
  loadFont(font: Uint8Array, height: number, first: number, count: number, block: number): void {
    const { io } = this
    this.sequencer(2, 0x04)
    this.sequencer(4, 0x07)
    const mode = this.readGraphics(5)
    const miscellaneous = this.readGraphics(6)
    this.graphics(4, 2)
    this.graphics(5, 0)
    this.graphics(6, 4)
    const base = 0xa0000 + ((block & 3) * 2 + ((block >> 2) & 1)) * 0x2000
    for (let i = 0; i < count && first + i < 256; i++) {
      for (let line = 0; line < 32; line++) {
        const value = line < height ? (font[i * height + line] ?? 0) : 0
        io.memoryWrite(base + (first + i) * 32 + line, 1, value)
      }
    }
    this.sequencer(2, 0x03)
    this.sequencer(4, 0x02)
    this.graphics(4, 0)
    this.graphics(5, mode)
    this.graphics(6, miscellaneous)
  }
}
