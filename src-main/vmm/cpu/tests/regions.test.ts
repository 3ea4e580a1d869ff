/** The run loop with hand-made regions: when they are entered, counted and left, and what else it tells the engine. */
import { beforeEach, describe, expect, it } from 'vitest'
import { BlockLists } from '../code-cache/block-lists'
import { jumpIndex } from '../code-cache/jump-index'
import * as L from '../layout'
import * as D from '../layout-decode'
import * as S from '../layout-system'
import { encodeModule } from '../wasm/emit'
import { FunctionBuilder, verify } from '../wasm/ir'
import type { Value } from '../wasm/ir'
import { CODE, DATA_0, HANDLERS, IDT, STACK_0, TestMachine, descriptor, gate, protect } from './test-machine'

const m = new TestMachine()
const FLAT_32 = 1 | L.KEY_FLAT
/** inc eax; jmp OTHER */
const BLOCK = [0x40, 0xeb, 0x0d]
const OTHER = CODE + 0x10
const HLT = 0xf4

/** A function of a region: `body` gets vCPU and selector. */
function region(slot: number, body: (b: FunctionBuilder, vcpu: Value, selector: Value) => void): void {
  const b = new FunctionBuilder('region', ['i32', 'i32'], ['i32'])
  body(b, b.param(0), b.param(1))
  verify(b)
  const module = new WebAssembly.Module(encodeModule({ imports: [], functions: [b], exports: [b] }))
  const instance = new WebAssembly.Instance(module, { env: { memory: m.core.memory } })
  m.core.regionTable.set(slot, (instance.exports as Record<string, () => number>)['region']!)
  m.view.setUint32(L.REGION_COUNTS + slot * 4, 0, true)
}
const leave = (b: FunctionBuilder, vcpu: Value, rip: number, retired: number, status: number): void => {
  b.effect('i64.store', [vcpu, b.constant('i64', rip)], L.REG_RIP)
  b.effect('i32.store', [vcpu, b.op('i32.sub', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', retired)])], L.BUDGET)
  b.return(b.constant('i32', status))
}
const addTo = (b: FunctionBuilder, vcpu: Value, offset: number, n: number): void =>
  b.effect('i32.store', [vcpu, b.op('i32.add', [b.load('i32.load', vcpu, offset), b.constant('i32', n)])], offset)
const entryOf = (gpa: number): number => m.core.core('code_block')(gpa, FLAT_32) + L.BLOCK_ENTRY
const link = (gpa: number, slot: number, selector = 0): void =>
  m.view.setUint32(entryOf(gpa), (L.ENTRY_TRANSLATED | (selector << L.ENTRY_SELECTOR_SHIFT) | slot) >>> 0, true)
const runs = (slot: number): number => m.view.getUint32(L.REGION_COUNTS + slot * 4, true)

let retiredBefore = 0
const retired = (): number => m.vcpu.retired - retiredBefore

beforeEach(() => {
  protect(m)
  m.core.regionHost = { wanted: () => undefined, codeDropped: () => undefined, blockRefused: () => undefined }
  m.view.setUint32(D.HOT_THRESHOLD, 0, true)
  m.vcpu.setInterruptRequest(false)
  m.code(CODE, BLOCK)
  m.code(OTHER, [HLT])
  m.vcpu.rip = CODE
  // the first decoded block also sets up the arena
  m.call('find_block')
  retiredBefore = m.vcpu.retired
})

describe('the jump cache', () => {
  const has = (address: number): boolean =>
    [jumpIndex(address), jumpIndex(address) ^ 1].some((slot) => {
      const at = L.VCPU_BASE + L.JUMP_CACHE + slot * L.JUMP_CACHE_ENTRY_BYTES
      return m.view.getUint32(at, true) === address && m.view.getUint32(at + L.JUMP_EPOCH, true) === m.view.getUint32(L.VCPU_BASE + L.CODE_EPOCH, true)
    })
  const find = (address: number): void => {
    m.vcpu.rip = address
    expect(m.call('find_block')).not.toBe(0)
  }
  const step = 1 << L.JUMP_CACHE_SHIFT
  const even = OTHER + (jumpIndex(OTHER) & 1) * step
  const odd = even + step

  it('holds blocks whose places are neighbours, in whatever order they come', () => {
    expect(jumpIndex(odd)).toBe(jumpIndex(even) ^ 1)
    m.code(even, [...Array.from({ length: step + 1 }, () => 0x90), HLT])
    m.call('bump_code_epoch')
    for (const address of [even, odd, even, odd, odd, even]) find(address)
    expect([has(even), has(odd)]).toEqual([true, true])
  })

  it('holds two blocks of one place', () => {
    const same = Array.from({ length: 8 * 4096 }, (_, i) => CODE + i).find((address) => jumpIndex(address) === jumpIndex(even) && address !== even)!
    for (const address of [even, same]) find(address)
    expect([has(even), has(same)]).toEqual([true, true])
  })
})

describe('entering', () => {
  it('passes the selector, counts the entry, and goes on where the region says', () => {
    region(7, (b, vcpu, selector) => {
      b.effect('i32.store', [vcpu, selector], L.REG_GPR)
      leave(b, vcpu, OTHER, 2, L.STATUS_JUMP)
    })
    link(CODE, 7, 0x1234)
    m.runToHalt()
    expect(m.vcpu.gpr32('rax')).toBe(0x1234)
    expect(retired()).toBe(3)
    expect(runs(7)).toBe(1)
  })

  it('goes from region to region, and through the interpreter in between', () => {
    region(1, (b, vcpu) => {
      addTo(b, vcpu, L.REG_GPR + 8, 1)
      b.if(b.op('i32.lt_u', [b.load('i32.load', vcpu, L.REG_GPR + 8), b.constant('i32', 1000)]), () =>
        leave(b, vcpu, CODE + 0x20, 3, L.STATUS_JUMP),
      )
      leave(b, vcpu, OTHER, 3, L.STATUS_JUMP)
    })
    region(2, (b, vcpu) => leave(b, vcpu, CODE + 0x30, 1, L.STATUS_JUMP))
    m.write(CODE + 0x20, [0x90, 0xeb, 0x0d]) // nop; jmp CODE + 0x30
    m.write(CODE + 0x30, [0x42, 0xeb, 0xcd]) // inc edx; jmp CODE
    link(CODE, 1)
    link(CODE + 0x20, 2)
    m.vcpu.setGpr32('rdx', 0)
    m.runToHalt(100_000)
    // the first region's entries from the run loop are counted each, the second's by sampling
    expect(runs(1)).toBe(1000)
    expect(runs(2)).toBeGreaterThan(900)
    expect(runs(2)).toBeLessThan(1100)
    expect(m.vcpu.gpr32('rdx')).toBe(999)
    expect(retired()).toBe(1000 * 3 + 999 * (1 + 2) + 1)
  })

  it('finds regions through another mapping of the page', () => {
    region(1, (b, vcpu) => leave(b, vcpu, OTHER, 2, L.STATUS_JUMP))
    link(CODE, 1)
    // PDE 0: 4 MiB identity; PDE 1: the same again
    m.write32(0x3a000, 0x83)
    m.write32(0x3a004, 0x83)
    m.vcpu.setControl('cr4', 0x10)
    m.vcpu.setControl('cr3', 0x3a000)
    m.vcpu.setControl('cr0', 0x80000011)
    m.vcpu.rip = 0x400000 + CODE
    m.runToHalt()
    expect(runs(1)).toBe(1)
  })
})

describe('leaving', () => {
  it('delivers a fault at the instruction that the region names', () => {
    region(1, (b, vcpu) => {
      b.effect('i32.store', [vcpu, b.constant('i32', 6)], L.EXC_VECTOR)
      b.effect('i32.store', [vcpu, b.constant('i32', 0)], L.EXC_HAS_ERROR)
      leave(b, vcpu, CODE + 1, 1, L.STATUS_FAULT)
    })
    link(CODE, 1)
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(HANDLERS + 6 * 16 + 1))
    expect(m.read32(STACK_0 - 0x100 - 12)).toBe(CODE + 1)
    expect(retired()).toBe(2)
  })

  it('leaves run() with the reason of the region', () => {
    region(1, (b, vcpu) => {
      b.effect('i32.store', [vcpu, b.constant('i32', L.EXIT_HOST)], L.EXIT_REASON)
      leave(b, vcpu, OTHER, 2, L.STATUS_EXIT)
    })
    link(CODE, 1)
    expect(m.run()).toEqual({ kind: 'mailbox' })
    expect([m.vcpu.rip, retired()]).toEqual([BigInt(OTHER), 2])
  })

  it('interprets one block when the region asks for it, without counting that', () => {
    region(1, (b, vcpu) => leave(b, vcpu, CODE, 0, L.STATUS_INTERPRET))
    m.write(CODE, [0x40, 0x83, 0xf8, 0x05, 0x75, 0xfa, 0xeb, 0x08]) // inc eax; cmp eax, 5; jne CODE; jmp OTHER
    m.core.core('flush_code')()
    m.vcpu.rip = CODE
    m.call('find_block')
    link(CODE, 1)
    const word = m.view.getUint32(entryOf(CODE), true)
    m.runToHalt()
    expect([m.vcpu.gpr32('rax'), runs(1), retired()]).toEqual([5, 5, 5 * 3 + 2])
    expect(m.view.getUint32(entryOf(CODE), true)).toBe(word)
    // the block after it has been counted
    expect(m.view.getUint32(entryOf(CODE + 6), true)).toBe(1)
  })

  it('goes on with what another region translates now, when code is written or the address leads elsewhere', () => {
    // two regions that jump to each other; the second is left for good when its block is dropped
    region(1, (b, vcpu) => {
      b.if(b.op('i32.lt_s', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', 4)]), () => leave(b, vcpu, CODE, 0, L.STATUS_INTERPRET))
      leave(b, vcpu, CODE + 0x20, 2, L.STATUS_JUMP)
    })
    region(2, (b, vcpu) => {
      addTo(b, vcpu, L.REG_GPR + 8, 1)
      leave(b, vcpu, CODE, 2, L.STATUS_JUMP)
    })
    m.write(CODE + 0x20, [0x90, 0xeb, 0xdd]) // nop; jmp CODE
    link(CODE, 1)
    link(CODE + 0x20, 2)
    m.run(400)
    expect(m.vcpu.gpr32('rcx')).toBe(100)
    const slot = m.vcpu.base + L.JUMP_CACHE + jumpIndex(CODE + 0x20) * L.JUMP_CACHE_ENTRY_BYTES
    expect(m.view.getUint32(slot + L.JUMP_WORD, true)).toBe((L.ENTRY_TRANSLATED | 2) >>> 0)
    m.write(CODE + 0x20, [HLT])
    m.core.core('invalidate_code_range')(CODE + 0x20, 1)
    m.runToHalt(100)
    expect([m.vcpu.gpr32('rcx'), m.vcpu.rip]).toEqual([100, BigInt(CODE + 0x21)])
  })

  /** Places with a region's ways that lead to an address in the present epoch, and their entry words. */
  const waysTo = (slot: number, address: number): readonly number[] => {
    const line = L.NEXT_REGIONS + slot * L.NEXT_WAYS * L.NEXT_WAY_BYTES
    return Array.from({ length: L.NEXT_WAYS }, (_, i) => line + i * L.NEXT_WAY_BYTES)
      .filter((at) => m.view.getUint32(at, true) === address && m.view.getInt32(at + L.NEXT_EPOCH, true) === m.state32(L.CODE_EPOCH))
      .map((at) => m.view.getUint32(at + L.NEXT_WORD, true))
  }

  it('remembers with a region where it was left for, and looks elsewhere for what is not there', () => {
    // eight regions in turn, twice as many as there are ways, each of which goes back
    const others = Array.from({ length: 8 }, (_, i) => CODE + 0x40 + i * 0x10)
    region(1, (b, vcpu) => {
      b.if(b.op('i32.lt_s', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', 4)]), () => leave(b, vcpu, CODE, 0, L.STATUS_INTERPRET))
      const turn = b.op('i32.and', [b.load('i32.load', vcpu, L.REG_GPR), b.constant('i32', 7)])
      const target = b.op('i32.add', [b.constant('i32', others[0]!), b.op('i32.shl', [turn, b.constant('i32', 4)])])
      addTo(b, vcpu, L.REG_GPR, 1)
      b.effect('i64.store', [vcpu, b.op('i64.extend_i32_u', [target])], L.REG_RIP)
      b.effect('i32.store', [vcpu, b.op('i32.sub', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', 2)])], L.BUDGET)
      b.return(b.constant('i32', L.STATUS_JUMP))
    })
    others.forEach((address, i) => {
      m.write(address, [0x90, 0xeb, 0xfd])
      link(address, 2 + i)
      region(2 + i, (b, vcpu) => {
        // a number with eight digits, each of which counts one region
        addTo(b, vcpu, L.REG_GPR + 8, 1 << (4 * i))
        leave(b, vcpu, CODE, 2, L.STATUS_JUMP)
      })
    })
    link(CODE, 1)
    m.run(4 * 8 * 3)
    expect([m.vcpu.gpr32('rax'), m.vcpu.gpr32('rcx'), retired()]).toEqual([24, 0x33333333, 96])
    expect(others.some((address) => waysTo(1, address).length > 0)).toBe(true)
    others.forEach((_, i) => expect(waysTo(2 + i, CODE)).toEqual([(L.ENTRY_TRANSLATED | 1) >>> 0]))
    const before = m.vcpu.gpr32('rdx')
    // another slot has the code now: as the code cache does it
    region(12, (b, vcpu) => {
      addTo(b, vcpu, L.REG_GPR + 16, 1)
      leave(b, vcpu, CODE, 2, L.STATUS_JUMP)
    })
    const lists = new BlockLists(m.core.memory)
    others.forEach((address, i) => {
      link(address, 12)
      lists.forgetSlots(Uint8Array.from({ length: L.REGION_SLOTS_MAX }, (_, slot) => (slot === 2 + i ? 1 : 0)), 20)
      m.core.regionTable.set(2 + i, null)
    })
    m.run(4 * 8 * 3)
    expect([m.vcpu.gpr32('rcx'), m.vcpu.gpr32('rdx') - before, retired()]).toEqual([0x33333333, 24, 192])
    expect(waysTo(12, CODE)).toEqual([(L.ENTRY_TRANSLATED | 1) >>> 0])
    m.call('reset_tlb')
    expect(m.view.getUint32(L.NEXT_REGIONS + 12 * L.NEXT_WAYS * L.NEXT_WAY_BYTES + L.NEXT_EPOCH, true)).toBe(0xffffffff)
  })

  it('does not go where a way led before the code was dropped or everything decoded was flushed', () => {
    for (const drop of [(): void => void m.core.core('invalidate_code_range')(CODE + 0x20, 1), (): void => void m.core.core('flush_code')()]) {
      m.write(CODE + 0x20, [0x90, 0xeb, 0xdd])
      m.core.core('flush_code')()
      m.vcpu.rip = CODE
      m.call('find_block')
      region(1, (b, vcpu) => {
        b.if(b.op('i32.lt_s', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', 4)]), () => leave(b, vcpu, CODE, 0, L.STATUS_INTERPRET))
        leave(b, vcpu, CODE + 0x20, 2, L.STATUS_JUMP)
      })
      region(2, (b, vcpu) => {
        addTo(b, vcpu, L.REG_GPR + 8, 1)
        leave(b, vcpu, CODE, 2, L.STATUS_JUMP)
      })
      link(CODE, 1)
      link(CODE + 0x20, 2)
      const before = m.vcpu.gpr32('rcx')
      m.run(40)
      expect(m.vcpu.gpr32('rcx') - before).toBe(10)
      expect(waysTo(1, CODE + 0x20)).toEqual([(L.ENTRY_TRANSLATED | 2) >>> 0])
      m.write(CODE + 0x20, [HLT])
      drop()
      expect(waysTo(1, CODE + 0x20)).toEqual([])
      m.view.setUint32(entryOf(CODE), (L.ENTRY_TRANSLATED | 1) >>> 0, true)
      m.runToHalt(100)
      expect([m.vcpu.gpr32('rcx') - before, m.vcpu.rip]).toEqual([10, BigInt(CODE + 0x21)])
    }
  })

  it('uses up the budget exactly when it does not suffice for the region', () => {
    // as translated code: nothing happens when fewer instructions are left than the block has
    region(1, (b, vcpu) => {
      b.if(b.op('i32.lt_s', [b.load('i32.load', vcpu, L.BUDGET), b.constant('i32', 2)]), () => leave(b, vcpu, CODE, 0, L.STATUS_INTERPRET))
      addTo(b, vcpu, L.REG_GPR, 1)
      leave(b, vcpu, CODE, 2, L.STATUS_JUMP)
    })
    m.write(CODE, [0x40, 0xeb, 0xfd]) // inc eax; jmp CODE
    m.core.core('flush_code')()
    m.call('find_block')
    link(CODE, 1)
    expect(m.run(101)).toEqual({ kind: 'deadline' })
    expect([m.vcpu.gpr32('rax'), m.vcpu.rip, retired()]).toEqual([51, BigInt(CODE + 1), 101])
    expect(runs(1)).toBeGreaterThan(0)
    expect(m.run(1)).toEqual({ kind: 'deadline' })
    expect([m.vcpu.gpr32('rax'), m.vcpu.rip, retired()]).toEqual([51, BigInt(CODE), 102])
  })
})

describe('not entering', () => {
  beforeEach(() => {
    region(1, (b, vcpu) => leave(b, vcpu, OTHER, 2, L.STATUS_JUMP))
    link(CODE, 1)
    m.interruptVector = 0x40
  })

  it('takes an interrupt that is enabled first', () => {
    m.vcpu.rflags = 0x202
    m.vcpu.setInterruptRequest(true)
    m.runToHalt()
    expect([m.vcpu.rip, runs(1)]).toEqual([BigInt(HANDLERS + 0x40 * 16 + 1), 0])
  })

  it('runs regions while the request is masked', () => {
    m.vcpu.setInterruptRequest(true)
    m.runToHalt()
    expect(runs(1)).toBe(1)
  })

  it('looks at a request that a region brought about before the next region', () => {
    region(2, (b, vcpu) => {
      b.effect('i32.store', [vcpu, b.constant('i32', L.ATTENTION_INTR)], L.ATTENTION)
      leave(b, vcpu, CODE, 1, L.STATUS_JUMP)
    })
    m.write(CODE + 0x20, [HLT])
    link(CODE + 0x20, 2)
    m.vcpu.rflags = 0x202
    m.vcpu.rip = CODE + 0x20
    m.runToHalt()
    expect([m.vcpu.rip, runs(2), runs(1)]).toEqual([BigInt(HANDLERS + 0x40 * 16 + 1), 1, 0])
  })

  it('interprets the instruction after STI when a request waits', () => {
    m.write(CODE - 1, [0xfb])
    m.vcpu.rip = CODE - 1
    m.vcpu.setInterruptRequest(true)
    m.runToHalt()
    expect([m.vcpu.gpr32('rax'), runs(1)]).toEqual([1, 0])
    expect(m.read32(STACK_0 - 0x100 - 12)).toBe(CODE + 1)
  })

  it('single-steps in the interpreter', () => {
    m.write64(IDT + 8, gate(0x08, HANDLERS + 16, 14))
    m.vcpu.rflags = 0x102
    m.runToHalt()
    expect([m.vcpu.rip, m.read32(STACK_0 - 0x100 - 12), runs(1)]).toEqual([BigInt(HANDLERS + 16 + 1), CODE + 1, 0])
  })
})

describe('hot blocks', () => {
  /** inc eax; cmp eax, 20; jne CODE; jmp OTHER */
  const LOOP = [0x40, 0x83, 0xf8, 0x14, 0x75, 0xfa, 0xeb, 0x08]
  const wanted: number[] = []
  beforeEach(() => {
    wanted.length = 0
    m.write(CODE, LOOP)
    m.core.core('flush_code')()
    m.call('find_block')
    m.core.regionHost = { wanted: (_vcpu, block) => void wanted.push(block), codeDropped: () => undefined, blockRefused: () => undefined }
  })

  it('asks for a region once, when the block has run as often as the threshold says', () => {
    m.view.setUint32(D.HOT_THRESHOLD, 10, true)
    m.runToHalt()
    expect(wanted).toEqual([entryOf(CODE) - L.BLOCK_ENTRY])
    expect(m.view.getUint32(entryOf(CODE), true)).toBe(20)
  })

  it('never asks with threshold 0, nor for blocks that are not to be counted', () => {
    m.runToHalt()
    m.view.setUint32(D.HOT_THRESHOLD, 1, true)
    m.view.setUint32(entryOf(CODE), L.ENTRY_NEVER, true)
    m.view.setUint32(entryOf(CODE + 6), L.ENTRY_NEVER, true)
    m.view.setUint32(entryOf(OTHER), L.ENTRY_NEVER, true)
    m.vcpu.setGpr32('rax', 0)
    m.vcpu.rip = CODE
    m.runToHalt()
    expect(wanted).toEqual([])
    expect(m.view.getUint32(entryOf(CODE), true)).toBe(L.ENTRY_NEVER)
  })

  it('enters at once what the engine translates when asked', () => {
    m.view.setUint32(D.HOT_THRESHOLD, 1, true)
    region(1, (b, vcpu) => leave(b, vcpu, OTHER, 3, L.STATUS_JUMP))
    m.core.regionHost = { wanted: (_vcpu, block) => block === entryOf(CODE) - L.BLOCK_ENTRY && link(CODE, 1), codeDropped: () => undefined, blockRefused: () => undefined }
    m.runToHalt()
    expect([m.vcpu.gpr32('rax'), runs(1), retired()]).toEqual([0, 1, 4])
  })

  it('hears of dropped code on watched pages', () => {
    const drops: [number, number][] = []
    m.core.regionHost = { wanted: () => undefined, codeDropped: (gpa, bytes) => void drops.push([gpa, bytes]), blockRefused: () => undefined }
    m.runToHalt()
    m.view.setUint8(L.CODE_PAGES + (CODE >> 12) * L.CODE_PAGE_BYTES + D.CODE_PAGE_WATCHED, 1)
    // mov byte [CODE + 2], 1; hlt
    m.write(HANDLERS, [0xc6, 0x05, CODE & 0xff, (CODE >> 8) & 0xff, CODE >> 16, 0, 1, HLT])
    m.view.setUint8(L.RAM_BASE + HANDLERS + 2, 2)
    m.vcpu.rip = HANDLERS
    m.runToHalt()
    expect(drops).toEqual([[CODE, 6]])
    m.view.setUint8(L.CODE_PAGES + (CODE >> 12) * L.CODE_PAGE_BYTES + D.CODE_PAGE_WATCHED, 0)
  })
})

describe('CODE_KEY', () => {
  it('says whether 32-bit code is flat, after every segment load', () => {
    expect(m.state32(L.CODE_KEY)).toBe(FLAT_32)
    const epoch = m.state32(L.CODE_EPOCH)
    m.write64(0x1000 + 0x48, descriptor(0x1000, 0xfffff, 0x92, 0xc))
    m.call('load_segment', L.SEG_ES, 0x48)
    expect(m.state32(L.CODE_KEY)).toBe(1)
    expect(m.state32(L.CODE_EPOCH)).not.toBe(epoch)
    m.call('load_segment', L.SEG_FS, 0x48)
    m.call('load_segment', L.SEG_ES, DATA_0)
    expect(m.state32(L.CODE_KEY)).toBe(FLAT_32)
    expect(m.state32(L.CODE_EPOCH)).toBe(epoch)
    m.call('load_segment', L.SEG_ES, 0)
    expect(m.state32(L.CODE_KEY)).toBe(1)
  })

  it('needs writable data segments, a readable code segment and a 32-bit stack', () => {
    const { vcpu } = m
    for (const [name, access] of [['ds', 0xc09100], ['ss', 0x809300], ['cs', 0xc09900]] as const) {
      const before = vcpu.segment(name)
      vcpu.setSegment(name, before.selector, access, 0, 0xffffffff)
      expect(m.state32(L.CODE_KEY)).toBe(1)
      vcpu.setSegment(name, before.selector, before.access, 0, before.limit)
      expect(m.state32(L.CODE_KEY)).toBe(FLAT_32)
    }
  })

  it('keeps blocks of flat and other code apart', () => {
    const flat = m.call('find_block')
    m.vcpu.setSegment('es', 0, 0, 0, 0)
    expect(m.call('find_block')).not.toBe(flat)
    m.vcpu.setSegment('es', DATA_0, 0xc09300, 0, 0xffffffff)
    expect(m.call('find_block')).toBe(flat)
  })

  it('is the code size alone in other modes, and is computed again when a state is loaded', () => {
    const saved = m.vcpu.save()
    m.vcpu.reset()
    expect(m.state32(L.CODE_KEY)).toBe(0)
    m.vcpu.setLong(CODE, 0x3a000)
    expect(m.state32(L.CODE_KEY)).toBe(2)
    m.vcpu.load(saved)
    expect(m.state32(L.CODE_KEY)).toBe(FLAT_32)
  })

  it('clears the upper halves of the registers that 32-bit code has when 64-bit mode is left', () => {
    m.vcpu.setLong(CODE, 0x3a000)
    for (const name of ['rax', 'rdi', 'r8'] as const) m.vcpu.setGpr(name, -1n)
    m.vcpu.setSegment('cs', 0x10, 0xc09b00, 0, 0xffffffff)
    expect([m.vcpu.gpr('rax'), m.vcpu.gpr('rdi'), m.vcpu.gpr('r8')]).toEqual([0xffffffffn, 0xffffffffn, 0xffffffffffffffffn])
  })
})

describe('the jump cache', () => {
  const valid = (linear: number): boolean => {
    const slot = m.vcpu.base + L.JUMP_CACHE + jumpIndex(linear) * L.JUMP_CACHE_ENTRY_BYTES
    return m.view.getUint32(slot, true) === linear && m.view.getInt32(slot + L.JUMP_EPOCH, true) === m.state32(L.CODE_EPOCH)
  }
  /** Identity mapping by 4 KiB pages. `global`: PTE bits of the code's page. */
  const page = (global: number): void => {
    m.write32(0x3a000, 0x3b003)
    for (let i = 0; i < 0x400; i++) m.write32(0x3b000 + i * 4, (i * 0x1000) | 3)
    m.write32(0x3b000 + (CODE >> 12) * 4, CODE | 3 | global)
    m.vcpu.setControl('cr4', 0x90)
    m.vcpu.setControl('cr3', 0x3a000)
    m.vcpu.setControl('cr0', 0x80000011)
    m.vcpu.rip = CODE
    m.call('find_block')
    expect(valid(CODE)).toBe(true)
  }

  it('keeps what the supervisor runs from global pages when CR3 is written', () => {
    page(0x100)
    m.call('flush_tlb_local')
    expect(valid(CODE)).toBe(true)
    m.call('flush_tlb')
    expect(valid(CODE)).toBe(false)
  })

  it('drops what comes from other pages then', () => {
    page(0)
    m.call('flush_tlb_local')
    expect(valid(CODE)).toBe(false)
    m.call('find_block')
    expect(valid(CODE)).toBe(true)
  })

  it('takes all user code to be of the old address space', () => {
    page(0x104)
    m.write32(0x3a000, 0x3b007)
    m.vcpu.cpl = 3
    expect(valid(CODE)).toBe(false)
    m.call('find_block')
    expect(valid(CODE)).toBe(true)
    m.call('flush_tlb_local')
    expect(valid(CODE)).toBe(false)
  })

  it('outlives INVLPG of pages that nothing was run from', () => {
    page(0)
    m.call64('invalidate_page', 0x5123n)
    expect(valid(CODE)).toBe(true)
    m.call64('invalidate_page', BigInt(CODE + 0x800))
    expect(valid(CODE)).toBe(false)
  })

  it('finds the block of a page that is mapped elsewhere now', () => {
    page(0)
    const before = m.call('find_block')
    m.write(CODE + 0x1000, [HLT])
    m.write32(0x3b000 + (CODE >> 12) * 4, (CODE + 0x1000) | 3)
    m.call64('invalidate_page', BigInt(CODE))
    expect(m.call('find_block')).not.toBe(before)
    expect(m.state32(S.WALK_PAGE)).toBe(CODE + 0x1000)
  })
})
