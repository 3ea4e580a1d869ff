import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { env } from 'node:process'
import { describe, expect, it } from 'vitest'
import { frameBytes, type Frame } from '../../backends/display/frame'
import { encodePng } from '../../backends/display/png'
import * as modes from './modes.fixture'
import { VgaBench } from './vga.fixture'

const GOLDEN = new URL('./render.golden/', import.meta.url)

function shippedFont(height: 8 | 14 | 16): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../../resources/fonts/vga-8x${height}.bin`, import.meta.url)))
}

/** Compares with the hash in render.golden; BLESS=1 writes it, and the picture next to it under PICTURES (for looking at). */
function expectPicture(name: string, frame: Frame): void {
  const text = `${frame.width}x${frame.height} ${createHash('sha256').update(frameBytes(frame)).digest('hex')}\n`
  const file = new URL(`${name}.txt`, GOLDEN)
  if (env['BLESS'] === '1') {
    mkdirSync(GOLDEN, { recursive: true })
    writeFileSync(file, text)
    if (env['PICTURES'] !== undefined) writeFileSync(`${env['PICTURES']}/${name}.png`, encodePng(frame))
  }
  expect(existsSync(file), `no golden ${name}: run with BLESS=1 and look at the picture`).toBe(true)
  expect(text).toBe(readFileSync(file, 'utf8'))
}

function textBench(mode: modes.ModeRegisters = modes.MODE_03): VgaBench {
  const bench = new VgaBench()
  modes.setMode(bench.vga, mode)
  modes.loadEgaColours(bench.vga)
  modes.loadFont(bench.vga, (address, value) => bench.write(address, value), shippedFont(16), 16)
  for (let i = 0; i < 0x4000; i++) bench.write(0xb8000 + i * 2, 0x0720, 2)
  return bench
}

function fillText(bench: VgaBench, columns: number): void {
  for (let code = 0; code < 256; code++) {
    bench.write(0xb8000 + ((2 + Math.floor(code / 32)) * columns + 4 + (code % 32)) * 2, code | 0x1e00, 2)
  }
  for (let attribute = 0; attribute < 256; attribute++) {
    bench.write(0xb8000 + ((12 + Math.floor(attribute / 32)) * columns + 4 + (attribute % 32)) * 2, 0x41 | (attribute << 8), 2)
  }
}

describe('text modes', () => {
  it('mode 3 shows all characters and attributes, with blink and a cursor', () => {
    const bench = textBench()
    fillText(bench, 80)
    bench.print('Hardware cursor ->', 22, 4, 0x0f)
    bench.indexed(0x3d4, 0x0e, (22 * 80 + 23) >> 8)
    bench.indexed(0x3d4, 0x0f, (22 * 80 + 23) & 0xff)
    expectPicture('mode-03', bench.vga.screenshot())
  })

  it('blinking characters and the cursor are off in the other half of their periods', () => {
    const bench = textBench()
    bench.print('B', 0, 0, 0x8f)
    const on = bench.vga.screenshot().pixels.slice()
    bench.clock.advance(16 * 14_300_000 + 1_000_000)
    const off = bench.vga.screenshot().pixels
    expect(off).not.toEqual(on)
    expect(new Set(off.subarray(0, 9)).size).toBe(1)
  })

  it('bright backgrounds instead of blink', () => {
    const bench = textBench()
    fillText(bench, 80)
    bench.in(0x3da)
    bench.out(0x3c0, 0x30)
    bench.out(0x3c0, 0x04)
    expectPicture('mode-03-bright', bench.vga.screenshot())
  })

  it('40 columns', () => {
    const bench = textBench(modes.MODE_01)
    fillText(bench, 40)
    expectPicture('mode-01', bench.vga.screenshot())
  })

  it('80x50 with the 8-row font and 8-dot characters', () => {
    const bench = textBench()
    modes.loadFont(bench.vga, (address, value) => bench.write(address, value), shippedFont(8), 8)
    bench.indexed(0x3d4, 9, 0x47)
    bench.indexed(0x3c4, 1, 0x01)
    bench.indexed(0x3d4, 0x0a, 6)
    bench.indexed(0x3d4, 0x0b, 7)
    fillText(bench, 80)
    bench.print('last row', 49, 0, 0x2f)
    expectPicture('mode-03-50-rows', bench.vga.screenshot())
    expect(bench.vga.textScreen()[49]).toBe('last row')
  })

  it('two fonts at once: attribute bit 3 selects', () => {
    const bench = textBench()
    const upsideDown = shippedFont(16).slice()
    for (let code = 0; code < 256; code++) upsideDown.subarray(code * 16, code * 16 + 16).reverse()
    modes.loadFont(bench.vga, (address, value) => bench.write(address, value), upsideDown, 16, 0x4000)
    bench.indexed(0x3c4, 3, 0x04) // map A: font 1, map B: font 0
    bench.print('Font B, the usual one', 1, 2, 0x07)
    bench.print('Font A, upside down', 2, 2, 0x0f)
    expectPicture('two-fonts', bench.vga.screenshot())
  })

  it('start address, row scan, panning and a split screen', () => {
    const bench = textBench()
    for (let row = 0; row < 60; row++) bench.print(`row ${row} of video memory ${'.'.repeat(40)}`, row, 0, 0x07 + (row & 7) * 16)
    const start = 20 * 80
    bench.indexed(0x3d4, 0x0c, start >> 8)
    bench.indexed(0x3d4, 0x0d, start & 0xff)
    bench.indexed(0x3d4, 0x08, 0x05)
    const split = 299
    bench.indexed(0x3d4, 0x11, 0x0e)
    bench.indexed(0x3d4, 0x18, split & 0xff)
    bench.indexed(0x3d4, 0x07, 0x0f | ((split >> 8) << 4))
    bench.indexed(0x3d4, 0x09, 0x0f)
    bench.in(0x3da)
    bench.out(0x3c0, 0x30)
    bench.out(0x3c0, 0x2c)
    bench.out(0x3c0, 0x33)
    bench.out(0x3c0, 0x03)
    expectPicture('split-and-panning', bench.vga.screenshot())
  })

  it('a page far up in video memory looks like the first, and only rows that differ are drawn', () => {
    const bench = textBench()
    for (const page of [0, 7]) for (let row = 0; row < 25; row++) bench.print(`row ${row}`, page * 25 + row, row, 0x1e)
    bench.indexed(0x3d4, 0x0a, 0x20)
    const first = bench.vga.screenshot().pixels.slice()
    bench.indexed(0x3d4, 0x0c, (7 * 25 * 80) >> 8)
    bench.indexed(0x3d4, 0x0d, (7 * 25 * 80) & 0xff)
    expect(Buffer.from(bench.vga.screenshot().pixels.buffer).equals(Buffer.from(first.buffer))).toBe(true)
    bench.vga.refresh()
    bench.print('ROW 9', 7 * 25 + 3, 3, 0x1e)
    bench.vga.refresh()
    bench.print('row 3', 7 * 25 + 3, 3, 0x1e)
    bench.vga.refresh()
    expect(bench.vga.screenshot().pixels).toEqual(first)
  })

  it('a font loaded while text stands shows at once', () => {
    const bench = textBench()
    bench.print('AAA', 0, 0, 0x07)
    bench.indexed(0x3d4, 0x0a, 0x20)
    bench.vga.refresh()
    const before = bench.vga.screenshot().pixels.slice()
    bench.vga.refresh()
    modes.loadFont(bench.vga, (address, value) => bench.write(address, value), new Uint8Array(4096).fill(0xff), 16)
    bench.vga.refresh()
    const after = bench.vga.screenshot().pixels
    expect(after).not.toEqual(before)
  })

  it('underlines in monochrome attributes', () => {
    const bench = textBench()
    bench.indexed(0x3d4, 0x14, 0x0d)
    bench.print('underlined', 1, 1, 0x01)
    bench.print('not underlined', 2, 1, 0x07)
    expectPicture('underline', bench.vga.screenshot())
  })

  it('text is read back from the screen as Unicode, from the start address on', () => {
    const bench = textBench()
    bench.print('Grüße? \u00c9\u00cd\u00bb', 0, 0, 7)
    bench.print('second row', 1, 3, 7)
    expect(bench.vga.textScreen().slice(0, 2)).toEqual(['Gr\u207f\u2580e? \u2554\u2550\u2557', '   second row'])
    expect(bench.vga.textScreen()).toHaveLength(25)
    bench.indexed(0x3d4, 0x0d, 80)
    expect(bench.vga.textScreen()[0]).toBe('   second row')
    modes.setMode(bench.vga, modes.MODE_13)
    expect(bench.vga.textScreen()).toEqual([])
  })
})

describe('graphics modes', () => {
  it('mode 4: four colours in two interlaced banks', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_04)
    modes.loadEgaColours(bench.vga)
    for (let y = 0; y < 200; y++) {
      for (let x = 0; x < 80; x++) bench.write(0xb8000 + (y & 1) * 0x2000 + (y >> 1) * 80 + x, ((x >> 2) + (y >> 4)) % 4 * 0x55)
    }
    expectPicture('mode-04', bench.vga.screenshot())
  })

  it('mode 6: two colours', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_06)
    modes.loadEgaColours(bench.vga)
    for (let y = 0; y < 200; y++) {
      for (let x = 0; x < 80; x++) bench.write(0xb8000 + (y & 1) * 0x2000 + (y >> 1) * 80 + x, y < 100 ? 0xaa >> (y & 1) : x + y)
    }
    expectPicture('mode-06', bench.vga.screenshot())
  })

  it('mode 12h: sixteen colours drawn with set/reset and the bit mask', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_12)
    modes.loadEgaColours(bench.vga)
    bench.indexed(0x3ce, 1, 0x0f)
    for (let x = 0; x < 640; x++) {
      bench.indexed(0x3ce, 0, Math.floor(x / 40))
      bench.indexed(0x3ce, 8, 0x80 >> (x & 7))
      for (let y = 0; y < 480; y++) {
        if ((x - 320) ** 2 + (y - 240) ** 2 > 200 ** 2) continue
        const address = 0xa0000 + y * 80 + (x >> 3)
        bench.read(address)
        bench.write(address, 0xff)
      }
    }
    expectPicture('mode-12', bench.vga.screenshot())
  })

  it('mode 13h: a byte a pixel', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_13)
    modes.loadCubeColours(bench.vga)
    for (let y = 0; y < 200; y++) for (let x = 0; x < 320; x++) bench.write(0xa0000 + y * 320 + x, (Math.floor(x / 20) + Math.floor(y / 12.5) * 16) & 0xff)
    const frame = bench.vga.screenshot()
    expect([frame.width, frame.height]).toEqual([640, 400])
    expectPicture('mode-13', frame)
  })

  it('mode X: 320x240 planar, panned by one pixel', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_X)
    modes.loadCubeColours(bench.vga)
    for (let plane = 0; plane < 4; plane++) {
      bench.indexed(0x3c4, 2, 1 << plane)
      for (let y = 0; y < 240; y++) {
        for (let x = plane; x < 320; x += 4) bench.write(0xa0000 + y * 80 + (x >> 2), (x ^ y) & 0xff)
      }
    }
    bench.in(0x3da)
    bench.out(0x3c0, 0x33)
    bench.out(0x3c0, 0x02)
    const frame = bench.vga.screenshot()
    expect([frame.width, frame.height]).toEqual([640, 480])
    expectPicture('mode-x', frame)
  })

  it.each([8, 15, 16, 24, 32] as const)('VBE 320x200 with %i bits a pixel', (bpp) => {
    const bench = new VgaBench()
    bench.setVbeMode(320, 200, bpp)
    modes.loadCubeColours(bench.vga)
    const bytes = Math.ceil(bpp / 8)
    for (let y = 0; y < 200; y++) {
      for (let x = 0; x < 320; x++) {
        const [r, g, b] = [x & 0xff, (y * 255) / 199, 255 - (x & 0xff)].map(Math.floor) as [number, number, number]
        const value =
          bpp === 8 ? (x ^ y) & 0xff
          : bpp === 15 ? ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3)
          : bpp === 16 ? ((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3)
          : (r << 16) | (g << 8) | b
        bench.writeLinear((y * 320 + x) * bytes, Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 0xff))
      }
    }
    expectPicture(`vbe-${bpp}`, bench.vga.screenshot())
  })

  it('VBE 800x600 in 16 colours is planar', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_12)
    modes.loadEgaColours(bench.vga)
    bench.setVbeMode(800, 600, 4)
    for (let y = 0; y < 600; y++) {
      bench.indexed(0x3c4, 2, (y >> 4) & 0x0f)
      for (let x = 0; x < 100; x++) bench.write(0xa0000 + y * 100 + x, x < 50 ? 0xff : 0xf0)
    }
    expectPicture('vbe-4', bench.vga.screenshot())
  })
})
