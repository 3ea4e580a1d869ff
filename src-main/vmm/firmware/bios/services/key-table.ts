/**
 * What a key of scan code set 1 puts into the keyboard buffer (high byte scan code, low byte character) alone, with Shift, Ctrl and Alt.
 * IBM PS/2 and PC BIOS Interface Technical Reference, "Interrupt 16h", US layout. -1: nothing.
 */
export type KeyRow = readonly [normal: number, shift: number, control: number, alt: number]

const rows = new Map<number, KeyRow>()
const NONE = -1

function letters(first: number, text: string): void {
  ;[...text].forEach((letter, i) => {
    const scan = first + i
    const code = letter.charCodeAt(0)
    rows.set(scan, [(scan << 8) | code, (scan << 8) | (code - 32), (scan << 8) | (code - 96), scan << 8])
  })
}
letters(0x10, 'qwertyuiop')
letters(0x1e, 'asdfghjkl')
letters(0x2c, 'zxcvbnm')

;[...'1234567890-='].forEach((character, i) => {
  const scan = 0x02 + i
  const shifted = '!@#$%^&*()_+'.charCodeAt(i)
  const control = character === '2' ? 0x0300 : character === '6' ? 0x071e : character === '-' ? 0x0c1f : NONE
  rows.set(scan, [(scan << 8) | character.charCodeAt(0), (scan << 8) | shifted, control, (0x78 + i) << 8])
})
for (const [scan, plain, shifted, control] of [
  [0x1a, '[', '{', 0x1b], [0x1b, ']', '}', 0x1d], [0x27, ';', ':', NONE], [0x28, "'", '"', NONE], [0x29, '`', '~', NONE],
  [0x2b, '\\', '|', 0x1c], [0x33, ',', '<', NONE], [0x34, '.', '>', NONE], [0x35, '/', '?', NONE], [0x56, '\\', '|', 0x1c],
] as const) {
  const high = scan << 8
  rows.set(scan, [high | plain.charCodeAt(0), high | shifted.charCodeAt(0), control === NONE ? NONE : high | control, high])
}
rows.set(0x01, [0x011b, 0x011b, 0x011b, 0x0100])
rows.set(0x0e, [0x0e08, 0x0e08, 0x0e7f, 0x0e00])
rows.set(0x0f, [0x0f09, 0x0f00, 0x9400, 0xa500])
rows.set(0x1c, [0x1c0d, 0x1c0d, 0x1c0a, 0x1c00])
rows.set(0x39, [0x3920, 0x3920, 0x3920, 0x3920])
rows.set(0x37, [0x372a, 0x372a, 0x9600, 0x3700])
for (let i = 0; i < 10; i++) rows.set(0x3b + i, [(0x3b + i) << 8, (0x54 + i) << 8, (0x5e + i) << 8, (0x68 + i) << 8])
rows.set(0x57, [0x8500, 0x8700, 0x8900, 0x8b00])
rows.set(0x58, [0x8600, 0x8800, 0x8a00, 0x8c00])
// Keypad; "shift" here is Num Lock or Shift, one of them.
for (const [scan, character, control] of [
  [0x47, '7', 0x7700], [0x48, '8', 0x8d00], [0x49, '9', 0x8400], [0x4b, '4', 0x7300], [0x4c, '5', 0x8f00], [0x4d, '6', 0x7400],
  [0x4f, '1', 0x7500], [0x50, '2', 0x9100], [0x51, '3', 0x7600], [0x52, '0', 0x9200], [0x53, '.', 0x9300],
] as const) {
  rows.set(scan, [scan << 8, (scan << 8) | character.charCodeAt(0), control, NONE])
}
rows.set(0x4a, [0x4a2d, 0x4a2d, 0x8e00, 0x4a00])
rows.set(0x4e, [0x4e2b, 0x4e2b, 0x9000, 0x4e00])

export function keyRow(scan: number): KeyRow | undefined {
  return rows.get(scan)
}

/** The grey keys, after E0h: low byte E0h says so. */
const GREY: ReadonlyMap<number, KeyRow> = new Map([
  [0x1c, [0xe00d, 0xe00d, 0xe00a, 0xa600]],
  [0x35, [0xe02f, 0xe02f, 0x9500, 0xa400]],
  [0x47, [0x47e0, 0x47e0, 0x77e0, 0x9700]],
  [0x48, [0x48e0, 0x48e0, 0x8de0, 0x9800]],
  [0x49, [0x49e0, 0x49e0, 0x84e0, 0x9900]],
  [0x4b, [0x4be0, 0x4be0, 0x73e0, 0x9b00]],
  [0x4d, [0x4de0, 0x4de0, 0x74e0, 0x9d00]],
  [0x4f, [0x4fe0, 0x4fe0, 0x75e0, 0x9f00]],
  [0x50, [0x50e0, 0x50e0, 0x91e0, 0xa000]],
  [0x51, [0x51e0, 0x51e0, 0x76e0, 0xa100]],
  [0x52, [0x52e0, 0x52e0, 0x92e0, 0xa200]],
  [0x53, [0x53e0, 0x53e0, 0x93e0, 0xa300]],
])
export function greyKeyRow(scan: number): KeyRow | undefined {
  return GREY.get(scan)
}
