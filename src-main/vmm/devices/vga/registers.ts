/**
 * The register file of a VGA, shared by the ports, the memory window and the renderer.
 * Names as in IBM's VGA documentation (PS/2 Hardware Interface Technical Reference, "Video Subsystem").
 */

/** Writable bits of the sequencer, graphics controller and attribute controller registers. */
export const SEQ_MASKS: readonly number[] = [0x03, 0x3d, 0x0f, 0x3f, 0x0e]
export const GC_MASKS: readonly number[] = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff]
export const ATTR_MASKS: readonly number[] = [...Array.from({ length: 16 }, () => 0x3f), 0xef, 0xff, 0x3f, 0x0f, 0x0f]
export const CRTC_COUNT = 0x19

// Sequencer
export const SEQ_CLOCKING_MODE = 1
export const SEQ_CLOCKING_8_DOTS = 0x01
export const SEQ_CLOCKING_HALF = 0x08
export const SEQ_CLOCKING_SCREEN_OFF = 0x20
export const SEQ_MAP_MASK = 2
export const SEQ_CHARACTER_MAP = 3
export const SEQ_MEMORY_MODE = 4
/** Set: addresses are not split over even and odd planes. */
export const SEQ_MEMORY_SEQUENTIAL = 0x04
export const SEQ_MEMORY_CHAIN4 = 0x08

// Graphics controller
export const GC_SET_RESET = 0
export const GC_ENABLE_SET_RESET = 1
export const GC_COLOUR_COMPARE = 2
export const GC_DATA_ROTATE = 3
export const GC_READ_MAP = 4
export const GC_MODE = 5
export const GC_MODE_READ_COMPARE = 0x08
export const GC_MODE_ODD_EVEN = 0x10
export const GC_MODE_SHIFT_INTERLEAVE = 0x20
export const GC_MODE_SHIFT_256 = 0x40
export const GC_MISC = 6
export const GC_MISC_GRAPHICS = 0x01
export const GC_COLOUR_DONT_CARE = 7
export const GC_BIT_MASK = 8

// CRT controller
export const CRTC_HORIZONTAL_TOTAL = 0x00
export const CRTC_HORIZONTAL_DISPLAY_END = 0x01
export const CRTC_VERTICAL_TOTAL = 0x06
export const CRTC_OVERFLOW = 0x07
export const CRTC_PRESET_ROW_SCAN = 0x08
export const CRTC_MAXIMUM_SCAN_LINE = 0x09
export const CRTC_MAXIMUM_SCAN_LINE_DOUBLE = 0x80
export const CRTC_CURSOR_START = 0x0a
export const CRTC_CURSOR_START_OFF = 0x20
export const CRTC_CURSOR_END = 0x0b
export const CRTC_START_HIGH = 0x0c
export const CRTC_START_LOW = 0x0d
export const CRTC_CURSOR_HIGH = 0x0e
export const CRTC_CURSOR_LOW = 0x0f
export const CRTC_VERTICAL_RETRACE_START = 0x10
export const CRTC_VERTICAL_RETRACE_END = 0x11
/** Set: registers 0..7 are read-only, but for bit 4 of the overflow register. */
export const CRTC_VERTICAL_RETRACE_END_PROTECT = 0x80
export const CRTC_VERTICAL_DISPLAY_END = 0x12
export const CRTC_OFFSET = 0x13
export const CRTC_UNDERLINE = 0x14
export const CRTC_UNDERLINE_DOUBLEWORD = 0x40
export const CRTC_MODE = 0x17
export const CRTC_MODE_NOT_ROW_SCAN_0 = 0x01
export const CRTC_MODE_NOT_ROW_SCAN_1 = 0x02
export const CRTC_MODE_HALF_LINES = 0x04
export const CRTC_MODE_WRAP_15 = 0x20
export const CRTC_MODE_BYTE = 0x40
export const CRTC_LINE_COMPARE = 0x18

// Attribute controller
export const ATTR_MODE = 0x10
export const ATTR_MODE_LINE_GRAPHICS = 0x04
export const ATTR_MODE_BLINK = 0x08
export const ATTR_MODE_SPLIT_STOPS_PANNING = 0x20
export const ATTR_MODE_PALETTE_54 = 0x80
export const ATTR_OVERSCAN = 0x11
export const ATTR_PLANE_ENABLE = 0x12
export const ATTR_PANNING = 0x13
export const ATTR_COLOUR_SELECT = 0x14
/** In the index register: the palette feeds the display; clear: the screen shows the overscan colour and the palette can be written. */
export const ATTR_INDEX_VIDEO_ON = 0x20

// Miscellaneous output
export const MISC_COLOUR_PORTS = 0x01
export const MISC_RAM_ENABLE = 0x02
export const MISC_CLOCK_28 = 0x04

export interface VgaRegisters {
  readonly seq: Uint8Array
  readonly gc: Uint8Array
  readonly crtc: Uint8Array
  readonly attr: Uint8Array
  misc: number
  /** Index of the attribute controller with ATTR_INDEX_VIDEO_ON. */
  attrIndex: number
}

export function createRegisters(): VgaRegisters {
  return {
    seq: new Uint8Array(SEQ_MASKS.length),
    gc: new Uint8Array(GC_MASKS.length),
    crtc: new Uint8Array(CRTC_COUNT),
    attr: new Uint8Array(ATTR_MASKS.length),
    misc: 0,
    attrIndex: 0,
  }
}

/** After a reset no mode is set: the display is off and the firmware's first mode set brings everything up. */
export function resetRegisters(regs: VgaRegisters): void {
  regs.seq.fill(0)
  regs.gc.fill(0)
  regs.crtc.fill(0)
  regs.attr.fill(0)
  regs.misc = 0
  regs.attrIndex = 0
}
