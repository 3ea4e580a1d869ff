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
    const glyph = draw(unicode, height) ?? source?.glyphs.get(unicode)
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
