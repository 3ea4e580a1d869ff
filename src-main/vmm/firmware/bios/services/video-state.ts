/** INT 10h AH=1Ch: saves and restores registers, data area and DAC. IBM PS/2 and PC BIOS Interface Technical Reference; the layout is the BIOS's own. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosOptions } from '../host'
import type { VgaPorts } from './vga-ports'

const WHAT_REGISTERS = 1
const WHAT_DATA = 2
const WHAT_DAC = 4
const WHAT_ALL = WHAT_REGISTERS | WHAT_DATA | WHAT_DAC

const SEQUENCER_REGISTERS = 5
const CRTC_REGISTERS = 25
const GRAPHICS_REGISTERS = 9
const ATTRIBUTE_REGISTERS = 21
const REGISTER_BYTES = 1 + SEQUENCER_REGISTERS + CRTC_REGISTERS + GRAPHICS_REGISTERS + ATTRIBUTE_REGISTERS
/** The video parts of the data area, and the vectors of fonts: first byte and count. */
const DATA_AREAS: readonly (readonly [address: number, bytes: number])[] = [
  [bda.BDA_VIDEO_MODE, 0x1e], [bda.BDA_VIDEO_ROWS, 7], [bda.BDA_VIDEO_SAVE_POINTER, 4], [bda.BDA_VBE_MODE, 2], [0x1f * 4, 4], [0x43 * 4, 4],
]
const DATA_BYTES = DATA_AREAS.reduce((sum, [, bytes]) => sum + bytes, 0)
const DAC_BYTES = 1 + 256 * 3
/** Sizes are told in blocks of 64 bytes. */
const BLOCK = 64

export class VideoState {
  constructor(
    private readonly options: BiosOptions,
    private readonly vga: VgaPorts,
  ) {}

  handle(context: BiosContext): void {
    const what = context.cx & WHAT_ALL
    if (what === 0 || context.al > 2) return
    const state = new Uint8Array(this.bytesOf(what))
    if (context.al === 0) context.bx = Math.ceil(state.length / BLOCK)
    else if (context.al === 1) {
      this.save(what, state)
      context.writeBytes(context.es, context.bx, state)
    } else {
      this.options.memory.read(gpa(linear(context.es, context.bx)), state)
      this.restore(what, state)
    }
    context.al = 0x1c
  }

  private bytesOf(what: number): number {
    return (what & WHAT_REGISTERS ? REGISTER_BYTES : 0) + (what & WHAT_DATA ? DATA_BYTES : 0) + (what & WHAT_DAC ? DAC_BYTES : 0)
  }

  private save(what: number, state: Uint8Array): void {
    const { vga } = this
    let at = 0
    const put = (count: number, read: (index: number) => number): void => {
      for (let i = 0; i < count; i++) state[at++] = read(i)
    }
    if (what & WHAT_REGISTERS) {
      put(1, () => vga.in(0x3cc))
      put(SEQUENCER_REGISTERS, (i) => vga.readSequencer(i))
      put(CRTC_REGISTERS, (i) => vga.readCrtc(i))
      put(GRAPHICS_REGISTERS, (i) => vga.readGraphics(i))
      put(ATTRIBUTE_REGISTERS, (i) => vga.readAttribute(i))
    }
    if (what & WHAT_DATA) {
      for (const [address, bytes] of DATA_AREAS) {
        this.options.memory.read(gpa(address), state.subarray(at, at + bytes))
        at += bytes
      }
    }
    if (what & WHAT_DAC) {
      put(1, () => vga.in(0x3c6))
      for (let i = 0; i < 256; i++) for (const level of vga.readDac(i)) state[at++] = level
    }
  }

  private restore(what: number, state: Uint8Array): void {
    const { vga } = this
    let at = 0
    const take = (): number => state[at++] ?? 0
    const each = (count: number, write: (index: number, value: number) => void): void => {
      for (let i = 0; i < count; i++) write(i, take())
    }
    if (what & WHAT_REGISTERS) {
      vga.out(0x3c2, take())
      each(SEQUENCER_REGISTERS, (i, value) => vga.sequencer(i, value))
      // Register 11h's top bit protects 0..7.
      vga.crtc(0x11, 0)
      each(CRTC_REGISTERS, (i, value) => vga.crtc(i, value))
      each(GRAPHICS_REGISTERS, (i, value) => vga.graphics(i, value))
      each(ATTRIBUTE_REGISTERS, (i, value) => vga.attribute(i, value))
    }
    if (what & WHAT_DATA) {
      for (const [address, bytes] of DATA_AREAS) {
        this.options.memory.write(gpa(address), state.subarray(at, at + bytes))
        at += bytes
      }
    }
    if (what & WHAT_DAC) {
      vga.out(0x3c6, take())
      each(256, (i, red) => vga.setDac(i, red, take(), take()))
    }
  }
}
