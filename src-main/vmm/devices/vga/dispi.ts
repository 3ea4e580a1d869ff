/**
 * The Bochs VBE display interface ("DISPI"): index port 1CEh, data port 1CFh or 1D0h, also in BAR 2 at 500h.
 * Source: Bochs' VBE interface description (vbe_display_api.txt) and QEMU's docs/specs/standard-vga.
 */

export const DISPI_ID = 0
export const DISPI_XRES = 1
export const DISPI_YRES = 2
export const DISPI_BPP = 3
export const DISPI_ENABLE = 4
export const DISPI_BANK = 5
export const DISPI_VIRT_WIDTH = 6
export const DISPI_VIRT_HEIGHT = 7
export const DISPI_X_OFFSET = 8
export const DISPI_Y_OFFSET = 9
export const DISPI_VIDEO_MEMORY_64K = 0x0a
const REGISTER_COUNT = 0x0b

export const DISPI_ENABLED = 0x01
export const DISPI_GETCAPS = 0x02
export const DISPI_8BIT_DAC = 0x20
export const DISPI_LFB_ENABLED = 0x40
export const DISPI_NOCLEARMEM = 0x80

const ID_FIRST = 0xb0c0
const ID_LATEST = 0xb0c5
export const DISPI_MAX_XRES = 2560
export const DISPI_MAX_YRES = 1600
export const DISPI_MAX_BPP = 32

/** A VBE mode as the renderer and the window need it. */
export interface DispiMode {
  readonly width: number
  readonly height: number
  readonly bpp: 4 | 8 | 15 | 16 | 24 | 32
  /** Bytes of a line; for 4 bpp, bytes of one plane's line. */
  readonly lineBytes: number
  readonly xOffset: number
  readonly yOffset: number
}

export interface DispiState {
  readonly index: number
  readonly registers: readonly number[]
}

export class Dispi {
  private index = 0
  private registers = new Uint16Array(REGISTER_COUNT)
  private current: DispiMode | undefined

  constructor(
    private readonly vram: Uint8Array,
    /** A mode was switched on or off, or its layout changed. */
    private readonly changed: (modeSet: boolean) => void,
  ) {
    this.reset()
  }

  reset(): void {
    this.index = 0
    this.registers.fill(0)
    this.registers[DISPI_ID] = ID_LATEST
    this.current = undefined
  }

  /** The mode that is on, or undefined while the plain VGA is. */
  get mode(): DispiMode | undefined {
    return this.current
  }

  /** Byte offset of the 64 KiB bank seen at A0000h. */
  get bankOffset(): number {
    return this.get(DISPI_BANK) * 0x10000
  }

  get eightBitDac(): boolean {
    return (this.get(DISPI_ENABLE) & DISPI_8BIT_DAC) !== 0
  }

  readIndex(): number {
    return this.index
  }

  writeIndex(value: number): void {
    this.index = value & 0xffff
  }

  readData(): number {
    return this.read(this.index)
  }

  writeData(value: number): void {
    this.write(this.index, value)
  }

  read(index: number): number {
    if (index >= REGISTER_COUNT) return 0
    if (index === DISPI_VIDEO_MEMORY_64K) return this.vram.length >>> 16
    if ((this.get(DISPI_ENABLE) & DISPI_GETCAPS) !== 0) {
      if (index === DISPI_XRES) return DISPI_MAX_XRES
      if (index === DISPI_YRES) return DISPI_MAX_YRES
      if (index === DISPI_BPP) return DISPI_MAX_BPP
    }
    return this.get(index)
  }

  write(index: number, value: number): void {
    const word = value & 0xffff
    switch (index) {
      case DISPI_ID:
        if (word >= ID_FIRST && word <= ID_LATEST) this.registers[DISPI_ID] = word
        return
      case DISPI_BANK:
        this.registers[DISPI_BANK] = word & (this.bankCount() - 1)
        this.changed(false)
        return
      case DISPI_ENABLE:
        this.writeEnable(word)
        return
      case DISPI_XRES:
      case DISPI_YRES:
      case DISPI_BPP:
      case DISPI_VIRT_WIDTH:
      case DISPI_X_OFFSET:
      case DISPI_Y_OFFSET:
        this.registers[index] = word
        if (this.current !== undefined) {
          this.apply()
          this.changed(false)
        }
        return
      default:
      // The virtual height follows from the memory; what is above does not exist.
    }
  }

  save(): DispiState {
    return { index: this.index, registers: [...this.registers] }
  }

  load(state: DispiState): void {
    this.index = state.index & 0xffff
    this.registers = Uint16Array.from({ length: REGISTER_COUNT }, (_, i) => state.registers[i] ?? 0)
    this.registers[DISPI_BANK] = this.get(DISPI_BANK) & (this.bankCount() - 1)
    this.current = undefined
    if ((this.get(DISPI_ENABLE) & DISPI_ENABLED) !== 0) this.apply()
  }

  private get(index: number): number {
    return this.registers[index] ?? 0
  }

  /** A power of two: video memory is. */
  private bankCount(): number {
    return this.vram.length >>> 16
  }

  private writeEnable(value: number): void {
    const wasOn = this.current !== undefined
    this.registers[DISPI_ENABLE] = value
    if ((value & DISPI_ENABLED) === 0) {
      this.registers[DISPI_BANK] = 0
      this.current = undefined
      this.changed(wasOn)
      return
    }
    if (!wasOn) {
      this.registers[DISPI_VIRT_WIDTH] = 0
      this.registers[DISPI_X_OFFSET] = 0
      this.registers[DISPI_Y_OFFSET] = 0
      this.registers[DISPI_BANK] = 0
    }
    this.apply()
    const mode = this.current
    if (!wasOn && mode !== undefined && (value & DISPI_NOCLEARMEM) === 0) {
      this.vram.fill(0, 0, Math.min(this.vram.length, mode.lineBytes * mode.height * (mode.bpp === 4 ? 4 : 1)))
    }
    this.changed(!wasOn)
  }

  /** Makes the registers fit each other and the memory: a guest may ask for anything. */
  private apply(): void {
    const bpp = validBpp(this.get(DISPI_BPP))
    const planes = bpp === 4 ? 4 : 1
    // Bits of a pixel in one line of bytes: a plane holds one, 15 bpp takes 16.
    const bits = bpp === 4 ? 1 : bpp === 15 ? 16 : bpp
    const width = clamp(this.get(DISPI_XRES) & ~7, 8, DISPI_MAX_XRES)
    const maxVirtual = Math.floor((this.vram.length / planes) * (8 / bits))
    const virtualWidth = clamp(this.get(DISPI_VIRT_WIDTH) & ~7, width, Math.min(0xfff8, maxVirtual))
    const lineBytes = (virtualWidth * bits) / 8
    const virtualHeight = Math.floor(this.vram.length / planes / lineBytes)
    const height = clamp(this.get(DISPI_YRES), 1, Math.min(DISPI_MAX_YRES, virtualHeight))
    const xOffset = Math.min(this.get(DISPI_X_OFFSET), virtualWidth - width)
    const yOffset = Math.min(this.get(DISPI_Y_OFFSET), virtualHeight - height)
    this.registers[DISPI_BPP] = bpp
    this.registers[DISPI_XRES] = width
    this.registers[DISPI_YRES] = height
    this.registers[DISPI_VIRT_WIDTH] = virtualWidth
    this.registers[DISPI_VIRT_HEIGHT] = Math.min(virtualHeight, 0xffff)
    this.registers[DISPI_X_OFFSET] = xOffset
    this.registers[DISPI_Y_OFFSET] = yOffset
    this.current = { width, height, bpp, lineBytes, xOffset, yOffset }
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}

function validBpp(value: number): DispiMode['bpp'] {
  switch (value) {
    case 4:
    case 15:
    case 16:
    case 24:
    case 32:
      return value
    default:
      return 8
  }
}
