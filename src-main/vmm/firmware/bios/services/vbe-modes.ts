/** The VBE modes on offer. Numbers up to 11Bh are VESA's; the others are ours, as VBE 3.0 leaves them to the OEM. */
export interface VbeMode {
  readonly number: number
  readonly width: number
  readonly height: number
  readonly bitsPerPixel: 8 | 15 | 16 | 24 | 32
}

const VESA: readonly (readonly [number, number, number, VbeMode['bitsPerPixel']])[] = [
  [0x100, 640, 400, 8], [0x101, 640, 480, 8], [0x103, 800, 600, 8], [0x105, 1024, 768, 8], [0x107, 1280, 1024, 8],
  [0x10d, 320, 200, 15], [0x10e, 320, 200, 16], [0x10f, 320, 200, 24],
  [0x110, 640, 480, 15], [0x111, 640, 480, 16], [0x112, 640, 480, 24],
  [0x113, 800, 600, 15], [0x114, 800, 600, 16], [0x115, 800, 600, 24],
  [0x116, 1024, 768, 15], [0x117, 1024, 768, 16], [0x118, 1024, 768, 24],
  [0x119, 1280, 1024, 15], [0x11a, 1280, 1024, 16], [0x11b, 1280, 1024, 24],
]
const DEEP: readonly (readonly [number, number])[] = [
  [320, 200], [640, 400], [640, 480], [800, 600], [1024, 768], [1280, 1024], [1152, 864], [1280, 720], [1280, 800], [1280, 960],
  [1360, 768], [1440, 900], [1600, 900], [1600, 1200], [1680, 1050], [1920, 1080], [1920, 1200],
]

export const VBE_MODES: readonly VbeMode[] = [
  ...VESA.map(([number, width, height, bitsPerPixel]) => ({ number, width, height, bitsPerPixel })),
  ...DEEP.map(([width, height], i): VbeMode => ({ number: 0x140 + i, width, height, bitsPerPixel: 32 })),
  ...DEEP.slice(6).map(([width, height], i): VbeMode => ({ number: 0x160 + i, width, height, bitsPerPixel: 16 })),
  ...DEEP.slice(6).map(([width, height], i): VbeMode => ({ number: 0x180 + i, width, height, bitsPerPixel: 24 })),
]

export const bytesPerPixel = (mode: VbeMode): number => Math.ceil(mode.bitsPerPixel / 8)
export const vbeModeBytes = (mode: VbeMode): number => mode.width * mode.height * bytesPerPixel(mode)

export function vbeModesThatFit(videoMemoryBytes: number): readonly VbeMode[] {
  return VBE_MODES.filter((mode) => vbeModeBytes(mode) <= videoMemoryBytes)
}

/** Red, green, blue, reserved: size and position of each channel. VBE 3.0, section 4.4. */
function channels(bitsPerPixel: VbeMode['bitsPerPixel']): readonly number[] {
  switch (bitsPerPixel) {
    case 8:
      return [0, 0, 0, 0, 0, 0, 0, 0]
    case 15:
      return [5, 10, 5, 5, 5, 0, 1, 15]
    case 16:
      return [5, 11, 6, 5, 5, 0, 0, 0]
    case 24:
      return [8, 16, 8, 8, 8, 0, 0, 0]
    case 32:
      return [8, 16, 8, 8, 8, 0, 8, 24]
  }
}

export interface VbeModeInfoOptions {
  readonly videoMemoryBytes: number
  /** Physical address of the linear frame buffer; 0: there is none. */
  readonly frameBuffer: number
  /** Real-mode far pointer of the window function. */
  readonly windowFunction: number
}

/** ModeInfoBlock, 256 bytes. VBE 3.0, section 4.4. */
export function vbeModeInfo(mode: VbeMode, options: VbeModeInfoOptions): Uint8Array {
  const block = new Uint8Array(256)
  const view = new DataView(block.buffer)
  const pitch = mode.width * bytesPerPixel(mode)
  const pages = Math.min(127, Math.max(0, Math.floor(options.videoMemoryBytes / (pitch * mode.height)) - 1))
  const shape = channels(mode.bitsPerPixel)
  // Supported, optional information, colour, graphics, not VGA compatible; with a linear frame buffer when there is one.
  view.setUint16(0, 0x3b | (options.frameBuffer !== 0 ? 0x80 : 0), true)
  view.setUint8(2, 0x07)
  view.setUint16(4, 64, true)
  view.setUint16(6, 64, true)
  view.setUint16(8, 0xa000, true)
  view.setUint32(12, options.windowFunction, true)
  view.setUint16(16, pitch, true)
  view.setUint16(18, mode.width, true)
  view.setUint16(20, mode.height, true)
  view.setUint8(22, 8)
  view.setUint8(23, 16)
  view.setUint8(24, 1)
  view.setUint8(25, mode.bitsPerPixel)
  view.setUint8(26, 1)
  // Packed pixel or direct colour.
  view.setUint8(27, mode.bitsPerPixel === 8 ? 4 : 6)
  view.setUint8(29, pages)
  view.setUint8(30, 1)
  block.set(shape, 31)
  // 32-bit modes: the reserved byte may be used by the program.
  view.setUint8(39, mode.bitsPerPixel === 32 || mode.bitsPerPixel === 15 ? 2 : 0)
  view.setUint32(40, options.frameBuffer, true)
  view.setUint16(50, pitch, true)
  view.setUint8(52, pages)
  view.setUint8(53, pages)
  block.set(shape, 54)
  view.setUint32(62, 400_000_000, true)
  return block
}

/** An EDID 1.3 block of a monitor that takes 640x480 to 1920x1200 and prefers 1024x768. VESA E-EDID Standard, section 3. */
export function monitorEdid(): Uint8Array {
  const edid = new Uint8Array(128)
  const set = (offset: number, ...bytes: readonly number[]): void => edid.set(bytes, offset)
  set(0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0)
  // Manufacturer "VTR", product 1, made in 2026.
  set(8, 0x5a, 0x92, 1, 0, 1, 0, 0, 0, 0, 36)
  set(18, 1, 3, 0x80, 0x20, 0x18, 0x78, 0xea, 0x0a)
  set(25, 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54)
  set(35, 0x21, 0x08, 0)
  // 1280x1024, 1280x960, 1440x900, 1600x1200, 1680x1050, 1920x1200 at 60 Hz
  set(38, 0x81, 0x80, 0x81, 0x40, 0x95, 0x00, 0xa9, 0x40, 0xb3, 0x00, 0xd1, 0x00, 1, 1, 1, 1)
  // 1024x768 at 60 Hz: 65 MHz, 1344 x 806 in all
  set(54, 0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x40, 0xf0, 0x10, 0, 0, 0x18)
  set(72, 0, 0, 0, 0xfd, 0, 50, 125, 30, 160, 30, 0, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20)
  const name = 'Vitrine\n     '
  set(90, 0, 0, 0, 0xfc, 0, ...[...name].map((c) => c.charCodeAt(0)))
  set(108, 0, 0, 0, 0x10, 0)
  edid[127] = -edid.reduce((sum, byte) => sum + byte, 0) & 0xff
  return edid
}
