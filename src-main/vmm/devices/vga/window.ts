/**
 * The memory window A0000h..BFFFFh: the graphics controller's read and write modes over four planes.
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", Graphics Controller and Sequencer registers.
 *
 * Plane P's byte at plane address A is video memory byte A * 4 + P, so that one 32-bit word holds all four planes of an address: a latch.
 * As in the hardware, odd/even and chain-4 addressing drop the address bits that select the plane instead of shifting them out; the CRT
 * controller's word and doubleword modes skip the same places.
 */
import * as R from './registers'
import type { MmioHandler, Width } from '../device'
import type { VgaRegisters } from './registers'
import type { Dispi } from './dispi'

/** Byte mask of four planes for a 4-bit value. */
const PLANES: Uint32Array = Uint32Array.from({ length: 16 }, (_, bits) => {
  const byte = (plane: number): number => ((bits >> plane) & 1) * 0xff
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0
})

const PAGE_SHIFT = 12

export class VgaWindow implements MmioHandler {
  latch = 0
  /** Something was written since the renderer looked. */
  touched = false
  /** Planes 2 or 3 were among it, where text modes keep fonts. */
  fontsTouched = false
  /** One byte for each 4 KiB page of video memory written through the window; used in packed-pixel modes. */
  readonly dirtyPages: Uint8Array
  private readonly words: Uint32Array
  private first = 0
  private mask = 0
  private mapped = false
  private linear = false
  private simple = false

  constructor(
    private readonly regs: VgaRegisters,
    private readonly dispi: Dispi,
    private readonly vram: Uint8Array,
  ) {
    this.words = new Uint32Array(vram.buffer, vram.byteOffset, vram.length >>> 2)
    this.dirtyPages = new Uint8Array(vram.length >>> PAGE_SHIFT)
  }

  /** To be called after a register changed: works out what each access would otherwise ask again. */
  registersChanged(): void {
    const { gc, misc } = this.regs
    const map = ((gc[R.GC_MISC] ?? 0) >> 2) & 3
    this.first = map < 2 ? 0 : map === 2 ? 0x10000 : 0x18000
    this.mask = map === 0 ? 0x1ffff : map === 1 ? 0xffff : 0x7fff
    this.mapped = (misc & R.MISC_RAM_ENABLE) !== 0
    const mode = this.dispi.mode
    this.linear = mode !== undefined && mode.bpp !== 4
    this.simple =
      ((gc[R.GC_MODE] ?? 0) & 3) === 0 &&
      ((gc[R.GC_ENABLE_SET_RESET] ?? 0) & 0x0f) === 0 &&
      gc[R.GC_DATA_ROTATE] === 0 &&
      gc[R.GC_BIT_MASK] === 0xff
  }

  mmioRead(offset: number, width: Width): number {
    let value = 0
    for (let i = 0; i < width; i++) value |= this.readByte(offset + i) << (8 * i)
    return value >>> 0
  }

  mmioWrite(offset: number, width: Width, value: number): undefined {
    for (let i = 0; i < width; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff)
    return undefined
  }

  private contains(offset: number): boolean {
    return this.mapped && offset >= this.first && offset - this.first <= this.mask
  }

  private linearOffset(offset: number): number {
    return (this.dispi.bankOffset + (offset - this.first)) & (this.vram.length - 1)
  }

  /** Planar modes reach beyond 64 KiB of each plane only by the VBE bank. */
  private wordIndex(planeAddress: number): number {
    const bank = this.dispi.mode === undefined ? 0 : this.dispi.bankOffset
    return ((planeAddress & 0xffff) + bank) & (this.words.length - 1)
  }

  private readByte(offset: number): number {
    if (!this.contains(offset)) return 0xff
    if (this.linear) return this.vram[this.linearOffset(offset)] ?? 0xff
    const { seq, gc } = this.regs
    let address = offset - this.first
    let plane = (gc[R.GC_READ_MAP] ?? 0) & 3
    if (((seq[R.SEQ_MEMORY_MODE] ?? 0) & R.SEQ_MEMORY_CHAIN4) !== 0) {
      plane = address & 3
      address &= ~3
    } else if (((gc[R.GC_MODE] ?? 0) & R.GC_MODE_ODD_EVEN) !== 0) {
      plane = (plane & 2) | (address & 1)
      address &= ~1
    }
    const word = this.words[this.wordIndex(address)] ?? 0
    this.latch = word
    if (((gc[R.GC_MODE] ?? 0) & R.GC_MODE_READ_COMPARE) === 0) return (word >>> (8 * plane)) & 0xff
    // Colour compare: a bit is set where all planes that count agree with the compare colour.
    const differs = (word ^ (PLANES[gc[R.GC_COLOUR_COMPARE] ?? 0] ?? 0)) & (PLANES[gc[R.GC_COLOUR_DONT_CARE] ?? 0] ?? 0)
    return ~(differs | (differs >>> 8) | (differs >>> 16) | (differs >>> 24)) & 0xff
  }

  private writeByte(offset: number, value: number): void {
    if (!this.contains(offset)) return
    this.touched = true
    if (this.linear) {
      const at = this.linearOffset(offset)
      this.vram[at] = value
      this.dirtyPages[at >>> PAGE_SHIFT] = 1
      return
    }
    const { seq } = this.regs
    const memoryMode = seq[R.SEQ_MEMORY_MODE] ?? 0
    let address = offset - this.first
    let planes = (seq[R.SEQ_MAP_MASK] ?? 0) & 0x0f
    if ((memoryMode & R.SEQ_MEMORY_CHAIN4) !== 0) {
      planes &= 1 << (address & 3)
      address &= ~3
    } else if ((memoryMode & R.SEQ_MEMORY_SEQUENTIAL) === 0) {
      planes &= (address & 1) !== 0 ? 0x0a : 0x05
      address &= ~1
    }
    if (planes === 0) return
    if (planes > 3) this.fontsTouched = true
    const index = this.wordIndex(address)
    this.dirtyPages[index >>> (PAGE_SHIFT - 2)] = 1
    const written = PLANES[planes] ?? 0
    const data = this.simple ? value * 0x01010101 : this.combine(value)
    this.words[index] = ((this.words[index] ?? 0) & ~written) | (data & written)
  }

  /** Write modes 0 to 3: rotate, set/reset, logical function with the latches, bit mask. */
  private combine(value: number): number {
    const { gc } = this.regs
    const rotate = gc[R.GC_DATA_ROTATE] ?? 0
    const setReset = PLANES[(gc[R.GC_SET_RESET] ?? 0) & 0x0f] ?? 0
    const rotated = ((value >> (rotate & 7)) | (value << (8 - (rotate & 7)))) & 0xff
    let bits = gc[R.GC_BIT_MASK] ?? 0
    let data: number
    switch ((gc[R.GC_MODE] ?? 0) & 3) {
      case 0: {
        const enabled = PLANES[(gc[R.GC_ENABLE_SET_RESET] ?? 0) & 0x0f] ?? 0
        data = ((rotated * 0x01010101) & ~enabled) | (setReset & enabled)
        break
      }
      case 1:
        return this.latch
      case 2:
        data = PLANES[value & 0x0f] ?? 0
        break
      default:
        bits &= rotated
        data = setReset
    }
    switch (rotate & 0x18) {
      case 0x08:
        data &= this.latch
        break
      case 0x10:
        data |= this.latch
        break
      case 0x18:
        data ^= this.latch
        break
      default:
      // Function 0: the data as they are.
    }
    const mask = bits * 0x01010101
    return (data & mask) | (this.latch & ~mask)
  }
}
