/** region_read and region_write: plain memory has an address, everything else is left to the interpreter, and nothing is raised. */
import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import * as D from '../layout-decode'
import { CODE, RAM_BYTES, TestMachine, protect, toUser } from './test-machine'

const m = new TestMachine()
const DIRECTORY = 0x3a000
const TABLE = 0x3b000
const PRESENT_WRITABLE = 3
const ACCESSED = 0x20
const DIRTY = 0x40
const STACK = 0x100
const SPLIT = L.VCPU_BASE + 0x38000
const host = (gpa: number): number => L.RAM_BASE + gpa

const read = (linear: number | bigint, flags: number): number => Number(m.call64('region_read', BigInt(linear), flags)) >>> 0
const write = (linear: number | bigint, flags: number): number => Number(m.call64('region_write', BigInt(linear), flags)) >>> 0
const inTlb = (table: number, linear: number): boolean =>
  m.view.getBigUint64(m.state32(L.TLB_CONTEXT) + table + ((linear >>> 12) & (L.TLB_ENTRIES - 1)) * L.TLB_ENTRY_BYTES, true) === BigInt(linear & ~0xfff)
const pte = (linear: number): number => m.read32(TABLE + (linear >>> 12) * 4)
const setPte = (linear: number, entry: number): void => {
  m.write32(TABLE + (linear >>> 12) * 4, entry)
  m.call('flush_tlb')
}
/** 4 MiB of identity mapping in 4 KiB pages. */
const paging = (): void => {
  m.write32(DIRECTORY, TABLE | 7)
  for (let i = 0; i < 0x400; i++) m.write32(TABLE + i * 4, (i * 0x1000) | PRESENT_WRITABLE)
  m.vcpu.setControl('cr3', DIRECTORY)
  m.vcpu.setControl('cr0', 0x80010011)
}

beforeEach(() => {
  protect(m)
  for (let page = 0; page < RAM_BYTES / 0x1000; page++) m.mapPage(page * 0x1000, L.RAM_BASE + page * 0x1000, L.PHYS_READ | L.PHYS_WRITE)
  m.vcpu.setA20(true)
  m.vcpu.dropTranslations()
  m.mmioReads.length = 0
  m.mmioWrites.length = 0
})

/** No trace of a failed access is left. */
const quiet = (): void => {
  expect(m.takeFault()).toBeUndefined()
  expect([m.mmioReads, m.mmioWrites]).toEqual([[], []])
}

describe('region_read', () => {
  it('fills the TLB and sets the accessed bit', () => {
    paging()
    expect(read(0x5123, 4)).toBe(host(0x5123))
    expect(inTlb(L.TLB_READ, 0x5123)).toBe(true)
    expect(inTlb(L.TLB_WRITE, 0x5123)).toBe(false)
    expect(pte(0x5000) & (ACCESSED | DIRTY)).toBe(ACCESSED)
    expect(read(0x5ff0, 16)).toBe(host(0x5ff0))
  })

  it.each([2, 4, 8, 16])('gathers %i bytes that cross pages which lie apart', (bytes) => {
    paging()
    setPte(0x6000, 0x9000 | PRESENT_WRITABLE)
    for (let i = 0; i < 32; i++) {
      m.write8(0x5ff0 + i, 0xee)
      m.write8(0x5fe0 + i, i)
      m.write8(0x9000 + i, 0x80 + i)
    }
    for (let before = 1; before < bytes; before++) {
      const at = read(0x6000 - before, bytes)
      expect(at).toBe(SPLIT)
      const expected = Array.from({ length: bytes }, (_, i) => (i < before ? m.read8(0x6000 - before + i) : m.read8(0x9000 + i - before)))
      expect([...m.bytes.subarray(at, at + bytes)]).toEqual(expected)
    }
  })

  it('refuses page faults, on the second page too', () => {
    paging()
    setPte(0x6000, 0)
    expect(read(0x6000, 1)).toBe(0)
    expect(read(0x5fff, 2)).toBe(0)
    quiet()
    expect(m.vcpu.control('cr2')).toBe(0n)
    expect(read(0x5ffe, 2)).toBe(host(0x5ffe))
  })

  it('refuses device memory and page tables in it', () => {
    expect(read(0xb8000000, 4)).toBe(0)
    m.mapPage(0x5000, 0, 0)
    expect(read(0x5000, 4)).toBe(0)
    expect(read(0x4ffe, 4)).toBe(0)
    paging()
    m.write32(DIRECTORY, 0xf0000007)
    m.call('flush_tlb')
    expect(read(0x7000, 4)).toBe(0)
    quiet()
    // and the ordinary path does ask the device afterwards
    m.call64('read_slow', 0x7000n, 4)
    expect(m.mmioReads.length).toBeGreaterThan(0)
  })

  it('reads ROM', () => {
    m.mapPage(0x5000, host(0x5000), L.PHYS_READ)
    expect(read(0x5004, 4)).toBe(host(0x5004))
    expect(write(0x5004, 4)).toBe(0)
    quiet()
  })

  it('refuses addresses that are not canonical, at either end', () => {
    m.write64(0x30000, 0x31003n)
    for (let i = 0; i < 512; i++) m.write64(0x31000 + i * 8, 0x32003n)
    for (let i = 0; i < 512; i++) m.write64(0x32000 + i * 8, BigInt(i * 0x200000 + 0x83))
    m.write64(0x30000 + 255 * 8, 0x31003n)
    m.write64(0x30000 + 511 * 8, 0x31003n)
    m.vcpu.setLong(CODE, 0x30000)
    expect(read(0x5000, 8)).toBe(host(0x5000))
    for (const linear of [0x8000_0000_0000n, 0x7fff_ffff_fffen, 0xffff_7fff_ffff_fff8n]) {
      expect(read(linear, 8)).toBe(0)
      expect(write(linear, 8 | STACK)).toBe(0)
    }
    quiet()
  })

  it('refuses what alignment checks or breakpoints must see', () => {
    paging()
    for (let i = 0; i < 0x400; i++) m.write32(TABLE + i * 4, (i * 0x1000) | 7)
    toUser(m, CODE)
    m.vcpu.setControl('cr0', 0x80050011)
    m.vcpu.rflags = 0x40002
    expect(read(0x5000, 4)).toBe(0)
    m.vcpu.rflags = 2
    expect(read(0x5001, 4)).toBe(host(0x5001))
    m.vcpu.setDebug(0, 0x7000)
    m.vcpu.setDebug(7, 0x30001)
    expect([read(0x5000, 4), write(0x5000, 4)]).toEqual([0, 0])
    quiet()
  })

  it('has the rights of the running code', () => {
    paging()
    toUser(m, CODE)
    expect([read(0x5000, 4), write(0x5000, 4)]).toEqual([0, 0])
    setPte(0x5000, 0x5005)
    expect([read(0x5000, 4), write(0x5000, 4)]).toEqual([host(0x5000), 0])
    quiet()
  })

  it('wraps at 4 GiB outside 64-bit mode', () => {
    m.mapPage(0xfffff000, host(0x7000), L.PHYS_READ | L.PHYS_WRITE)
    m.write32(0x7ffc, 0x44332211)
    m.write32(0, 0x88776655)
    const at = read(0xfffffffe, 4)
    expect(m.view.getUint32(at, true)).toBe(0x66554433)
    m.mapPage(0xfffff000, 0, 0)
  })
})

describe('region_write', () => {
  it('fills the TLB, and marks the page dirty for guest and host', () => {
    paging()
    m.bytes[L.DIRTY_MAP + (host(0x5000) >>> 12)] = 0
    expect(write(0x5123, 4)).toBe(host(0x5123))
    expect(inTlb(L.TLB_WRITE, 0x5123)).toBe(true)
    expect(pte(0x5000) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY)
    expect(m.bytes[L.DIRTY_MAP + (host(0x5000) >>> 12)]).toBe(1)
  })

  it('crosses pages that lie side by side, and no others', () => {
    paging()
    expect(write(0x5ffd, 4)).toBe(host(0x5ffd))
    setPte(0x6000, 0x9000 | PRESENT_WRITABLE)
    expect(write(0x5ffd, 4)).toBe(0)
    setPte(0x6000, 0x6001)
    expect(write(0x5ffd, 4)).toBe(0)
    setPte(0x6000, 0)
    expect(write(0x5ffd, 4)).toBe(0)
    quiet()
  })

  it('refuses bytes in a line with code, and allows others of the page without caching it', () => {
    const page = L.CODE_PAGES + (CODE >> 12) * L.CODE_PAGE_BYTES
    const writes = (): number => m.view.getUint32(D.COUNT_CODE_WRITES, true)
    m.code(CODE + 0x100, [0x90, 0xc3])
    m.vcpu.rip = CODE + 0x100
    m.call('find_block')
    const before = writes()
    expect(write(CODE + 0x100, 4)).toBe(0)
    expect(write(CODE + 0xfe, 4)).toBe(0)
    expect(write(CODE - 2, 4)).toBe(host(CODE - 2))
    expect(write(CODE + 0x140, 4)).toBe(host(CODE + 0x140))
    expect(inTlb(L.TLB_WRITE, CODE)).toBe(false)
    expect(writes() - before).toBe(2)
    expect(m.view.getUint8(page + D.CODE_PAGE_MISSES)).toBe(2)
  })

  it('leaves the write that fills the page’s count to the ordinary path', () => {
    m.code(CODE, [0xc3])
    m.vcpu.rip = CODE
    m.call('find_block')
    let allowed = 0
    while (allowed < 1000 && write(CODE + 0x800, 4) !== 0) allowed++
    expect(allowed).toBe(254)
    // the ordinary path starts the next count
    m.call64('write_slow', BigInt(CODE + 0x800), 0n, 4)
    expect(write(CODE + 0x800, 4)).toBe(host(CODE + 0x800))
    for (let i = 0; i < 253; i++) write(CODE + 0x800, 4)
    expect(write(CODE + 0x800, 4)).toBe(0)
    // nobody has run the code meanwhile: it goes, and the page is like any other
    m.call64('write_slow', BigInt(CODE + 0x800), 0n, 4)
    expect(write(CODE, 4)).toBe(host(CODE))
    expect(inTlb(L.TLB_WRITE, CODE)).toBe(true)
  })

  it('refuses device memory', () => {
    expect(write(0xb8000000, 4)).toBe(0)
    quiet()
  })
})
