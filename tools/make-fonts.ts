/**
 * Makes resources/fonts/vga-8x{8,14,16}.bin (256 glyphs in code page 437 order, one byte a row) from the PSF fonts of Debian's
 * package console-setup-linux. Run: `npx tsx tools/make-fonts.ts [--from /usr/share/consolefonts]`.
 *
 * Glyphs are picked by their Unicode value: the first source font that has it wins. The few that no source font has are drawn below.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, exit, stderr } from 'node:process'
import { gunzipSync } from 'node:zlib'
import { CP437_TO_UNICODE } from '../src-main/vmm/support/cp437'

/** Fonts with the most symbols first; the rest of the family fills the gaps. */
const PREFERRED = ['FullGreek', 'Uni2', 'Lat2']
/** The 14-row Greek font has another letter in place of the quarter. */
const NOT_FROM_GREEK = [0xbc]

/** PSF1 (and its Unicode table): magic 36 04, mode, glyph height, glyphs, then for each glyph a list of UCS-2 ended by FFFF. */
function readPsf1(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  if (bytes[0] !== 0x36 || bytes[1] !== 0x04) return undefined
  const mode = bytes[2] ?? 0
  const height = bytes[3] ?? 0
  const count = (mode & 1) !== 0 ? 512 : 256
  if ((mode & 6) === 0) return undefined
  const glyphs = new Map<number, Uint8Array>()
  let at = 4 + count * height
  for (let glyph = 0; glyph < count; glyph++) {
    let inSequence = false
    for (;;) {
      if (at + 1 >= bytes.length) return undefined
      const code = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
      at += 2
      if (code === 0xffff) break
      if (code === 0xfffe) inSequence = true
      else if (!inSequence && !glyphs.has(code)) glyphs.set(code, bytes.slice(4 + glyph * height, 4 + (glyph + 1) * height))
    }
  }
  return glyphs
}

/**
 * Drawn here: what no source font has, or has wrong (the 8-row fonts map most Greek letters to other glyphs, the 14-row fonts U+207F).
 * Each word of `rows` is one row; `top` says for which heights, and in which row the drawing begins.
 */
const DRAWN: readonly { readonly code: number; readonly rows: string; readonly top: Readonly<Record<number, number>> }[] = [
  { code: 0x03b1, top: { 8: 1 }, rows: '.###.##. ##.###.. ##..#... ##..#... ##.###.. .###.##.' },
  { code: 0x0393, top: { 8: 0 }, rows: '#######. ##...##. ##...... ##...... ##...... ##...... ##......' },
  { code: 0x03c0, top: { 8: 1 }, rows: '#######. .##.##.. .##.##.. .##.##.. .##.##.. .##.##..' },
  { code: 0x03a3, top: { 8: 0 }, rows: '#######. ##...##. .##..... ..##.... .##..... ##...##. #######.' },
  { code: 0x03c3, top: { 8: 2 }, rows: '.######. ##.##... ##.##... ##.##... .###....' },
  { code: 0x03c4, top: { 8: 1 }, rows: '.######. #.##.... ..##.... ..##.... ..##.##. ...###..' },
  { code: 0x03a6, top: { 8: 0 }, rows: '.######. ...##... ..####.. .##..##. .##..##. ..####.. ...##... .######.' },
  { code: 0x0398, top: { 8: 0 }, rows: '..###... .##.##.. ##...##. #######. ##...##. .##.##.. ..###...' },
  { code: 0x03a9, top: { 8: 0 }, rows: '..###... .##.##.. ##...##. ##...##. .##.##.. .##.##.. ###.###.' },
  { code: 0x03b4, top: { 8: 0 }, rows: '...####. ..##.... ...##... .#####.. ##..##.. ##..##.. .####...' },
  { code: 0x03c6, top: { 8: 0 }, rows: '.....##. ....##.. .######. ##.##.## ##.##.## .######. .##..... ##......' },
  { code: 0x03b5, top: { 8: 0 }, rows: '..####.. .##..... ##...... ######.. ##...... .##..... ..####..' },
  { code: 0x207f, top: { 14: 2 }, rows: '##.##... .##.##.. .##.##.. .##.##.. .##.##.. .##.##..' },
  { code: 0x25ba, top: { 8: 0, 14: 3, 16: 4 }, rows: '#....... ###..... #####... ######## #####... ###..... #.......' },
  { code: 0x25c4, top: { 8: 0, 14: 3, 16: 4 }, rows: '.......# .....### ...##### ######## ...##### .....### .......#' },
  { code: 0x20a7, top: { 8: 0, 14: 2, 16: 3 }, rows: '#####... ##..##.. ##..##.. #####.#. ##..#### ##...##. ##...###' },
  { code: 0x2310, top: { 8: 3, 14: 6, 16: 7 }, rows: '#######. ##...... ##......' },
  { code: 0x221e, top: { 8: 2, 14: 5, 16: 6 }, rows: '.###.##. ##.##.## ##.##.## .##.###.' },
  { code: 0x2229, top: { 8: 1, 14: 3, 16: 4 }, rows: '.#####.. ##...##. ##...##. ##...##. ##...##. ##...##.' },
  { code: 0x2261, top: { 8: 1, 14: 4, 16: 4 }, rows: '#######. ........ #######. ........ #######.' },
]

function draw(code: number, height: number): Uint8Array | undefined {
  const drawn = DRAWN.find((d) => d.code === code)
  const top = drawn?.top[height]
  if (drawn === undefined || top === undefined) return undefined
  const glyph = new Uint8Array(height)
  drawn.rows.split(' ').forEach((row, i) => {
    glyph[top + i] = parseInt(row.replaceAll('.', '0').replaceAll('#', '1'), 2)
  })
  return glyph
}

/**
 * Line drawing, codes B3h..DAh: the strokes (0 none, 1 single, 2 double) of the left, right, upper and lower arm of each. Drawn here because
 * the source fonts place the strokes of mixed and of pure glyphs differently.
 */
const ARMS: readonly string[] = (
  '0011 1011 2011 1022 1002 2001 2022 0022 2002 2020 1020 2010 1001 0110 1110 1101 0111 1100 1111 0211 0122 0220 0202 2220 2202 0222 ' +
  '2200 2222 2210 1120 2201 1102 0120 0210 0201 0102 1122 2211 1010 0101'
).split(' ')
const FIRST_ARMS = 0xb3

function drawLines(code: number, height: number): Uint8Array | undefined {
  const arms = ARMS[code - FIRST_ARMS]
  if (arms === undefined) return undefined
  const [left = 0, right = 0, up = 0, down = 0] = [...arms].map(Number)
  const middle = height / 2 - 1
  const glyph = new Uint8Array(height)
  const dots = (x0: number, x1: number, y0: number, y1: number): void => {
    for (let y = Math.max(0, y0); y <= Math.min(height - 1, y1); y++) for (let x = x0; x <= x1; x++) glyph[y] = (glyph[y] ?? 0) | (0x80 >> x)
  }
  const isHorizontalDouble = left === 2 || right === 2
  const isVerticalDouble = up === 2 || down === 2
  // Horizontal strokes. Vertical strokes: single at columns 3 and 4, double at 2, 3 and at 5, 6.
  const single = (arm: number, other: number): number => (arm === 0 ? -1 : other !== 0 ? 7 : up === 2 && down === 2 ? 3 : isVerticalDouble ? 6 : 4)
  if (left === 1) dots(0, single(left, right), middle, middle)
  if (right === 1) dots(7 - mirrored(single(right, left)), 7, middle, middle)
  const reach = (near: number, far: number, other: number): number => (near === 2 ? 3 : near === 1 ? 4 : other === 2 ? 7 : far === 2 ? 6 : 4)
  if (left === 2) {
    dots(0, reach(up, down, right), middle - 1, middle - 1)
    dots(0, reach(down, up, right), middle + 1, middle + 1)
  }
  if (right === 2) {
    dots(7 - mirrored(reach(up, down, left)), 7, middle - 1, middle - 1)
    dots(7 - mirrored(reach(down, up, left)), 7, middle + 1, middle + 1)
  }
  // Vertical strokes.
  const end = (other: number): number => (other !== 0 ? height : left === 2 && right === 2 ? -1 : isHorizontalDouble ? 1 : 0)
  if (up === 1) dots(3, 4, 0, middle + end(down))
  if (down === 1) dots(3, 4, middle - end(up), height - 1)
  const depth = (near: number, far: number): number => (near === 2 ? -1 : near === 1 ? 0 : far === 2 ? 1 : 0)
  if (up === 2) {
    dots(2, 3, 0, middle + depth(left, right))
    dots(5, 6, 0, middle + depth(right, left))
  }
  if (down === 2) {
    dots(2, 3, middle - depth(left, right), height - 1)
    dots(5, 6, middle - depth(right, left), height - 1)
  }
  return glyph
}

/** The same reach counted from the right: the cell is not symmetric (3, 4 | 2, 3 and 5, 6), so 3 becomes 2, 4 stays, 6 becomes 5. */
function mirrored(reach: number): number {
  return reach === 3 ? 2 : reach === 6 ? 5 : reach
}

function build(from: string, height: number): Uint8Array {
  const names = readdirSync(from)
    .filter((name) => name.endsWith(`-VGA${height}.psf.gz`) && !name.includes('Terminus'))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const fonts = names.flatMap((name) => {
    const font = readPsf1(gunzipSync(readFileSync(join(from, name))))
    return font === undefined ? [] : [{ name, glyphs: font }]
  })
  if (fonts.length === 0) throw new Error(`no *-VGA${height}.psf.gz in ${from}: install Debian's console-setup-linux or name its folder with --from`)
  const out = new Uint8Array(256 * height)
  for (let code = 0; code < 256; code++) {
    // 00h and FFh (no-break space) are blank in every PC font.
    if (code === 0 || code === 0xff) continue
    const unicode = CP437_TO_UNICODE.codePointAt(code) ?? 0
    const source = fonts.find(({ name, glyphs }) => glyphs.has(unicode) && !(NOT_FROM_GREEK.includes(unicode) && name.startsWith('FullGreek-')))
    const glyph = drawLines(code, height) ?? draw(unicode, height) ?? source?.glyphs.get(unicode)
    if (glyph === undefined) throw new Error(`no ${height}-row glyph for U+${unicode.toString(16)} (code ${code})`)
    out.set(glyph, code * height)
  }
  return out
}

function rank(name: string): number {
  const index = PREFERRED.findIndex((family) => name.startsWith(`${family}-`))
  return index < 0 ? PREFERRED.length : index
}

const option = argv.indexOf('--from')
const from = option < 0 ? '/usr/share/consolefonts' : (argv[option + 1] ?? '')
try {
  for (const height of [8, 14, 16]) {
    writeFileSync(new URL(`../resources/fonts/vga-8x${height}.bin`, import.meta.url), build(from, height))
  }
} catch (error) {
  stderr.write(`make-fonts: ${error instanceof Error ? error.message : String(error)}\n`)
  exit(2)
}
