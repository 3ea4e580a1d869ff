import { describe, expect, it } from 'vitest'
import { BAD_WIDTH, type PioHandler } from '../devices/device'
import { AccessTrace } from './access-trace'
import { assertNoConflicts } from './claim-conflict'
import { MmioBus } from './mmio-bus'
import { PioBus } from './pio-bus'
import { RangeMap } from './range-map'

function recorder(): PioHandler & { log: string[] } {
  const log: string[] = []
  return {
    log,
    pioRead: (port, width) => {
      log.push(`r${width} ${port.toString(16)}`)
      return port & 0xff
    },
    pioWrite: (port, width, value) => {
      log.push(`w${width} ${port.toString(16)} ${value.toString(16)}`)
      return undefined
    },
  }
}

describe('RangeMap', () => {
  it('finds, refuses overlaps, removes', () => {
    const map = new RangeMap<string>()
    expect(map.insert(10, 19, 'a')).toEqual([])
    expect(map.insert(30, 39, 'b')).toEqual([])
    expect(map.insert(0, 9, 'c')).toEqual([])
    expect(map.insert(15, 31, 'x').map((entry) => entry.value)).toEqual(['a', 'b'])
    expect([9, 10, 19, 20, 30, 39, 40].map((at) => map.find(at)?.value)).toEqual(['c', 'a', 'a', undefined, 'b', 'b', undefined])
    expect(map.remove(10)).toBe(true)
    expect(map.remove(10)).toBe(false)
    expect(map.find(15)).toBe(undefined)
  })
})

describe('PioBus', () => {
  it('answers for nobody: all ones, counted by port', () => {
    const bus = new PioBus()
    expect([bus.read(0x99, 1), bus.read(0x99, 2), bus.read(0xffff, 4)]).toEqual([0xff, 0xffff, 0xffffffff])
    bus.write(0x99, 1, 0)
    expect(bus.unclaimed.list()[0]).toEqual({ place: 0x99, reads: 2, writes: 1 })
    for (let port = 0; port < 0x10000; port++) bus.read(port, 1)
    expect(bus.unclaimed.list().length).toBeLessThanOrEqual(512)
    expect(bus.unclaimed.overflow).toBeGreaterThan(0)
  })

  it('names both sides of every overlap', () => {
    const [pio, mmio] = [new PioBus(), new MmioBus()]
    pio.claim('pit', { name: 'main', first: 0x40, last: 0x43, handler: recorder() })
    pio.claim('other', { name: 'x', first: 0x43, last: 0x50, handler: recorder() })
    const handler = { mmioRead: () => 0, mmioWrite: () => undefined }
    mmio.claim('ioapic', { name: 'regs', first: 0xfec00000, last: 0xfec00fff, handler })
    mmio.claim('rom', { name: 'flash', first: 0xfec00800, last: 0xfecfffff, handler })
    expect(() => assertNoConflicts(pio, mmio)).toThrow(
      /43h-43h: 'other\/x' and 'pit\/main'.*fec00800h-fec00fffh: 'rom\/flash' and 'ioapic\/regs'/,
    )
  })

  it('splits wide accesses for 8-bit devices and at the end of a claim', () => {
    const bus = new PioBus()
    const [narrow, wide] = [recorder(), recorder()]
    bus.claim('narrow', { name: 'n', first: 0x70, last: 0x71, handler: narrow, split: 'bytes' })
    bus.claim('wide', { name: 'w', first: 0x72, last: 0x75, handler: wide })
    expect(bus.read(0x70, 4)).toBe(0x73727170)
    bus.write(0x70, 2, 0xbeef)
    bus.write(0x72, 4, 0x12345678)
    bus.write(0x75, 2, 0xaa55)
    expect(narrow.log).toEqual(['r1 70', 'r1 71', 'w1 70 ef', 'w1 71 be'])
    expect(wide.log).toEqual(['r1 72', 'r1 73', 'w4 72 12345678', 'w1 75 55'])
  })

  it('turns a refusal into all ones and counts it', () => {
    const bus = new PioBus()
    bus.trace = new AccessTrace(2)
    bus.claim('d', { name: 'r', first: 0x10, last: 0x17, handler: { pioRead: () => BAD_WIDTH, pioWrite: () => BAD_WIDTH } })
    expect(bus.read(0x10, 4)).toBe(0xffffffff)
    bus.write(0x10, 2, 1)
    expect(bus.faults.total).toBe(2)
    expect(bus.trace.list().map((access) => [access.owner, access.fault, access.write])).toEqual([
      ['d/r', 'bad-width', false],
      ['d/r', 'bad-width', true],
    ])
  })

  it('dynamic ranges come and go below fixed claims', () => {
    const bus = new PioBus()
    const [fixed, bar] = [recorder(), recorder()]
    bus.claim('fixed', { name: 'f', first: 0x3f8, last: 0x3ff, handler: fixed })
    const range = bus.mapDynamic('bar', 0x3f0, 16, bar)
    bus.read(0x3f4, 1)
    bus.read(0x3f9, 1)
    expect([bar.log, fixed.log]).toEqual([['r1 4'], ['r1 3f9']])
    range.remove()
    range.remove()
    expect(bus.read(0x3f4, 1)).toBe(0xff)
    expect(bus.ownerOf(0x3f9)).toBe('fixed/f')
  })
})

describe('MmioBus', () => {
  it('routes by offset, splits at ends, answers for nobody', () => {
    const bus = new MmioBus()
    const seen: number[] = []
    bus.claim('a', {
      name: 'r',
      first: 0x1000,
      last: 0x1fff,
      handler: { mmioRead: (offset) => (seen.push(offset), offset & 0xff), mmioWrite: () => undefined },
    })
    expect(bus.read(0x1010, 4)).toBe(0x10)
    expect(bus.read(0x1ffe, 4)).toBe(0xfffffffe)
    expect(seen).toEqual([0x10, 0xffe, 0xfff])
    const range = bus.mapDynamic('b', 0x1800, 0x1000, { mmioRead: (offset) => offset & 0xff, mmioWrite: () => undefined })
    expect(bus.ownerOf(0x1900)).toBe('a/r')
    expect(bus.read(0x2001, 1)).toBe(1)
    range.remove()
    expect(bus.read(0x2001, 1)).toBe(0xff)
    bus.write(2 ** 40, 1, 0)
    expect(bus.unclaimed.list().map((entry) => entry.place)).toContain(2 ** 40)
  })
})
