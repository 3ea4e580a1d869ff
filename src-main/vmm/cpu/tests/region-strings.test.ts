/** region_copy and region_fill: runs of REP MOVS and REP STOS as elements one after the other would do them, or nothing. */
import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import { RAM_BYTES, TestMachine, protect } from './test-machine'

const m = new TestMachine()
const PAGE = 0x1000
const FROM = 0x5000
const TO = 0x7000
const DF = 0x400
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 200, 511, 512, 513, 700]

const copy = (from: number, to: number, count: number, size: number): number => Number(m.call64('region_copy', BigInt(from), BigInt(to), BigInt(count), size))
const fill = (to: number, value: bigint, count: number, size: number): number => Number(m.call64('region_fill', BigInt(to), value, BigInt(count), size))
const setFlags = (flags: number): void => m.view.setUint32(L.VCPU_BASE + L.REG_EFLAGS, flags, true)
const memory = (): Uint8Array => new Uint8Array(m.view.buffer, L.RAM_BASE, RAM_BYTES)
const page = (gpa: number): Uint8Array => memory().slice(gpa, gpa + PAGE)

beforeEach(() => {
  protect(m)
  for (let at = 0; at < RAM_BYTES; at += PAGE) m.mapPage(at, L.RAM_BASE + at, L.PHYS_READ | L.PHYS_WRITE)
  m.vcpu.setA20(true)
  m.vcpu.dropTranslations()
  setFlags(2)
  for (let i = 0; i < PAGE; i++) memory()[FROM + i] = i * 7 + (i >> 8)
  for (const at of [FROM, TO]) {
    m.call64('region_write', BigInt(at), 1)
    m.call64('region_read', BigInt(at), 1)
  }
})

const elementwise = (bytes: Uint8Array, from: number, to: number, count: number, size: number): void => {
  for (let i = 0; i < count; i++) bytes.copyWithin(to + i * size, from + i * size, from + i * size + size)
}

describe.each([1, 2, 4, 8])('elements of %i bytes', (size) => {
  it('are copied', () => {
    for (const count of LENGTHS.filter((length) => length * size < 3000)) {
      for (const [from, to] of [[0, 5], [3, 0], [17, 64]] as const) {
        const [source, expected] = [page(FROM), page(TO)]
        expected.set(source.subarray(from, from + count * size), to)
        expect(copy(FROM + from, TO + to, count, size)).toBe(1)
        expect(Buffer.compare(page(TO), expected)).toBe(0)
        expect(Buffer.compare(page(FROM), source)).toBe(0)
      }
    }
  })

  it('repeat a pattern when they overlap', () => {
    for (const count of LENGTHS.filter((length) => length * size < 3000)) {
      for (const distance of [-700, -40, -17, -16, -15, -8, -4, -3, -1, 0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 40, 100]) {
        const expected = page(FROM)
        elementwise(expected, 800, 800 + distance, count, size)
        expect(copy(FROM + 800, FROM + 800 + distance, count, size)).toBe(1)
        expect(Buffer.compare(page(FROM), expected), `${count} at ${distance}`).toBe(0)
      }
    }
  })

  it('are filled', () => {
    for (const value of [0n, 0x1122334455667788n, -1n]) {
      for (const count of LENGTHS.filter((length) => length * size < 3000)) {
        const expected = page(TO)
        const element = new Uint8Array(new BigInt64Array([value]).buffer).subarray(0, size)
        for (let i = 0; i < count; i++) expected.set(element, 9 + i * size)
        expect(fill(TO + 9, value, count, size)).toBe(1)
        expect(Buffer.compare(page(TO), expected), `${count} of ${value}`).toBe(0)
      }
    }
  })

  it('up to the end of a page', () => {
    const count = PAGE / size
    expect([copy(FROM, TO, count, size), fill(TO, 1n, count, size)]).toEqual([1, 1])
    const before = memory().slice()
    const refused = [copy(FROM, TO, count + 1, size), copy(FROM + 1, TO, count, size), copy(FROM, TO + 1, count, size), fill(TO, 2n, count + 1, size), fill(TO + 1, 2n, count, size)]
    expect(refused).toEqual([0, 0, 0, 0, 0])
    expect(Buffer.compare(memory(), before)).toBe(0)
  })
})

describe('nothing happens', () => {
  it('downwards', () => {
    const before = page(TO)
    setFlags(2 | DF)
    expect([copy(FROM, TO, 2, 4), fill(TO, 1n, 2, 4), copy(FROM, TO, 0, 4), fill(TO, 1n, 0, 4)]).toEqual([0, 0, 1, 1])
    expect(Buffer.compare(page(TO), before)).toBe(0)
  })

  it('in pages that the TLB does not have, and for counts that wrap around', () => {
    m.call('flush_tlb')
    expect([copy(FROM, TO, 2, 4), fill(TO, 1n, 2, 4)]).toEqual([0, 0])
    expect(Number(m.call64('region_copy', BigInt(FROM), BigInt(TO), 1n << 62n, 4))).toBe(0)
    expect(Number(m.call64('region_fill', BigInt(TO), 0n, 0xffffffffffffffffn, 8))).toBe(0)
  })
})
