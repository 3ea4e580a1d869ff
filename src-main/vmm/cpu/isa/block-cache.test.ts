import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { jumpIndex } from '../code-cache/jump-index'
import * as L from '../layout'
import * as D from '../layout-decode'
import { buildDecoderTables } from './decoder-tables'
import { forms } from './forms'
import { compileCore } from './testing/compile-core'

const PAGE = 0x1000
const RAM_PAGES = 64
/** Host address of guest page n. */
const host = (page: number): number => L.RAM_BASE + page * PAGE
const VCPU = L.VCPU_BASE
const OTHER_VCPU = L.VCPU_BASE + L.VCPU_STRIDE
const CS = VCPU + L.SEGMENTS + L.SEG_CS * L.SEG_BYTES
const WRITABLE = L.PHYS_READ | L.PHYS_WRITE
const GP = 13

interface Core {
  find_block(vcpu: number): number
  invalidate_code(vcpu: number, gpa: bigint, bytes: number): void
  invalidate_code_range(gpa: number, bytes: number): void
  flush_code(): void
  reset_tlb(vcpu: number): void
  code_block(gpa: number, key: number): number
}

let core: Core
let bytes: Uint8Array
let view: DataView
/** code_dropped calls: address, bytes. */
const drops: [number, number][] = []

/** vCPU without paging, flat CS. */
const resetVcpu = (vcpu: number, mode: number): void => {
  bytes.fill(0, vcpu, vcpu + PAGE)
  view.setUint32(vcpu + L.TLB_CONTEXT, vcpu + L.TLB + L.TLB_CONTEXT_BYTES, true)
  view.setUint32(vcpu + L.A20_MASK, 0xffffffff, true)
  view.setBigUint64(vcpu + L.LINEAR_MASK, mode === 2 ? 0xffffffffffffffffn : 0xffffffffn, true)
  view.setInt32(vcpu + L.CODE_MODE, mode, true)
  view.setInt32(vcpu + L.CODE_KEY, mode, true)
  view.setInt32(vcpu + L.EXC_VECTOR, -1, true)
  view.setUint32(vcpu + L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_LIMIT, 0xffffffff, true)
  core.reset_tlb(vcpu)
}

const put = (gpa: number, ...code: number[]): void => bytes.set(code, L.RAM_BASE + gpa)
const find = (rip: number, vcpu = VCPU): number => {
  view.setBigUint64(vcpu + L.REG_RIP, BigInt(rip), true)
  return core.find_block(vcpu)
}
const operation = (record: number): string => forms[view.getUint16(record + L.REC_HANDLER, true)]?.operation ?? '?'
const flags = (record: number): number => view.getUint8(record + L.REC_FLAGS)
const records = (first: number): number => view.getUint32(first - L.BLOCK_HEADER_BYTES + L.BLOCK_RECORDS, true)
const isCode = (page: number): boolean => (view.getUint32(L.PHYSMAP + page * 4, true) & L.PHYS_CODE) !== 0
const epoch = (vcpu: number): number => view.getInt32(vcpu + L.CODE_EPOCH, true)
const dropped = (): number => view.getUint32(D.COUNT_BLOCKS_DROPPED, true)

beforeAll(async () => {
  const module = await compileCore('./core/decode/index', './core/mmu/tlb')
  const memory = new WebAssembly.Memory({ initial: (L.RAM_BASE + RAM_PAGES * PAGE) / 0x10000, maximum: 0x10000 })
  const host: Record<string, (gpa: number, bytes: number) => number> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === 'host') host[name] = () => 0
  host['code_dropped'] = (gpa, bytes) => {
    drops.push([gpa, bytes])
    return 0
  }
  core = new WebAssembly.Instance(module, { env: { memory }, host }).exports as unknown as Core
  bytes = new Uint8Array(memory.buffer)
  view = new DataView(memory.buffer)
  bytes.set(buildDecoderTables(), L.DECODER_TABLES)
})

beforeEach(() => {
  core.flush_code()
  drops.length = 0
  for (let page = 0; page < RAM_PAGES; page++) view.setUint8(L.CODE_PAGES + page * L.CODE_PAGE_BYTES + D.CODE_PAGE_WATCHED, 0)
  for (let page = 0; page < RAM_PAGES; page++) view.setUint32(L.PHYSMAP + page * 4, host(page) | WRITABLE, true)
  bytes.fill(0x90, L.RAM_BASE, L.RAM_BASE + RAM_PAGES * PAGE)
  resetVcpu(VCPU, 1)
  resetVcpu(OTHER_VCPU, 1)
})

describe('decoded-block cache', () => {
  it('decodes up to the instruction that ends the block, and finds it again', () => {
    put(0x1000, 0x40, 0x43, 0xeb, 0xfc)
    const first = find(0x1000)
    expect(records(first)).toBe(3)
    expect([0, 1, 2].map((i) => operation(first + i * L.REC_BYTES))).toEqual(['inc', 'inc', 'jmp_rel'])
    expect([0, 1, 2].map((i) => flags(first + i * L.REC_BYTES) & L.REC_FLAG_ENDS_BLOCK)).toEqual([0, 0, 1])
    expect(find(0x1000)).toBe(first)
    expect(find(0x1000, OTHER_VCPU)).toBe(first)
    expect(find(0x1001)).not.toBe(first)
    expect(isCode(1)).toBe(true)
  })

  it('keeps blocks of different code sizes apart', () => {
    put(0x1000, 0x40, 0xc3)
    const at32 = find(0x1000)
    resetVcpu(VCPU, 2)
    const at64 = find(0x1000)
    expect(at64).not.toBe(at32)
    expect(operation(at64)).toBe('ret')
  })

  it('fills the jump cache for the epoch', () => {
    put(0x1000, 0xc3)
    const first = find(0x1000)
    const slot = VCPU + L.JUMP_CACHE + jumpIndex(0x1000) * L.JUMP_CACHE_ENTRY_BYTES
    expect(view.getBigUint64(slot, true)).toBe(0x1000n)
    expect(view.getInt32(slot + L.JUMP_EPOCH, true)).toBe(epoch(VCPU))
    expect(view.getUint32(VCPU + L.JUMP_RECORDS + jumpIndex(0x1000) * 4, true)).toBe(first)
  })

  it('ends a block after 64 records and at the end of the page', () => {
    expect(records(find(0x1000))).toBe(64)
    const last = find(0x1ffc)
    expect(records(last)).toBe(4)
    expect(flags(last + 3 * L.REC_BYTES) & L.REC_FLAG_ENDS_BLOCK).toBe(1)
  })

  it('drops the blocks that are written, and only those', () => {
    put(0x1000, 0x40, 0xc3)
    put(0x1008, 0x43, 0xc3)
    const low = find(0x1000)
    const high = find(0x1008)
    const before = [epoch(VCPU), epoch(OTHER_VCPU)]
    // data between them, in the same line
    core.invalidate_code(VCPU, 0x1002n, 6)
    expect([find(0x1000), find(0x1008), epoch(VCPU)]).toEqual([low, high, before[0]])
    put(0x1000, 0x48)
    core.invalidate_code(VCPU, 0x1000n, 1)
    expect(find(0x1008)).toBe(high)
    expect(find(0x1000)).not.toBe(low)
    expect(operation(find(0x1000))).toBe('dec')
    expect(epoch(VCPU)).not.toBe(before[0])
    expect(epoch(OTHER_VCPU)).not.toBe(before[1])
  })

  it('clears the mark of a page when its last block goes', () => {
    put(0x1000, 0xc3)
    find(0x1000)
    core.invalidate_code(VCPU, 0x1080n, 8)
    expect(isCode(1)).toBe(true)
    core.invalidate_code_range(0x0ff0, 0x20)
    expect(isCode(1)).toBe(false)
  })

  it('gives up on the code of a page that is written again and again while nobody runs it', () => {
    put(0x1000, 0xc3)
    find(0x1000)
    const before = dropped()
    for (let i = 0; i < 600; i++) core.invalidate_code(VCPU, 0x1800n, 4)
    expect(dropped() - before).toBe(1)
    expect(isCode(1)).toBe(false)
  })

  it('keeps code that runs between writes to the data beside it', () => {
    put(0x1000, 0xc3)
    const first = find(0x1000)
    const inJumpCache = (): boolean => view.getInt32(VCPU + L.JUMP_CACHE + jumpIndex(0x1000) * L.JUMP_CACHE_ENTRY_BYTES + L.JUMP_EPOCH, true) === epoch(VCPU)
    for (let i = 0; i < 2000; i++) {
      core.invalidate_code(VCPU, 0x1800n, 4)
      // as the run loop: looks the block up only when the jump cache does not have it
      if (i % 100 === 0 && !inJumpCache()) find(0x1000)
    }
    expect(find(0x1000)).toBe(first)
    expect(isCode(1)).toBe(true)
  })

  it('finds a block again that the jump cache has for another epoch, but not a dropped one', () => {
    put(0x1000, 0x40, 0xc3)
    const first = find(0x1000)
    core.reset_tlb(VCPU)
    expect(find(0x1000)).toBe(first)
    put(0x1000, 0x48)
    core.invalidate_code(VCPU, 0x1000n, 1)
    expect(operation(find(0x1000))).toBe('dec')
    core.flush_code()
    put(0x1000, 0x40)
    expect(operation(find(0x1000))).toBe('inc')
  })

  it('tells the host about dropped code of the pages that it watches', () => {
    put(0x1000, 0x40, 0x43, 0xc3)
    find(0x1000)
    core.invalidate_code(VCPU, 0x1001n, 1)
    expect(drops).toEqual([])
    find(0x1000)
    const page = L.CODE_PAGES + 1 * L.CODE_PAGE_BYTES
    view.setUint8(page + D.CODE_PAGE_WATCHED, 1)
    core.invalidate_code(VCPU, 0x1800n, 4)
    expect(drops).toEqual([])
    // all bytes of the blocks that go, not only what was written
    core.invalidate_code(VCPU, 0x1001n, 8)
    expect(drops).toEqual([[0x1000, 9]])
    core.flush_code()
    expect(drops).toEqual([[0x1000, 9], [0, 0]])
    expect(view.getUint8(page + D.CODE_PAGE_WATCHED)).toBe(1)
  })

  it('decodes for the planner without flushing, and counts runs from zero', () => {
    put(0x1000, 0x40, 0xc3)
    const block = core.code_block(0x1000, 1)
    expect(find(0x1000)).toBe(block + L.BLOCK_HEADER_BYTES)
    expect(view.getUint32(block + L.BLOCK_ENTRY, true)).toBe(0)
    expect(core.code_block(0x1000, 5)).not.toBe(block)
    expect(core.code_block(0x1000, 5)).toBe(core.code_block(0x1000, 5))
    expect(core.code_block(0x10000000, 1)).toBe(0)
    expect(core.code_block(2 ** 40, 1)).toBe(0)
    put(0x1ffe, 0xb8, 0x78)
    expect(core.code_block(0x1ffe, 1)).toBe(0)
  })

  it('does not count runs of instructions that are decoded each time', () => {
    put(0x1ffe, 0xb8, 0x78, 0x56, 0x34, 0x12)
    const record = find(0x1ffe)
    expect(view.getUint32(record - L.BLOCK_HEADER_BYTES + L.BLOCK_ENTRY, true)).toBe(L.ENTRY_NEVER)
  })

  it('makes the instruction that wrote the last of its block', () => {
    const first = find(0x1000)
    view.setUint32(VCPU + L.CURRENT_RECORD, first + 5 * L.REC_BYTES, true)
    core.invalidate_code(VCPU, 0x1010n, 1)
    expect(flags(first + 5 * L.REC_BYTES) & L.REC_FLAG_ENDS_BLOCK).toBe(1)
    expect(flags(first + 4 * L.REC_BYTES) & L.REC_FLAG_ENDS_BLOCK).toBe(0)
  })

  it('fetches an instruction across pages each time, from both', () => {
    put(0x1ffe, 0xb8, 0x78, 0x56, 0x34, 0x12)
    view.setUint32(L.PHYSMAP + 2 * 4, host(9) | WRITABLE, true)
    bytes.set([0xaa, 0xbb, 0xcc], host(9))
    const record = find(0x1ffe)
    expect([operation(record), view.getUint8(record + L.REC_LENGTH), flags(record) & 1]).toEqual(['mov', 5, 1])
    expect(view.getUint32(record + L.REC_IMM, true)).toBe(0xccbbaa78)
    bytes.set([0x11], host(9))
    expect(view.getUint32(find(0x1ffe) + L.REC_IMM, true)).toBe(0xccbb1178)
    expect(isCode(1)).toBe(false)
    // a block before it ends in front of it
    expect(records(find(0x1ffc))).toBe(2)
  })

  it('raises #GP beyond the CS limit, also in the middle of an instruction', () => {
    put(0x1000, 0x90, 0x90, 0xb8, 1, 2, 3, 4)
    find(0x1000)
    view.setUint32(CS + L.SEG_LIMIT, 0x1003, true)
    expect(operation(find(0x1000))).toBe('nop')
    expect(view.getUint32(find(0x1000) - L.BLOCK_HEADER_BYTES + L.BLOCK_RECORDS, true)).toBe(1)
    expect(find(0x1002)).toBe(0)
    expect(view.getInt32(VCPU + L.EXC_VECTOR, true)).toBe(GP)
    view.setInt32(VCPU + L.EXC_VECTOR, -1, true)
    expect(find(0x1004)).toBe(0)
    expect(view.getInt32(VCPU + L.EXC_VECTOR, true)).toBe(GP)
  })

  it('starts over when the arena is full', () => {
    const flushes = (): number => view.getUint32(D.COUNT_CODE_FLUSHES, true)
    const before = flushes()
    for (let round = 0; flushes() === before && round < 60; round++) {
      for (let at = 0x1000; at < 0x8000; at++) find(at)
      core.invalidate_code_range(0x1000, 0x7000)
    }
    expect(flushes()).toBeGreaterThan(before)
    put(0x1000, 0x40, 0xc3)
    core.invalidate_code_range(0x1000, 1)
    expect(operation(find(0x1000))).toBe('inc')
  })
})
