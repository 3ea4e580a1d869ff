import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import { ARENA_NEXT, COUNT_CODE_FLUSHES } from '../layout-decode'
import type { RegionPlan } from '../translator/region-plan'
import { CodeCache, type CodeCacheLimits, type NewRegion } from './code-cache'

const PAGES = 64
const ADD = new WebAssembly.Instance(
  new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11)),
).exports['f'] as (vcpu: number, selector: number) => number

/** The decoded-block lists as core/decode keeps them, by hand. */
class Decoded {
  readonly memory = new WebAssembly.Memory({ initial: (L.RAM_BASE + PAGES * 4096) / 0x10000, maximum: 0x800, shared: true })
  readonly view = new DataView(this.memory.buffer)
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 16 })
  private next = L.BLOCK_ARENA

  constructor() {
    this.u32(ARENA_NEXT, this.next)
    for (let page = 0; page < PAGES; page++) this.u32(L.PHYSMAP + page * 4, L.RAM_BASE + page * 4096 + L.PHYS_READ + L.PHYS_WRITE)
    for (let i = 0; i < PAGES * 4096; i++) this.view.setUint8(L.RAM_BASE + i, (i * 7 + (i >> 8)) & 0xff)
  }
  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true)
  }
  get(at: number): number {
    return this.view.getUint32(at, true)
  }
  list(gpa: number): number {
    return L.CODE_PAGES + (gpa >>> 12) * L.CODE_PAGE_BYTES
  }
  decode(gpa: number, bytes: number, key = 1): number {
    const header = this.next
    this.next += L.BLOCK_HEADER_BYTES + L.REC_BYTES
    this.u32(ARENA_NEXT, this.next)
    this.u32(header + L.BLOCK_GPA, gpa)
    this.u32(header + L.BLOCK_GPA + 4, 0)
    this.u32(header + L.BLOCK_MODE, key)
    this.u32(header + L.BLOCK_CODE_BYTES, bytes)
    this.u32(header + L.BLOCK_ENTRY, 0)
    this.u32(header + L.BLOCK_NEXT_IN_PAGE, this.get(this.list(gpa)))
    this.u32(this.list(gpa), header)
    return header
  }
  /** As drop_range: blocks that overlap the bytes leave the list. Returns what code_dropped is told. */
  drop(gpa: number, bytes: number): [gpa: number, bytes: number] {
    let from = gpa
    let to = gpa + bytes
    let link = this.list(gpa)
    for (let header = this.get(link); header !== 0; header = this.get(header + L.BLOCK_NEXT_IN_PAGE)) {
      const start = this.get(header + L.BLOCK_GPA)
      const end = start + this.get(header + L.BLOCK_CODE_BYTES)
      if (start < gpa + bytes && end > gpa) {
        this.u32(link, this.get(header + L.BLOCK_NEXT_IN_PAGE))
        from = Math.min(from, start)
        to = Math.max(to, end)
      } else link = header + L.BLOCK_NEXT_IN_PAGE
    }
    return [from, to - from]
  }
  flush(): void {
    for (let page = 0; page < PAGES; page++) this.u32(this.list(page * 4096), 0)
    this.view.setUint32(COUNT_CODE_FLUSHES, this.get(COUNT_CODE_FLUSHES) + 1, true)
    this.next = L.BLOCK_ARENA
    this.u32(ARENA_NEXT, this.next)
  }
  write(gpa: number, value: number): void {
    this.view.setUint8(L.RAM_BASE + gpa, value)
  }
  entry(header: number): number {
    return this.get(header + L.BLOCK_ENTRY)
  }
  translated(header: number): boolean {
    return this.entry(header) >= L.ENTRY_TRANSLATED
  }
}

const plan = (page: number, blocks: readonly (readonly [offset: number, bytes: number])[], entries = [0], key = 1): RegionPlan => ({
  page,
  key,
  records: new Uint8Array(blocks.length * L.REC_BYTES),
  blocks: blocks.map(([offset, bytes], first) => ({ offset, bytes, first, count: 1 })),
  entries,
})

describe('code cache', () => {
  let d: Decoded
  let cache: CodeCache
  const make = (limits: Partial<CodeCacheLimits> = {}, ensure?: (gpa: number, key: number) => number): void => {
    cache = new CodeCache(d.memory, d.table, { slots: 8, regions: 100, bytes: 1 << 20, ...limits }, ensure && { block: ensure, crossing: () => 0 })
  }
  const made = (p: RegionPlan): NewRegion => ({ source: { plan: p, code: cache.codeOf(p)! }, fn: ADD })
  const install = (...plans: RegionPlan[]): ReturnType<CodeCache['install']> => cache.install(100, plans.map(made))
  const relink = (header: number): boolean => cache.relink(cache.block(header)!)
  const filledSlots = (): number => Array.from({ length: d.table.length }, (_, i) => d.table.get(i) as unknown).filter((fn) => fn !== null).length

  beforeEach(() => {
    d = new Decoded()
    make()
  })

  it('links a region: function in the table, entry words name slot and selector', () => {
    const a = d.decode(0x1010, 8)
    const b = d.decode(0x1020, 8)
    const c = d.decode(0x1030, 8)
    const [region] = install(plan(0x1000, [[0x10, 8], [0x20, 8], [0x30, 8]], [0, 2]))
    expect(d.table.get(region!.slot)).toBe(ADD)
    expect(d.entry(a)).toBe((L.ENTRY_TRANSLATED | region!.slot) >>> 0)
    expect(d.entry(b)).toBe(0)
    expect(d.entry(c)).toBe((L.ENTRY_TRANSLATED | region!.slot | (1 << L.ENTRY_SELECTOR_SHIFT)) >>> 0)
  })

  it('does not link blocks of another code size, nor code that changed while it was compiled', () => {
    const other = d.decode(0x1010, 8, 2)
    expect(install(plan(0x1000, [[0x10, 8]]))).toEqual([])
    expect(d.entry(other)).toBe(0)
    const a = d.decode(0x2010, 8)
    cache.setCounted(a, false)
    const source = made(plan(0x2000, [[0x10, 8]]))
    d.write(0x2013, 0xee)
    expect(cache.install(100, [source])).toEqual([])
    expect(d.entry(a)).toBe(0)
    expect(cache.counters.stale).toBe(2)
    expect(filledSlots()).toBe(0)
  })

  it('does not link what no decoded block watches over', () => {
    d.decode(0x1010, 8)
    expect(install(plan(0x1000, [[0x10, 8], [0x40, 4]]))).toEqual([])
    make({}, (gpa, key) => d.decode(gpa, 4, key))
    expect(install(plan(0x1000, [[0x10, 8], [0x40, 4]])).length).toBe(1)
  })

  it('a write unlinks only regions that overlap it; back as it was, the region is linked again', () => {
    const a = d.decode(0x1010, 8)
    const b = d.decode(0x1020, 8)
    const c = d.decode(0x1100, 8)
    install(plan(0x1000, [[0x10, 8], [0x20, 8]]), plan(0x1000, [[0x100, 8]]))
    const old = d.view.getUint8(L.RAM_BASE + 0x1024)
    d.write(0x1024, 0)
    expect(cache.codeDropped(...d.drop(0x1024, 1))).toEqual([0x1000])
    expect([d.translated(a), d.translated(c)]).toEqual([false, true])
    expect(cache.size.linked).toBe(1)
    expect(filledSlots()).toBe(1)
    d.decode(0x1020, 8)
    expect(relink(a)).toBe(false)
    d.write(0x1024, old)
    expect(relink(a)).toBe(true)
    expect(d.translated(a)).toBe(true)
    expect(d.translated(b)).toBe(false)
    expect(cache.counters).toMatchObject({ installed: 2, invalidations: 1, relinks: 1 })
  })

  it('a region goes with the block that watched over its bytes', () => {
    const a = d.decode(0x1010, 8)
    d.decode(0x101c, 20) // covers 0x1020 as well
    install(plan(0x1000, [[0x10, 8], [0x20, 8]]))
    cache.codeDropped(...d.drop(0x101c, 1))
    expect(d.translated(a)).toBe(false)
  })

  it('after a flush nothing is linked; regions come back without compiling', () => {
    d.decode(0x1010, 8)
    install(plan(0x1000, [[0x10, 8]]))
    d.flush()
    const again = d.decode(0x1010, 8)
    expect(relink(again)).toBe(true)
    expect(filledSlots()).toBe(1)
    expect(d.translated(again)).toBe(true)
    d.flush()
    cache.codeDropped(0, 0)
    expect(cache.size.linked).toBe(0)
    expect(filledSlots()).toBe(0)
  })

  it('a block decoded after its region was linked gets its entry', () => {
    d.decode(0x1010, 8)
    d.decode(0x1020, 8, 2)
    const [region] = install(plan(0x1000, [[0x10, 8], [0x20, 8]], [0, 1]))
    const late = d.decode(0x1020, 8)
    expect(relink(late)).toBe(true)
    expect(d.entry(late) & L.ENTRY_SLOT_MASK).toBe(region!.slot)
  })

  it('leaves entries of another linked region alone', () => {
    const a = d.decode(0x1010, 8)
    const b = d.decode(0x1020, 8)
    const [first] = install(plan(0x1000, [[0x10, 8]]))
    const [second] = install(plan(0x1000, [[0x20, 8], [0x10, 8]], [0, 1]))
    expect(d.entry(a) & L.ENTRY_SLOT_MASK).toBe(first!.slot)
    expect(d.entry(b) & L.ENTRY_SLOT_MASK).toBe(second!.slot)
    expect(install(plan(0x1000, [[0x10, 8]]))).toEqual([])
  })

  it('a hot region takes the entries of others, and those that have none left go', () => {
    const headers = [0x10, 0x20, 0x30].map((offset) => d.decode(0x1000 + offset, 8))
    const [both] = install(plan(0x1000, [[0x10, 8], [0x20, 8]], [0, 1]))
    const [third] = install(plan(0x1000, [[0x30, 8]]))
    const hot = (p: RegionPlan): NewRegion => ({ ...made(p), source: { ...made(p).source, hot: true } })
    const [first] = cache.install(100, [hot(plan(0x1000, [[0x10, 8], [0x30, 8]], [0, 1]))])
    expect(headers.map((header) => d.entry(header) & L.ENTRY_SLOT_MASK)).toEqual([first!.slot, both!.slot, first!.slot])
    expect([both!.slot >= 0, third!.slot]).toEqual([true, -1])
    expect(cache.size).toMatchObject({ regions: 2, linked: 2, modules: 2 })
    expect(filledSlots()).toBe(2)
    // not from each other
    const [second] = cache.install(100, [hot(plan(0x1000, [[0x20, 8], [0x10, 8]], [0, 1]))])
    expect(headers.map((header) => d.entry(header) & L.ENTRY_SLOT_MASK)).toEqual([first!.slot, second!.slot, first!.slot])
    expect(cache.size).toMatchObject({ regions: 2, linked: 2 })
    // and it is the hot one that comes back
    d.flush()
    d.decode(0x1030, 8)
    expect(relink(d.decode(0x1010, 8))).toBe(true)
    expect(first!.slot).toBeGreaterThanOrEqual(0)
  })

  it('names the regions that are entered very often, each again when it has been entered as often again', () => {
    const headers = [0x10, 0x20, 0x30].map((offset) => d.decode(0x1000 + offset, 8))
    const regions = [0x10, 0x20, 0x30].flatMap((offset) => install(plan(0x1000, [[offset, 8]])))
    const enter = (region: number, times: number): void => d.u32(L.REGION_COUNTS + regions[region]!.slot * 4, times)
    const overdue = (): number[] => cache.overdue(100, 2).map(({ block }) => headers.indexOf(block.header))
    expect(overdue()).toEqual([])
    enter(0, 99)
    enter(1, 100)
    enter(2, 5000)
    expect(overdue()).toEqual([2, 1])
    expect(overdue()).toEqual([])
    enter(0, 300)
    enter(1, 100)
    expect(overdue()).toEqual([0, 1])
  })

  it('takes the entry words of what is unlinked, replaced or evicted out of the jump caches and ways', () => {
    make({ slots: 3 })
    const vcpus = [L.VCPU_BASE, L.VCPU_BASE + L.VCPU_STRIDE]
    for (const vcpu of vcpus) d.u32(vcpu + L.TLB_CONTEXT, 1)
    // in the jump caches, and with the regions of slots 0 to 2 that each vCPU went there from
    const placesOf = (place: number): number[] =>
      vcpus.flatMap((vcpu, i) => [
        vcpu + L.JUMP_CACHE + place * L.JUMP_CACHE_ENTRY_BYTES + L.JUMP_WORD,
        L.NEXT_REGIONS + (((i * L.NEXT_LINES + (place % 3)) * L.NEXT_WAYS) + (place % L.NEXT_WAYS)) * L.NEXT_WAY_BYTES + L.NEXT_WORD,
      ])
    const words = (place: number): number[] => placesOf(place).map((at) => d.get(at))
    const headers = [0x1010, 0x1020, 0x2000, 0x3000].map((gpa) => d.decode(gpa, 8))
    const remember = (header: number, place: number): void => {
      for (const at of placesOf(place)) d.u32(at, d.entry(header))
    }
    install(plan(0x1000, [[0x10, 8], [0x20, 8]], [0, 1]))
    install(plan(0x2000, [[0, 8]]))
    ;[0, 1, 2].forEach((i) => remember(headers[i]!, i * 5))
    const second = d.entry(headers[2]!)
    // a hot region takes one of two entries: the other region is still there, and still right, but no longer the best
    cache.install(100, [{ ...made(plan(0x1000, [[0x10, 8]])), source: { ...made(plan(0x1000, [[0x10, 8]])).source, hot: true } }])
    expect([words(0), words(5), words(10)]).toEqual([0, 0, second].map((word) => [word, word, word, word]))
    remember(headers[0]!, 0)
    remember(headers[1]!, 5)
    // for lack of a slot the least used goes
    for (const header of headers.slice(0, 2)) d.u32(L.REGION_COUNTS + (d.entry(header) & L.ENTRY_SLOT_MASK) * 4, 100)
    install(plan(0x3000, [[0, 8]]))
    const left = headers.slice(0, 3).map((header) => d.entry(header))
    expect(left.filter((word) => word === 0).length).toBe(1)
    expect([words(0), words(5), words(10)]).toEqual(left.map((word) => [word, word, word, word]))
  })

  it('counts the blocks inside a new region anew', () => {
    const headers = [0x10, 0x20, 0x30, 0x40].map((offset) => d.decode(0x1000 + offset, 8))
    for (const header of headers) d.u32(header + L.BLOCK_ENTRY, 500)
    const [region] = install(plan(0x1000, [[0x10, 8], [0x20, 8], [0x30, 8]]))
    d.u32(headers[2]! + L.BLOCK_ENTRY, 3)
    cache.recount(region!, 25)
    expect(d.translated(headers[0]!)).toBe(true)
    expect(headers.slice(1).map((header) => d.entry(header))).toEqual([25, 3, 500])
    expect(headers.map((header) => cache.runsOf(cache.block(header)!))).toEqual([-1, 25, 3, 500])
  })

  it('makes room by the module that ran least', () => {
    make({ slots: 4, bytes: 100_000 })
    const headers = [1, 2, 3, 4, 5].map((page) => d.decode(page * 0x1000, 8))
    const regions = [1, 2, 3, 4].flatMap((page) => install(plan(page * 0x1000, [[0, 8]])))
    regions.forEach((region, i) => d.u32(L.REGION_COUNTS + region.slot * 4, [50, 2, 9, 9][i]!))
    install(plan(0x5000, [[0, 8]]))
    expect(headers.map((header) => d.translated(header))).toEqual([true, false, true, true, true])
    expect(cache.size).toMatchObject({ regions: 4, linked: 4, modules: 4, bytes: 400 })
    expect(relink(headers[1]!)).toBe(false)
  })

  it('stays inside its limits, whatever happens in what order', () => {
    make({ slots: 6, regions: 20, bytes: 900 })
    let seed = 1
    const random = (n: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % (n * 65536) >>> 16
    const kept: NewRegion[] = []
    for (let step = 0; step < 2000; step++) {
      const page = random(6) * 0x1000
      const offset = random(8) * 16
      switch (random(8)) {
        case 0:
        case 1:
          if (!d_has(page + offset)) d.decode(page + offset, 16)
          break
        case 2:
        case 3:
          kept.push(made(plan(page, [[offset, 16], [random(8) * 16, 16]], [0, 1])))
          break
        case 4:
          cache.install(100, kept.splice(0, 1 + random(4)))
          break
        case 5: {
          const bytes = 1 + random(40)
          d.write(page + offset, random(3))
          cache.codeDropped(...d.drop(page + offset, bytes))
          break
        }
        case 6:
          for (const header of headersOf(page)) relink(header)
          break
        default:
          if (random(50) === 0) d.flush()
      }
      check()
    }
    expect(cache.counters.evictions).toBeGreaterThan(10)
    expect(cache.counters.relinks).toBeGreaterThan(10)

    function headersOf(page: number): number[] {
      const headers: number[] = []
      for (let header = d.get(d.list(page)); header !== 0; header = d.get(header + L.BLOCK_NEXT_IN_PAGE)) headers.push(header)
      return headers
    }
    function d_has(gpa: number): boolean {
      return headersOf(gpa).some((header) => d.get(header + L.BLOCK_GPA) === gpa)
    }
    /** Every translated entry leads to a region that is made from the bytes that are there, and begins with that block. */
    function check(): void {
      cache.noticeFlush()
      const { regions, linked, bytes } = cache.size
      expect(linked).toBeLessThanOrEqual(6)
      expect(regions).toBeLessThanOrEqual(20 + 4)
      expect(bytes).toBeLessThanOrEqual(900 + 100)
      expect(filledSlots()).toBe(linked)
      for (let page = 0; page < 0x6000; page += 0x1000) {
        for (const header of headersOf(page)) {
          if (!d.translated(header)) continue
          const region = cache.regionAt(d.entry(header) & L.ENTRY_SLOT_MASK)!
          const selector = (d.entry(header) >>> L.ENTRY_SELECTOR_SHIFT) & 0x7fff
          expect(region.entries()[selector]).toBe(d.get(header + L.BLOCK_GPA))
          expect(region.source.code).toEqual(cache.codeOf(region.source.plan))
        }
      }
    }
  })
})
