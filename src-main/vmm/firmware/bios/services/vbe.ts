/** INT 10h AH=4Fh: VESA BIOS Extension Core Functions 3.0 over the Bochs display interface (ports 1CEh/1CFh), and DDC. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosOptions } from '../host'
import { PciConfig } from '../pci-config'
import { BIOS_SEGMENT } from '../rom'
import { bytesPerPixel, monitorEdid, vbeModeInfo, vbeModesThatFit } from './vbe-modes'
import type { VbeMode } from './vbe-modes'
import type { VgaPorts } from './vga-ports'
import {
  DISPI_8BIT_DAC, DISPI_BANK, DISPI_BPP, DISPI_ENABLE, DISPI_ENABLED, DISPI_ID, DISPI_LFB, DISPI_NO_CLEAR, DISPI_VIDEO_MEMORY_64K,
  DISPI_VIRTUAL_HEIGHT, DISPI_VIRTUAL_WIDTH, DISPI_X_OFFSET, DISPI_XRES, DISPI_Y_OFFSET, DISPI_YRES,
} from './vga-ports'
import type { VideoScreen } from './video-screen'

const OK = 0x004f
const FAILED = 0x014f
const NOT_IN_THIS_MODE = 0x034f
const MODE_LFB = 0x4000
const MODE_KEEP_MEMORY = 0x8000
/** Registers of the display interface that a saved state holds. */
const DISPI_STATE = [DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_BANK, DISPI_VIRTUAL_WIDTH, DISPI_VIRTUAL_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET]
const BDA_STATE_BYTES = 0x1e + 7
const STATE_BYTES = (DISPI_STATE.length + 1) * 2 + 2 + BDA_STATE_BYTES + 768

/** What VBE needs of the plain VGA services: the screen they write to, and the standard modes. */
export interface VgaModes {
  readonly screen: VideoScreen
  setMode(number: number, keepMemory: boolean): boolean
}

export class VbeService {
  private readonly config: PciConfig

  constructor(
    private readonly options: BiosOptions,
    private readonly vga: VgaPorts,
    private readonly video: VgaModes,
    private readonly symbol: (name: string) => number,
  ) {
    this.config = new PciConfig(options.io)
  }

  private get isPresent(): boolean {
    return (this.vga.dispiRead(DISPI_ID) & 0xfff0) === 0xb0c0
  }
  private get videoMemoryBytes(): number {
    const units = this.vga.dispiRead(DISPI_VIDEO_MEMORY_64K)
    return units === 0 || units === 0xffff ? 0 : units * 0x10000
  }
  /** BAR 0 of the display controller. */
  private get frameBuffer(): number {
    for (const bdf of this.config.functions()) {
      if (this.config.classOf(bdf) >> 8 !== 0x0300) continue
      const bar = this.config.read(bdf, 0x10, 4)
      return (bar & 1) === 0 ? (bar & ~0xf) >>> 0 : 0
    }
    return 0
  }
  private modes(): readonly VbeMode[] {
    return vbeModesThatFit(this.videoMemoryBytes)
  }
  private get currentNumber(): number {
    return this.video.screen.get16(bda.BDA_VBE_MODE)
  }
  private get current(): VbeMode | undefined {
    const number = this.currentNumber & 0x3fff
    return this.modes().find((mode) => mode.number === number)
  }

  handle(context: BiosContext): void {
    if (!this.isPresent) {
      context.ax = 0x0100
      return
    }
    switch (context.al) {
      case 0x00:
        this.controllerInformation(context)
        return
      case 0x01:
        this.modeInformation(context)
        return
      case 0x02:
        this.setVbeMode(context)
        return
      case 0x03: {
        const number = this.currentNumber
        context.bx = number === 0 ? this.video.screen.get8(bda.BDA_VIDEO_MODE) : number
        context.ax = OK
        return
      }
      case 0x04:
        this.saveRestore(context)
        return
      case 0x05:
        this.window(context)
        return
      case 0x06:
        this.scanLineLength(context)
        return
      case 0x07:
        this.displayStart(context)
        return
      case 0x08:
        this.paletteFormat(context)
        return
      case 0x09:
        this.paletteData(context)
        return
      case 0x0b:
        // No real dots: any pixel clock (ECX) that is asked for is the closest that can be had.
        context.ax = context.bl === 0 ? OK : FAILED
        return
      case 0x10:
        this.powerManagement(context)
        return
      case 0x15:
        this.displayIdentification(context)
        return
      default:
        // 0Ah, the protected-mode interface, among others: programs do without.
        context.ax = 0x0100
    }
  }

  private controllerInformation(context: BiosContext): void {
    const block = new Uint8Array(512)
    const view = new DataView(block.buffer)
    const isVbe2 = context.read32(context.es, context.di) === 0x32454256
    const far = (offset: number): number => ((BIOS_SEGMENT << 16) | offset) >>> 0
    block.set([0x56, 0x45, 0x53, 0x41])
    view.setUint16(4, 0x0300, true)
    view.setUint32(6, far(this.symbol('oem_string')), true)
    // The DAC can be switched to 8 bits.
    view.setUint32(10, 1, true)
    view.setUint32(14, ((context.es << 16) | ((context.di + 34) & 0xffff)) >>> 0, true)
    view.setUint16(18, this.videoMemoryBytes / 0x10000, true)
    if (isVbe2) {
      view.setUint16(20, 0x0001, true)
      view.setUint32(22, far(this.symbol('oem_vendor')), true)
      view.setUint32(26, far(this.symbol('oem_product')), true)
      view.setUint32(30, far(this.symbol('oem_revision')), true)
    }
    // The mode list stands in the reserved part of the block itself.
    const numbers = this.modes().map((mode) => mode.number)
    const room = (256 - 34) / 2 - 1
    numbers.slice(0, room).forEach((number, i) => view.setUint16(34 + i * 2, number, true))
    view.setUint16(34 + Math.min(numbers.length, room) * 2, 0xffff, true)
    context.writeBytes(context.es, context.di, block.subarray(0, isVbe2 ? 512 : 256))
    context.ax = OK
  }

  private modeInformation(context: BiosContext): void {
    const number = context.cx & 0x3fff
    const mode = this.modes().find((candidate) => candidate.number === number)
    if (mode === undefined) {
      context.ax = FAILED
      return
    }
    const windowFunction = ((BIOS_SEGMENT << 16) | this.symbol('vbe_window')) >>> 0
    const info = vbeModeInfo(mode, { videoMemoryBytes: this.videoMemoryBytes, frameBuffer: this.frameBuffer, windowFunction })
    context.writeBytes(context.es, context.di, info)
    context.ax = OK
  }

  private setVbeMode(context: BiosContext): void {
    const request = context.bx
    const number = request & 0x1ff
    const keepMemory = (request & MODE_KEEP_MEMORY) !== 0
    if (number < 0x100) {
      context.ax = this.video.setMode(number & 0x7f, keepMemory) ? OK : FAILED
      return
    }
    const mode = this.modes().find((candidate) => candidate.number === number)
    if (mode === undefined) {
      context.ax = FAILED
      return
    }
    this.program(mode, request, keepMemory)
    context.ax = OK
  }

  private program(mode: VbeMode, request: number, keepMemory: boolean): void {
    const { vga, video } = this
    const { screen } = video
    const isLinear = (request & MODE_LFB) !== 0
    // A known base state: chain-4 memory, graphics, the default palette.
    video.setMode(0x13, true)
    vga.dispiWrite(DISPI_ENABLE, 0)
    vga.dispiWrite(DISPI_XRES, mode.width)
    vga.dispiWrite(DISPI_YRES, mode.height)
    vga.dispiWrite(DISPI_BPP, mode.bitsPerPixel)
    vga.dispiWrite(DISPI_BANK, 0)
    vga.dispiWrite(DISPI_ENABLE, DISPI_ENABLED | (isLinear ? DISPI_LFB : 0) | (keepMemory ? DISPI_NO_CLEAR : 0))
    screen.set16(bda.BDA_VBE_MODE, mode.number | (isLinear ? MODE_LFB : 0))
    screen.set16(bda.BDA_VIDEO_COLUMNS, Math.floor(mode.width / 8))
    screen.set8(bda.BDA_VIDEO_ROWS, Math.floor(mode.height / 16) - 1)
    screen.set16(bda.BDA_CHARACTER_HEIGHT, 16)
  }

  private saveRestore(context: BiosContext): void {
    const { memory } = this.options
    const { vga } = this
    switch (context.dl) {
      case 0:
        context.bx = Math.ceil(STATE_BYTES / 64)
        context.ax = OK
        return
      case 1: {
        const state = new Uint8Array(STATE_BYTES)
        const view = new DataView(state.buffer)
        DISPI_STATE.forEach((index, i) => view.setUint16(i * 2, vga.dispiRead(index), true))
        let at = DISPI_STATE.length * 2
        view.setUint16(at, vga.dispiRead(DISPI_ENABLE), true)
        view.setUint16(at + 2, this.currentNumber, true)
        at += 4
        memory.read(gpa(bda.BDA_VIDEO_MODE), state.subarray(at, at + 0x1e))
        memory.read(gpa(bda.BDA_VIDEO_ROWS), state.subarray(at + 0x1e, at + BDA_STATE_BYTES))
        at += BDA_STATE_BYTES
        for (let i = 0; i < 256; i++) state.set(vga.readDac(i), at + i * 3)
        context.writeBytes(context.es, context.bx, state)
        context.ax = OK
        return
      }
      case 2: {
        const state = new Uint8Array(STATE_BYTES)
        const view = new DataView(state.buffer)
        memory.read(gpa(linear(context.es, context.bx)), state)
        let at = DISPI_STATE.length * 2
        const enable = view.getUint16(at, true)
        const number = view.getUint16(at + 2, true)
        at += 4
        const mode = this.modes().find((candidate) => candidate.number === (number & 0x3fff))
        if (mode === undefined) this.video.setMode((state[at] ?? 3) & 0x7f, true)
        else {
          this.program(mode, number, true)
          DISPI_STATE.slice(3).forEach((index, i) => vga.dispiWrite(index, view.getUint16((i + 3) * 2, true)))
          vga.dispiWrite(DISPI_ENABLE, enable | DISPI_NO_CLEAR)
        }
        memory.write(gpa(bda.BDA_VIDEO_MODE), state.subarray(at, at + 0x1e))
        memory.write(gpa(bda.BDA_VIDEO_ROWS), state.subarray(at + 0x1e, at + BDA_STATE_BYTES))
        at += BDA_STATE_BYTES
        for (let i = 0; i < 256; i++) vga.setDac(i, state[at + i * 3] ?? 0, state[at + i * 3 + 1] ?? 0, state[at + i * 3 + 2] ?? 0)
        context.ax = OK
        return
      }
      default:
        context.ax = FAILED
    }
  }

  private window(context: BiosContext): void {
    const number = this.currentNumber
    if (number === 0 || (number & MODE_LFB) !== 0) {
      context.ax = NOT_IN_THIS_MODE
      return
    }
    if (context.bl !== 0) {
      context.ax = FAILED
      return
    }
    if (context.bh === 1) context.dx = this.vga.dispiRead(DISPI_BANK)
    else if (context.dx * 0x10000 >= this.videoMemoryBytes) {
      context.ax = FAILED
      return
    } else this.vga.dispiWrite(DISPI_BANK, context.dx)
    context.ax = OK
  }

  private scanLineLength(context: BiosContext): void {
    const mode = this.current
    if (mode === undefined) {
      context.ax = NOT_IN_THIS_MODE
      return
    }
    const bytes = bytesPerPixel(mode)
    const longest = Math.min(0xfff8, Math.floor(this.videoMemoryBytes / mode.height / bytes))
    switch (context.bl) {
      case 0:
      case 2: {
        const pixels = context.bl === 0 ? context.cx : Math.ceil(context.cx / bytes)
        if (pixels < mode.width || pixels > longest) {
          context.ax = 0x024f
          return
        }
        this.vga.dispiWrite(DISPI_VIRTUAL_WIDTH, pixels)
        break
      }
      case 1:
        break
      case 3:
        context.bx = longest * bytes
        context.cx = longest
        context.dx = mode.height
        context.ax = OK
        return
      default:
        context.ax = FAILED
        return
    }
    const width = this.vga.dispiRead(DISPI_VIRTUAL_WIDTH)
    context.bx = width * bytes
    context.cx = width
    context.dx = Math.min(0xffff, Math.floor(this.videoMemoryBytes / Math.max(1, width * bytes)))
    context.ax = OK
  }

  private displayStart(context: BiosContext): void {
    if (this.current === undefined) {
      context.ax = NOT_IN_THIS_MODE
      return
    }
    switch (context.bl & 0x7f) {
      case 0:
        this.vga.dispiWrite(DISPI_X_OFFSET, context.cx)
        this.vga.dispiWrite(DISPI_Y_OFFSET, context.dx)
        context.ax = OK
        return
      case 1:
        context.bh = 0
        context.cx = this.vga.dispiRead(DISPI_X_OFFSET)
        context.dx = this.vga.dispiRead(DISPI_Y_OFFSET)
        context.ax = OK
        return
      default:
        context.ax = FAILED
    }
  }

  private paletteFormat(context: BiosContext): void {
    const mode = this.current
    if (mode === undefined || mode.bitsPerPixel !== 8) {
      context.ax = NOT_IN_THIS_MODE
      return
    }
    const enable = this.vga.dispiRead(DISPI_ENABLE)
    if (context.bl === 0) {
      const is8Bit = context.bh >= 8
      this.vga.dispiWrite(DISPI_ENABLE, (enable & ~DISPI_8BIT_DAC) | DISPI_NO_CLEAR | (is8Bit ? DISPI_8BIT_DAC : 0))
      context.bh = is8Bit ? 8 : 6
    } else if (context.bl === 1) context.bh = (enable & DISPI_8BIT_DAC) !== 0 ? 8 : 6
    else {
      context.ax = FAILED
      return
    }
    context.ax = OK
  }

  /** Entries are blue, green, red, reserved. */
  private paletteData(context: BiosContext): void {
    const { vga } = this
    const first = context.dx
    const count = context.cx
    if (first + count > 256) {
      context.ax = FAILED
      return
    }
    switch (context.bl & 0x7f) {
      case 0:
        for (let i = 0; i < count; i++) {
          const at = context.di + i * 4
          vga.setDac(first + i, context.read8(context.es, at + 2), context.read8(context.es, at + 1), context.read8(context.es, at))
        }
        context.ax = OK
        return
      case 1:
        for (let i = 0; i < count; i++) {
          const [red, green, blue] = vga.readDac(first + i)
          context.write32(context.es, context.di + i * 4, blue | (green << 8) | (red << 16))
        }
        context.ax = OK
        return
      default:
        context.ax = FAILED
    }
  }

  /** VBE/PM 1.0: the display is always on. */
  private powerManagement(context: BiosContext): void {
    switch (context.bl) {
      case 0:
        context.bl = 0x10
        context.bh = 0
        context.ax = OK
        return
      case 1:
        context.ax = context.bh === 0 ? OK : FAILED
        return
      case 2:
        context.bh = 0
        context.ax = OK
        return
      default:
        context.ax = FAILED
    }
  }

  /** VBE/DDC 1.1. */
  private displayIdentification(context: BiosContext): void {
    switch (context.bl) {
      case 0:
        // DDC2, a block takes a second.
        context.bx = 0x0102
        context.ax = OK
        return
      case 1:
        if (context.dx !== 0) {
          context.ax = FAILED
          return
        }
        context.writeBytes(context.es, context.di, monitorEdid())
        context.ax = OK
        return
      default:
        context.ax = FAILED
    }
  }
}
