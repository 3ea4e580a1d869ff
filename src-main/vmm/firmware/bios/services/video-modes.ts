/** Register values of the VGA's standard modes. IBM VGA/XGA Technical Reference; FreeVGA's register descriptions. */
export type VideoMemoryModel = 'text' | 'cga' | 'planar' | 'packed'

export interface VideoMode {
  readonly mode: number
  readonly model: VideoMemoryModel
  readonly columns: number
  readonly rows: number
  readonly characterHeight: 8 | 14 | 16
  readonly width: number
  readonly height: number
  readonly bitsPerPixel: number
  /** Start of video memory. */
  readonly memory: number
  /** Bytes of a display page, and how many pages. */
  readonly pageBytes: number
  readonly pages: number
  readonly misc: number
  readonly sequencer: readonly number[]
  readonly crtc: readonly number[]
  readonly attribute: readonly number[]
  readonly graphics: readonly number[]
  readonly palette: 'ega' | 'cga' | 'mono' | '256'
  /** Value of 40:65h (mode control of the CGA). */
  readonly modeControl: number
}

const hex = (text: string): number[] => text.trim().split(/\s+/).map((byte) => parseInt(byte, 16))

const ATTRIBUTE_TEXT = hex('00 01 02 03 04 05 14 07 38 39 3a 3b 3c 3d 3e 3f 0c 00 0f 08')
const ATTRIBUTE_MONO = hex('00 08 08 08 08 08 08 08 10 18 18 18 18 18 18 18 0e 00 0f 08')
const ATTRIBUTE_CGA4 = hex('00 13 15 17 02 04 06 07 10 11 12 13 14 15 16 17 01 00 03 00')
const ATTRIBUTE_CGA2 = hex('00 17 17 17 17 17 17 17 17 17 17 17 17 17 17 17 01 00 01 00')
const ATTRIBUTE_200 = hex('00 01 02 03 04 05 06 07 10 11 12 13 14 15 16 17 01 00 0f 00')
const ATTRIBUTE_MONO_GRAPHICS = hex('00 08 00 00 18 18 00 00 00 08 00 00 00 18 00 00 0b 00 05 00')
const ATTRIBUTE_EGA = hex('00 01 02 03 04 05 14 07 38 39 3a 3b 3c 3d 3e 3f 01 00 0f 00')
const ATTRIBUTE_VGA2 = hex('00 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 3f 01 00 0f 00')
const ATTRIBUTE_256 = hex('00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 41 00 0f 00')

const CRTC_40 = hex('2d 27 28 90 2b a0 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 14 1f 96 b9 a3 ff')
const CRTC_80 = hex('5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 1f 96 b9 a3 ff')
const CRTC_MONO = hex('5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 0f 96 b9 a3 ff')
const CRTC_CGA4 = hex('2d 27 28 90 2b 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 14 00 96 b9 a2 ff')
const CRTC_CGA2 = hex('5f 4f 50 82 54 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 28 00 96 b9 c2 ff')
const CRTC_320 = hex('2d 27 28 90 2b 80 bf 1f 00 c0 00 00 00 00 00 00 9c 8e 8f 14 00 96 b9 e3 ff')
const CRTC_640 = hex('5f 4f 50 82 54 80 bf 1f 00 c0 00 00 00 00 00 00 9c 8e 8f 28 00 96 b9 e3 ff')
const CRTC_350 = hex('5f 4f 50 82 54 80 bf 1f 00 40 00 00 00 00 00 00 83 85 5d 28 0f 63 ba e3 ff')
const CRTC_480 = hex('5f 4f 50 82 54 80 0b 3e 00 40 00 00 00 00 00 00 ea 8c df 28 00 e7 04 e3 ff')
const CRTC_256 = hex('5f 4f 50 82 54 80 bf 1f 00 41 00 00 00 00 00 00 9c 8e 8f 28 40 96 b9 a3 ff')

type Fixed = 'mode' | 'model' | 'columns' | 'characterHeight' | 'height' | 'misc' | 'crtc' | 'attribute' | 'palette' | 'modeControl' | 'pageBytes' | 'pages'
function mode(values: Pick<VideoMode, Fixed> & { sequencer: string; graphics: string; memory?: number; bitsPerPixel?: number; width?: number }): VideoMode {
  const { sequencer, graphics, memory = 0xb8000, bitsPerPixel = 4, width = values.columns * 8, ...rest } = values
  const rows = Math.floor(values.height / values.characterHeight)
  return { ...rest, rows, memory, bitsPerPixel, width, sequencer: hex(sequencer), graphics: hex(graphics) }
}

const TEXT_40 = { model: 'text', columns: 40, characterHeight: 16, height: 400, misc: 0x67, crtc: CRTC_40, attribute: ATTRIBUTE_TEXT, palette: 'ega', pageBytes: 0x800, pages: 8, sequencer: '08 03 00 02', graphics: '00 00 00 00 00 10 0e 0f ff' } as const
const TEXT_80 = { model: 'text', columns: 80, characterHeight: 16, height: 400, misc: 0x67, crtc: CRTC_80, attribute: ATTRIBUTE_TEXT, palette: 'ega', pageBytes: 0x1000, pages: 8, sequencer: '00 03 00 02', graphics: '00 00 00 00 00 10 0e 0f ff' } as const
const CGA_4 = { model: 'cga', columns: 40, characterHeight: 8, height: 200, misc: 0x63, crtc: CRTC_CGA4, attribute: ATTRIBUTE_CGA4, palette: 'cga', pageBytes: 0x4000, pages: 1, sequencer: '09 03 00 02', graphics: '00 00 00 00 00 30 0f 0f ff', bitsPerPixel: 2 } as const
const PLANAR = { model: 'planar', palette: 'ega', modeControl: 0x29, memory: 0xa0000, graphics: '00 00 00 00 00 00 05 0f ff' } as const

export const VIDEO_MODES: readonly VideoMode[] = [
  mode({ mode: 0, modeControl: 0x2c, ...TEXT_40 }),
  mode({ mode: 1, modeControl: 0x28, ...TEXT_40 }),
  mode({ mode: 2, modeControl: 0x2d, ...TEXT_80 }),
  mode({ mode: 3, modeControl: 0x29, ...TEXT_80 }),
  mode({ mode: 4, modeControl: 0x2a, ...CGA_4 }),
  mode({ mode: 5, modeControl: 0x2e, ...CGA_4 }),
  mode({ mode: 6, modeControl: 0x1e, model: 'cga', columns: 80, characterHeight: 8, height: 200, misc: 0x63, crtc: CRTC_CGA2, attribute: ATTRIBUTE_CGA2, palette: 'cga', pageBytes: 0x4000, pages: 1, sequencer: '01 01 00 06', graphics: '00 00 00 00 00 00 0d 0f ff', bitsPerPixel: 1 }),
  mode({ mode: 7, modeControl: 0x29, model: 'text', columns: 80, characterHeight: 16, height: 400, misc: 0x66, crtc: CRTC_MONO, attribute: ATTRIBUTE_MONO, palette: 'mono', pageBytes: 0x1000, pages: 8, sequencer: '00 03 00 02', graphics: '00 00 00 00 00 10 0a 0f ff', memory: 0xb0000 }),
  mode({ mode: 0x0d, ...PLANAR, columns: 40, characterHeight: 8, height: 200, misc: 0x63, crtc: CRTC_320, attribute: ATTRIBUTE_200, palette: 'cga', pageBytes: 0x2000, pages: 8, sequencer: '09 0f 00 06' }),
  mode({ mode: 0x0e, ...PLANAR, columns: 80, characterHeight: 8, height: 200, misc: 0x63, crtc: CRTC_640, attribute: ATTRIBUTE_200, palette: 'cga', pageBytes: 0x4000, pages: 4, sequencer: '01 0f 00 06' }),
  mode({ mode: 0x0f, ...PLANAR, columns: 80, characterHeight: 14, height: 350, misc: 0xa2, crtc: CRTC_350, attribute: ATTRIBUTE_MONO_GRAPHICS, palette: 'mono', pageBytes: 0x8000, pages: 2, sequencer: '01 0f 00 06', graphics: '00 00 00 00 00 00 05 05 ff' }),
  mode({ mode: 0x10, ...PLANAR, columns: 80, characterHeight: 14, height: 350, misc: 0xa3, crtc: CRTC_350, attribute: ATTRIBUTE_EGA, pageBytes: 0x8000, pages: 2, sequencer: '01 0f 00 06' }),
  mode({ mode: 0x11, ...PLANAR, columns: 80, characterHeight: 16, height: 480, misc: 0xe3, crtc: CRTC_480, attribute: ATTRIBUTE_VGA2, pageBytes: 0xa000, pages: 1, sequencer: '01 0f 00 06', graphics: '00 00 00 00 00 00 05 01 ff', bitsPerPixel: 1 }),
  mode({ mode: 0x12, ...PLANAR, columns: 80, characterHeight: 16, height: 480, misc: 0xe3, crtc: CRTC_480, attribute: ATTRIBUTE_EGA, pageBytes: 0xa000, pages: 1, sequencer: '01 0f 00 06' }),
  mode({ mode: 0x13, modeControl: 0x29, model: 'packed', columns: 40, characterHeight: 8, height: 200, misc: 0x63, crtc: CRTC_256, attribute: ATTRIBUTE_256, palette: '256', pageBytes: 0x10000, pages: 1, sequencer: '01 0f 00 0e', graphics: '00 00 00 00 00 40 05 0f ff', memory: 0xa0000, bitsPerPixel: 8 }),
]

export function videoModeNumbered(number: number): VideoMode | undefined {
  return VIDEO_MODES.find((candidate) => candidate.mode === number)
}

type Rgb = readonly [number, number, number]

/** The EGA's 64 colours: bits 0..2 blue green red at two thirds, bits 3..5 the same at one third. */
function egaColour(index: number): Rgb {
  const level = (high: number, low: number): number => (((index >> high) & 1) * 2 + ((index >> low) & 1)) * 0x15
  return [level(2, 5), level(1, 4), level(0, 3)]
}
/** The CGA's 16: bit 4 is intensity; dark yellow is brown. */
function cgaColour(index: number): Rgb {
  const bright = (index & 0x10) !== 0 ? 0x15 : 0
  const channel = (bit: number): number => (((index >> bit) & 1) !== 0 ? 0x2a : 0) + bright
  const red = channel(2)
  const green = channel(1)
  return (index & 0x17) === 6 ? [red, 0x15, 0] : [red, green, channel(0)]
}
function monoColour(index: number): Rgb {
  const grey = [0, 0x2a, 0, 0x3f][(index >> 3) & 3] ?? 0
  return [grey, grey, grey]
}

/** Levels of the 9 colour circles of the 256-colour palette: 3 intensities by 3 saturations, five steps each. */
const CIRCLES = [
  [0x00, 0x10, 0x1f, 0x2f, 0x3f], [0x1f, 0x27, 0x2f, 0x37, 0x3f], [0x2d, 0x31, 0x36, 0x3a, 0x3f],
  [0x00, 0x07, 0x0e, 0x15, 0x1c], [0x0e, 0x11, 0x15, 0x18, 0x1c], [0x14, 0x16, 0x18, 0x1a, 0x1c],
  [0x00, 0x04, 0x08, 0x0c, 0x10], [0x08, 0x0a, 0x0c, 0x0e, 0x10], [0x0b, 0x0c, 0x0d, 0x0f, 0x10],
] as const
const GREYS = [0x00, 0x05, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f]

/** Around the circle in 24 steps, from blue over red, yellow, green and cyan back to blue. */
function circleColour(levels: readonly number[], step: number): Rgb {
  const level = (n: number): number => levels[n] ?? 0
  const phase = Math.floor(step / 4)
  const up = level(step % 4)
  const down = level(4 - (step % 4))
  const low = level(0)
  const high = level(4)
  const phases: readonly Rgb[] = [[up, low, high], [high, low, down], [high, up, low], [down, high, low], [low, high, up], [low, down, high]]
  return phases[phase] ?? [0, 0, 0]
}

export function paletteEntry(palette: VideoMode['palette'], index: number): Rgb {
  switch (palette) {
    case 'ega':
      return index < 64 ? egaColour(index) : [0, 0, 0]
    case 'cga':
      return index < 64 ? cgaColour(index) : [0, 0, 0]
    case 'mono':
      return index < 64 ? monoColour(index) : [0, 0, 0]
    case '256': {
      if (index < 16) return cgaColour((index & 7) | ((index & 8) << 1))
      const grey = GREYS[index - 16]
      if (grey !== undefined) return [grey, grey, grey]
      const circle = CIRCLES[Math.floor((index - 32) / 24)]
      return circle === undefined ? [0, 0, 0] : circleColour(circle, (index - 32) % 24)
    }
  }
}
