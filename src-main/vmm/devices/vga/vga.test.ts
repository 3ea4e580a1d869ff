import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { createFrame, rgba, type Frame, type Rect } from '../../backends/display/frame'
import { encodePng } from '../../backends/display/png'
import { describeDevice } from '../../testing/describe-device'
import * as modes from './modes.fixture'
import { VgaBench } from './vga.fixture'
import type { DisplayBackend } from '../../backends/display/display-backend'
import type { VgaStateV1 } from './state'

describeDevice<VgaStateV1>(
  'vga',
  () => {
    const bench = new VgaBench(0x40000)
    const bar = bench.vga.pciBars[1]
    if (bar?.kind !== 'mmio') throw new Error('no register BAR')
    return {
      device: bench.vga,
      clock: bench.clock,
      moreClaims: [{ kind: 'mmio', name: 'bar 2', first: 0, last: bar.bytes - 1, handler: bar.handler }],
    }
  },
  ({ device }) => {
    const ports = device.claims.find((claim) => claim.name === 'vga')
    if (ports?.kind !== 'pio') throw new Error('no VGA ports')
    modes.setMode(ports.handler, modes.MODE_12)
    modes.loadCubeColours(ports.handler)
  },
)

describe('VGA registers', () => {
  it('the attribute controller takes index and data in turn; reading status 1 starts over', () => {
    const bench = new VgaBench()
    bench.out(0x3c2, 0x01)
    bench.out(0x3c0, 0x03)
    bench.in(0x3da)
    bench.out(0x3c0, 0x05)
    bench.out(0x3c0, 0x2a)
    bench.in(0x3da)
    bench.out(0x3c0, 0x05)
    expect(bench.in(0x3c1)).toBe(0x2a)
  })

  it('the palette is locked while the display uses it', () => {
    const bench = new VgaBench()
    bench.out(0x3c2, 0x01)
    bench.in(0x3da)
    bench.out(0x3c0, 0x25)
    bench.out(0x3c0, 0x2a)
    bench.in(0x3da)
    bench.out(0x3c0, 0x05)
    expect(bench.in(0x3c1)).toBe(0)
  })

  it('CRT controller answers at 3B4h or 3D4h, by the miscellaneous output register', () => {
    const bench = new VgaBench()
    bench.out(0x3c2, 0x00)
    bench.indexed(0x3b4, 0x0e, 0x12)
    expect(bench.readIndexed(0x3b4, 0x0e)).toBe(0x12)
    expect(bench.in(0x3d5)).toBe(-1)
    bench.out(0x3c2, 0x01)
    expect(bench.readIndexed(0x3d4, 0x0e)).toBe(0x12)
    expect(bench.in(0x3b5)).toBe(-1)
  })

  it('protects CRT registers 0 to 7 but for line compare bit 8', () => {
    const bench = new VgaBench()
    bench.out(0x3c2, 0x01)
    bench.indexed(0x3d4, 0x11, 0x80)
    bench.indexed(0x3d4, 0x01, 0x4f)
    bench.indexed(0x3d4, 0x07, 0xff)
    expect(bench.readIndexed(0x3d4, 0x01)).toBe(0)
    expect(bench.readIndexed(0x3d4, 0x07)).toBe(0x10)
  })

  it('the DAC counts components, commits on the third, and tells its state', () => {
    const bench = new VgaBench()
    bench.out(0x3c8, 254)
    for (const value of [1, 2, 3, 0xff, 5, 6]) bench.out(0x3c9, value)
    expect(bench.in(0x3c7)).toBe(0)
    expect(bench.in(0x3c8)).toBe(0)
    bench.out(0x3c7, 254)
    expect(bench.in(0x3c7)).toBe(3)
    expect([1, 2, 3, 4, 5, 6].map(() => bench.in(0x3c9))).toEqual([1, 2, 3, 0x3f, 5, 6])
    bench.out(0x3c8, 254)
    bench.out(0x3c9, 9)
    bench.out(0x3c7, 254)
    expect(bench.in(0x3c9)).toBe(1)
  })

  it('retrace comes and goes with virtual time at about 70 Hz', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_03)
    let rises = 0
    let last = 8
    for (let t = 0; t < 100_000; t++) {
      bench.clock.advance(10_000)
      const now = bench.in(0x3da) & 8
      if (now !== 0 && last === 0) rises++
      last = now
    }
    expect(rises).toBe(70)
  })

  it('a guest that never set a mode still sees a retrace', () => {
    const bench = new VgaBench()
    const seen = new Set<number>()
    for (let t = 0; t < 2000; t++) {
      bench.clock.advance(50_000)
      seen.add(bench.in(0x3ba) & 8)
    }
    expect([...seen].sort()).toEqual([0, 8])
  })
})

describe('memory window', () => {
  function planar(): VgaBench {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_12)
    return bench
  }
  const planes = (bench: VgaBench, address: number): number[] => [...bench.vram.subarray(address * 4, address * 4 + 4)]

  it('write mode 0 rotates, sets planes, combines with the latches and masks bits', () => {
    const bench = planar()
    bench.write(0xa0000, 0x0f)
    expect(planes(bench, 0)).toEqual([0x0f, 0x0f, 0x0f, 0x0f])
    bench.indexed(0x3ce, 0, 0x05) // set/reset: planes 0 and 2 to ones
    bench.indexed(0x3ce, 1, 0x07) // on planes 0..2
    bench.indexed(0x3ce, 3, 0x04 | 0x18) // rotate by 4, XOR
    bench.indexed(0x3ce, 8, 0x3c)
    bench.read(0xa0000)
    bench.write(0xa0000, 0x0f)
    // Planes 0, 2: ones ^ 0f; plane 1: zeros ^ 0f; plane 3: f0 ^ 0f; only bits 3c of it.
    expect(planes(bench, 0)).toEqual([0x33, 0x0f, 0x33, 0x3f])
  })

  it('write mode 1 copies latches, 2 writes a colour, 3 masks with the data', () => {
    const bench = planar()
    bench.indexed(0x3ce, 5, 2)
    bench.write(0xa0010, 0x0a)
    expect(planes(bench, 0x10)).toEqual([0, 0xff, 0, 0xff])
    bench.read(0xa0010)
    bench.indexed(0x3ce, 5, 1)
    bench.write(0xa0011, 0x55)
    expect(planes(bench, 0x11)).toEqual([0, 0xff, 0, 0xff])
    bench.indexed(0x3ce, 5, 3)
    bench.indexed(0x3ce, 0, 0x01)
    bench.read(0xa0010)
    bench.write(0xa0012, 0xf0)
    expect(planes(bench, 0x12)).toEqual([0xf0, 0x0f, 0, 0x0f])
  })

  it('the map mask protects planes; the read map selects one', () => {
    const bench = planar()
    bench.indexed(0x3c4, 2, 0x02)
    bench.write(0xa0000, 0x77)
    expect(planes(bench, 0)).toEqual([0, 0x77, 0, 0])
    bench.indexed(0x3ce, 4, 1)
    expect(bench.read(0xa0000)).toBe(0x77)
    bench.indexed(0x3ce, 4, 2)
    expect(bench.read(0xa0000)).toBe(0)
  })

  it('read mode 1 compares colours', () => {
    const bench = planar()
    bench.vram.set([0xf0, 0xcc, 0xaa, 0x00], 0)
    bench.indexed(0x3ce, 5, 8)
    bench.indexed(0x3ce, 2, 0x03) // planes 0 and 1 set, 2 clear
    bench.indexed(0x3ce, 7, 0x07) // plane 3 does not count
    expect(bench.read(0xa0000)).toBe(0xf0 & 0xcc & ~0xaa)
  })

  it('chain-4 puts bytes on planes in turn, odd/even on two', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_13)
    bench.write(0xa0004, 0x44332211, 4)
    expect(planes(bench, 4)).toEqual([0x11, 0x22, 0x33, 0x44])
    expect(bench.read(0xa0004, 4)).toBe(0x44332211)
    modes.setMode(bench.vga, modes.MODE_03)
    bench.write(0xb8002, 0x0741, 2)
    expect(planes(bench, 2).slice(0, 2)).toEqual([0x41, 0x07])
    expect(bench.read(0xb8002, 2)).toBe(0x0741)
    expect(bench.read(0xa0000)).toBe(0xff)
    bench.write(0xa0000, 0x12)
    expect(bench.vram[0]).toBe(0)
  })

  it('does not answer while the memory is disabled', () => {
    const bench = planar()
    bench.out(0x3c2, 0xe1)
    bench.write(0xa0000, 0x12)
    expect(bench.vram[0]).toBe(0)
    expect(bench.read(0xa0000)).toBe(0xff)
  })
})

describe('Bochs VBE interface', () => {
  it('tells its version, memory and limits', () => {
    const bench = new VgaBench()
    expect(bench.readDispi(0)).toBe(0xb0c5)
    bench.dispi(0, 0xb0c0)
    expect(bench.readDispi(0)).toBe(0xb0c0)
    expect(bench.readDispi(0x0a)).toBe(256)
    bench.dispi(4, 2)
    expect([1, 2, 3].map((i) => bench.readDispi(i))).toEqual([2560, 1600, 32])
  })

  it('makes a mode fit: virtual size, offsets, banks', () => {
    const bench = new VgaBench()
    bench.setVbeMode(1920, 1200, 32)
    expect([1, 2, 3, 6].map((i) => bench.readDispi(i))).toEqual([1920, 1200, 32, 1920])
    bench.dispi(9, 5000)
    expect(bench.readDispi(9)).toBe(Math.floor(TEST_BYTES / 7680) - 1200)
    bench.dispi(5, 255)
    bench.out(0x3c2, 0x67)
    bench.write(0xaffff, 0x5a)
    expect(bench.vram[TEST_BYTES - 1]).toBe(0x5a)
    expect(bench.read(0xaffff)).toBe(0x5a)
    expect(bench.read(0xb0000)).toBe(0xff)
  })

  it('a page flip shows the other page', () => {
    const bench = new VgaBench()
    bench.setVbeMode(64, 32, 32)
    bench.writeLinear(64 * 32 * 4, [3, 2, 1, 0])
    bench.dispi(9, 32)
    expect(bench.vga.screenshot().pixels[0]).toBe(rgba(1, 2, 3))
  })

  it('clears the memory of a new mode unless told not to', () => {
    const bench = new VgaBench()
    bench.vram[100] = 7
    bench.setVbeMode(640, 480, 8, 0xc1)
    expect(bench.vram[100]).toBe(7)
    bench.setVbeMode(640, 480, 8, 0x41)
    expect(bench.vram[100]).toBe(0)
  })

  it('the 8-bit DAC keeps all bits', () => {
    const bench = new VgaBench()
    bench.setVbeMode(64, 64, 8, 0x61)
    bench.out(0x3c8, 7)
    for (const value of [0xff, 0x81, 0x03]) bench.out(0x3c9, value)
    bench.writeLinear(0, [7])
    expect(bench.vga.screenshot().pixels[0]).toBe(rgba(0xff, 0x81, 0x03))
  })

  it('answers in BAR 2: VGA ports at 400h, DISPI words at 500h', () => {
    const bench = new VgaBench()
    const bar = bench.vga.pciBars[1]
    if (bar?.kind !== 'mmio') throw new Error('no register BAR')
    expect(bar.handler.mmioRead(0x500, 2)).toBe(0xb0c5)
    bar.handler.mmioWrite(0x502, 2, 800)
    expect(bench.readDispi(1)).toBe(800)
    bar.handler.mmioWrite(0x406, 1, 0x55)
    expect(bench.in(0x3c6)).toBe(0x55)
    expect(bar.handler.mmioRead(0x604, 4)).toBe(0x1e1e1e1e)
  })
})

const TEST_BYTES = 16 * 1024 * 1024

class RecordingDisplay implements DisplayBackend {
  sizes: [number, number][] = []
  rects: Rect[] = []
  resize(width: number, height: number): void {
    this.sizes.push([width, height])
  }
  update(rects: readonly Rect[], _frame: Frame): void {
    this.rects.push(...rects)
  }
}

describe('damage', () => {
  it('a character changes its cell only; nothing changes, nothing is sent', () => {
    const bench = new VgaBench()
    modes.setMode(bench.vga, modes.MODE_03)
    modes.loadEgaColours(bench.vga)
    bench.indexed(0x3d4, 0x0a, 0x20)
    const display = new RecordingDisplay()
    bench.vga.connectDisplay(display)
    bench.vga.refresh()
    expect(display.sizes).toEqual([[720, 400]])
    display.rects = []
    bench.vga.refresh()
    expect(display.rects).toEqual([])
    bench.write(0xb8000 + (3 * 80 + 5) * 2, 0x4420, 2)
    bench.vga.refresh()
    expect(display.rects).toEqual([{ x: 45, y: 48, width: 9, height: 16 }])
  })

  it('writes to the frame buffer are seen by page and reported by pixel', () => {
    const bench = new VgaBench()
    bench.setVbeMode(1024, 768, 32)
    const display = new RecordingDisplay()
    bench.vga.connectDisplay(display)
    bench.vga.refresh()
    display.rects = []
    bench.writeLinear((100 * 1024 + 50) * 4, [1, 2, 3, 0, 4, 5, 6, 0])
    bench.writeLinear((700 * 1024 + 1023) * 4, [1, 2, 3, 0])
    bench.vga.refresh()
    expect(display.rects).toEqual([
      { x: 50, y: 100, width: 2, height: 1 },
      { x: 1023, y: 700, width: 1, height: 1 },
    ])
  })

  it('a screenshot takes nothing away from the display', () => {
    const bench = new VgaBench()
    bench.setVbeMode(64, 64, 32)
    const display = new RecordingDisplay()
    bench.vga.connectDisplay(display)
    bench.vga.refresh()
    display.rects = []
    bench.writeLinear(0, [1, 2, 3, 0])
    bench.vga.screenshot()
    bench.vga.refresh()
    expect(display.rects).toEqual([{ x: 0, y: 0, width: 1, height: 1 }])
  })

  it('the screen is black while it is switched off', () => {
    const bench = new VgaBench()
    bench.setVbeMode(64, 64, 32)
    bench.vram.fill(0xff)
    expect(bench.vga.screenshot().pixels[0]).toBe(rgba(255, 255, 255))
    bench.indexed(0x3c4, 1, 0x20)
    expect(bench.vga.screenshot().pixels[0]).toBe(rgba(0, 0, 0))
  })
})

describe('hostile registers', () => {
  it('any values of all registers give a picture within bounds', () => {
    let seed = 12345
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return seed >>> 16
    }
    const bench = new VgaBench(0x40000)
    for (let round = 0; round < 30; round++) {
      bench.out(0x3c2, random() & 0xff)
      for (let i = 0; i < 5; i++) bench.indexed(0x3c4, i, random() & 0xff)
      for (let i = 0; i < 9; i++) bench.indexed(0x3ce, i, random() & 0xff)
      const crtc = bench.vga.save().misc & 1 ? 0x3d4 : 0x3b4
      bench.indexed(crtc, 0x11, 0)
      for (let i = 0; i < 0x19; i++) bench.indexed(crtc, i, random() & 0xff)
      if (round % 3 === 0) for (const i of [1, 2, 3, 6, 8, 9, 4, 5, 6, 1]) bench.dispi(i, random())
      bench.in(crtc + 6)
      bench.out(0x3c0, 0x20)
      for (let i = 0; i < 50; i++) bench.write(0xa0000 + (random() & 0x1fffc), random(), 4)
      const frame = bench.vga.screenshot()
      expect(frame.width * frame.height).toBeLessThanOrEqual(4608 * 2048)
      expect(frame.pixels.length).toBe(frame.width * frame.height)
      bench.vga.textScreen()
      const saved = bench.vga.save()
      bench.vga.load(saved)
    }
  })
})

describe('PNG', () => {
  it('a frame survives encoding', () => {
    const frame = createFrame(5, 3)
    frame.pixels.forEach((_, i) => (frame.pixels[i] = rgba(i * 17, 255 - i, (i * 91) & 0xff)))
    const png = PNG.sync.read(Buffer.from(encodePng(frame)))
    expect([png.width, png.height]).toEqual([5, 3])
    expect(new Uint32Array(Uint8Array.from(png.data).buffer)).toEqual(frame.pixels)
  })
})
