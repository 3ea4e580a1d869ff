/** Register values of the standard modes (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", mode tables), for tests. */
import type { PioHandler } from '../device'

export interface ModeRegisters {
  readonly misc: number
  /** Sequencer registers 1..4. */
  readonly seq: readonly number[]
  readonly crtc: readonly number[]
  readonly gc: readonly number[]
  readonly attr: readonly number[]
}

const EGA_PALETTE = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f]
const CGA_PALETTE = [0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]
const LINEAR_PALETTE = Array.from({ length: 16 }, (_, i) => i)
const crtc = (text: string): readonly number[] => text.split(' ').map((byte) => parseInt(byte, 16))

/** 80x25 text, 720x400. */
export const MODE_03: ModeRegisters = {
  misc: 0x67,
  seq: [0x00, 0x03, 0x00, 0x02],
  crtc: crtc('5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 1f 96 b9 a3 ff'),
  gc: [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff],
  attr: [...EGA_PALETTE, 0x0c, 0x00, 0x0f, 0x08, 0x00],
}

/** 40x25 text, 360 dots doubled to 720. */
export const MODE_01: ModeRegisters = {
  ...MODE_03,
  seq: [0x08, 0x03, 0x00, 0x02],
  crtc: crtc('2d 27 28 90 2b a0 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 14 1f 96 b9 a3 ff'),
}

/** 320x200 in 4 colours (CGA). */
export const MODE_04: ModeRegisters = {
  misc: 0x63,
  seq: [0x09, 0x03, 0x00, 0x02],
  crtc: crtc('2d 27 28 90 2b 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 14 00 96 b9 a2 ff'),
  gc: [0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff],
  attr: [...CGA_PALETTE, 0x01, 0x00, 0x03, 0x00, 0x00],
}

/** 640x200 in 2 colours (CGA). */
export const MODE_06: ModeRegisters = {
  misc: 0x63,
  seq: [0x01, 0x01, 0x00, 0x06],
  crtc: crtc('5f 4f 50 82 54 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 28 00 96 b9 c2 ff'),
  gc: [0, 0, 0, 0, 0, 0x00, 0x0d, 0, 0xff],
  attr: [0, ...Array.from({ length: 15 }, () => 0x17), 0x01, 0x00, 0x01, 0x00, 0x00],
}

/** 640x480 in 16 colours, planar. */
export const MODE_12: ModeRegisters = {
  misc: 0xe3,
  seq: [0x01, 0x0f, 0x00, 0x06],
  crtc: crtc('5f 4f 50 82 54 80 0b 3e 00 40 00 00 00 00 00 00 ea 8c df 28 00 e7 04 e3 ff'),
  gc: [0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff],
  attr: [...EGA_PALETTE, 0x01, 0x00, 0x0f, 0x00, 0x00],
}

/** 320x200 in 256 colours, chained. */
export const MODE_13: ModeRegisters = {
  misc: 0x63,
  seq: [0x01, 0x0f, 0x00, 0x0e],
  crtc: crtc('5f 4f 50 82 54 80 bf 1f 00 41 00 00 00 00 00 00 9c 8e 8f 28 40 96 b9 a3 ff'),
  gc: [0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff],
  attr: [...LINEAR_PALETTE, 0x41, 0x00, 0x0f, 0x00, 0x00],
}

/** "Mode X": 320x240 in 256 colours, planar (Abrash, Graphics Programming Black Book, chapter 47). */
export const MODE_X: ModeRegisters = {
  ...MODE_13,
  misc: 0xe3,
  seq: [0x01, 0x0f, 0x00, 0x06],
  crtc: crtc('5f 4f 50 82 54 80 0d 3e 00 41 00 00 00 00 00 00 ea ac df 28 00 e7 06 e3 ff'),
}

export function setMode(vga: PioHandler, mode: ModeRegisters): void {
  const indexed = (port: number, index: number, value: number): void => {
    vga.pioWrite(port, 1, index)
    vga.pioWrite(port + 1, 1, value)
  }
  vga.pioWrite(0x3c2, 1, mode.misc)
  mode.seq.forEach((value, i) => indexed(0x3c4, i + 1, value))
  indexed(0x3d4, 0x11, 0)
  mode.crtc.forEach((value, i) => indexed(0x3d4, i, value))
  mode.gc.forEach((value, i) => indexed(0x3ce, i, value))
  vga.pioRead(0x3da, 1)
  mode.attr.forEach((value, i) => {
    vga.pioWrite(0x3c0, 1, i)
    vga.pioWrite(0x3c0, 1, value)
  })
  vga.pioWrite(0x3c0, 1, 0x20)
  vga.pioWrite(0x3c6, 1, 0xff)
}

/** The 64 colours of an EGA monitor: bits 0..2 are blue, green, red at two thirds, bits 3..5 the same at one third. */
export function loadEgaColours(vga: PioHandler): void {
  vga.pioWrite(0x3c8, 1, 0)
  for (let i = 0; i < 64; i++) {
    for (const bit of [2, 1, 0]) vga.pioWrite(0x3c9, 1, ((i >> bit) & 1) * 42 + ((i >> (bit + 3)) & 1) * 21)
  }
}

/** A colour cube of 6x6x6 with a grey ramp after it. */
export function loadCubeColours(vga: PioHandler): void {
  vga.pioWrite(0x3c8, 1, 0)
  for (let i = 0; i < 256; i++) {
    const grey = i >= 216 ? Math.round(((i - 216) * 63) / 39) : undefined
    for (const step of [36, 6, 1]) vga.pioWrite(0x3c9, 1, grey ?? Math.round(((Math.floor(i / step) % 6) * 63) / 5))
  }
}

/** Loads a font of 256 glyphs into plane 2 the way a BIOS does: planar access to A0000h, then the text registers again. */
export function loadFont(vga: PioHandler, writeByte: (address: number, value: number) => void, font: Uint8Array, height: number, offset = 0): void {
  const indexed = (port: number, index: number, value: number): void => {
    vga.pioWrite(port, 1, index)
    vga.pioWrite(port + 1, 1, value)
  }
  indexed(0x3c4, 2, 0x04)
  indexed(0x3c4, 4, 0x07)
  indexed(0x3ce, 5, 0x00)
  indexed(0x3ce, 6, 0x04)
  for (let code = 0; code < 256; code++) {
    for (let row = 0; row < height; row++) writeByte(0xa0000 + offset + code * 32 + row, font[code * height + row] ?? 0)
  }
  indexed(0x3c4, 2, 0x03)
  indexed(0x3c4, 4, 0x02)
  indexed(0x3ce, 5, 0x10)
  indexed(0x3ce, 6, 0x0e)
}
