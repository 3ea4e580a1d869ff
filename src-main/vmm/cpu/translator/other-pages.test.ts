/** Regions that go from page to page: they have to see when another page comes to lie there. */
import { describe, expect, it } from 'vitest'
import { CALL, Code, HLT, JMP, OTHER_PAGE, PAGE, RAX, RBX, RCX, RDI, RDX, RET, RSI, both } from '../../testing/two-engines'
import type { World } from '../../testing/two-engines'
import { CODE } from '../tests/test-machine'
import { isCrossing } from './region-plan'

const DIRECTORY = 0x200000
const TABLE = 0x201000
/** Physical page with other code for OTHER_PAGE's linear address. */
const THIRD_PAGE = OTHER_PAGE + PAGE
const PRESENT_WRITABLE = 3
const TABLE_PAGES = 1024
const CR0_PG = 0x80000000
const CALLS = 5000
const ADD_BYTES = 6
const LOAD_BYTES = 5
const entryOf = (linear: number): number => TABLE + (linear / PAGE) * 4
const INVLPG = [0x0f, 0x01, 0x3d]
const RELOAD_CR3 = [0x0f, 0x20, 0xd9, 0x0f, 0x22, 0xd9] // mov ecx, cr3; mov cr3, ecx
const word = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24]

function page(world: World): void {
  const { m } = world
  m.clear(DIRECTORY, 2 * PAGE)
  m.write32(DIRECTORY, TABLE | PRESENT_WRITABLE)
  for (let i = 0; i < TABLE_PAGES; i++) m.write32(TABLE + i * 4, (i * PAGE) | PRESENT_WRITABLE)
  m.vcpu.setControl('cr3', DIRECTORY)
  m.vcpu.setControl('cr0', BigInt(m.vcpu.control('cr0')) | BigInt(CR0_PG))
  m.vcpu.refresh()
}

/** Adds to EBX. */
function adder(at: number, value: number): Code {
  const code = new Code(at)
  code.add(RBX, value)
  code.raw(RET)
  return code
}

/** Calls the function at `called` often, does something, and calls it as often again. */
function callTwice(world: World, between: (code: Code) => void, called = OTHER_PAGE): void {
  const code = new Code(CODE)
  code.load(RDI, 2)
  code.label(0)
  code.load(RDX, CALLS)
  code.label(1)
  code.jump([CALL], 2, true)
  code.again(RDX, 1)
  between(code)
  code.again(RDI, 0)
  code.raw(HLT)
  code.labelAt(2, called, CODE)
  world.put(code)
  world.run()
}

/** The entry word of OTHER_PAGE's linear address becomes `entry`, and the TLB is told by `flush`. */
const remap =
  (entry: number, flush: readonly number[]) =>
  (code: Code): void => {
    code.load(RAX, entry)
    code.store(entryOf(OTHER_PAGE), RAX)
    code.raw(...flush)
  }

const spans = (translator: ReturnType<typeof both>): boolean => [...translator.cache.regions()].some(({ source }) => source.plan.others?.some(({ distance }) => distance === PAGE))

describe('a region with a function of another page', () => {
  it('is entered once for many calls', () => {
    let entries = 0
    const translator = both((world) => {
      page(world)
      world.put(adder(OTHER_PAGE, 3))
      callTwice(world, () => undefined)
      expect(world.m.vcpu.gpr32('rbx')).toBe(2 * CALLS * 3)
      entries = world.entries
    })
    expect(spans(translator)).toBe(true)
    expect(entries).toBeLessThan(20)
  })

  it.each([
    ['INVLPG', [...INVLPG, ...word(OTHER_PAGE)]],
    ['a load of CR3', RELOAD_CR3],
  ])('sees another page there after %s', (_, flush) => {
    const translator = both((world) => {
      page(world)
      world.put(adder(OTHER_PAGE, 3))
      world.put(adder(THIRD_PAGE, 5))
      callTwice(world, remap(THIRD_PAGE | PRESENT_WRITABLE, flush))
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * 8)
    })
    expect(spans(translator)).toBe(true)
  })

  it('sees no page there: the fault is that of the called instruction', () => {
    const translator = both((world) => {
      page(world)
      world.put(adder(OTHER_PAGE, 3))
      callTwice(world, remap(0, [...INVLPG, ...word(OTHER_PAGE)]))
      expect(world.m.vcpu.control('cr2')).toBe(BigInt(OTHER_PAGE))
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * 3)
    })
    expect(spans(translator)).toBe(true)
  })

  it('is dropped when that page changes', () => {
    const translator = both((world) => {
      page(world)
      const called = adder(OTHER_PAGE, 3)
      world.put(called)
      callTwice(world, (code) => {
        code.load(RCX, 7)
        code.store(OTHER_PAGE + 2, RCX)
      })
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * 10)
    })
    expect(spans(translator)).toBe(true)
    expect(translator.translationStats().invalidations).toBeGreaterThan(0)
  })

  it('runs on across the boundary', () => {
    const translator = both((world) => {
      page(world)
      // a loop of which each half lies on a page
      const code = new Code(OTHER_PAGE - 5)
      code.label(0)
      code.load(RAX, 1)
      code.add(RBX, 2)
      code.again(RDX, 0)
      code.raw(HLT)
      world.put(code)
      world.m.vcpu.setGpr32('rdx', CALLS)
      world.m.vcpu.rip = code.base
      world.run()
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * 2)
    })
    expect([...translator.cache.regions()].some(({ source }) => source.plan.others !== undefined)).toBe(true)
  })
})

/** A loop of CALLS rounds before OTHER_PAGE, with `add ebx, 2`, of which `bytes` bytes lie before it; runs twice with something between. */
function crossTwice(world: World, bytes: number, between: (code: Code) => void): void {
  const code = new Code(OTHER_PAGE - ADD_BYTES - LOAD_BYTES - bytes)
  code.label(2)
  code.load(RDX, CALLS)
  code.label(0)
  code.add(RSI, 1)
  code.add(RBX, 2)
  code.again(RDX, 0)
  code.increment(RCX)
  code.raw(0x83, 0xf9, 0x02) // cmp ecx, 2
  code.jump([0x0f, 0x83], 1, true) // jae
  between(code)
  code.jump([JMP], 2, true)
  code.label(1)
  code.raw(HLT)
  world.put(code)
  world.m.vcpu.rip = code.base
  world.run()
}

describe('a region with an instruction that crosses the end of its page', () => {
  const crosses = (translator: ReturnType<typeof both>): boolean =>
    [...translator.cache.regions()].some(({ source }) => source.plan.blocks.some(({ offset, bytes }) => isCrossing(offset, bytes)))

  it.each([1, 2, 3, 4, 5])('does not leave for it: %i bytes before', (bytes) => {
    let entries = 0
    const translator = both((world) => {
      page(world)
      crossTwice(world, bytes, () => undefined)
      expect(world.m.vcpu.gpr32('rbx')).toBe(2 * CALLS * 2)
      entries = world.entries
    })
    expect(crosses(translator)).toBe(true)
    expect(entries).toBeLessThan(30)
  })

  it('is dropped when the second part changes', () => {
    const translator = both((world) => {
      page(world)
      crossTwice(world, 3, (code) => {
        // 2 becomes 0x102
        code.load(RAX, 1)
        code.storeByte(OTHER_PAGE, RAX)
      })
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * (2 + 0x102))
    })
    expect(crosses(translator)).toBe(true)
    expect(translator.translationStats().invalidations).toBeGreaterThan(0)
  })

  it('is dropped when the first part changes', () => {
    const translator = both((world) => {
      page(world)
      crossTwice(world, 3, (code) => {
        code.load(RAX, 5)
        code.storeByte(OTHER_PAGE - 1, RAX)
      })
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * (2 + 5))
    })
    expect(crosses(translator)).toBe(true)
  })

  it('sees that no page follows: the fault is that of the second part', () => {
    const translator = both((world) => {
      page(world)
      world.put(adder(OTHER_PAGE - 3, 2))
      callTwice(world, remap(0, [...INVLPG, ...word(OTHER_PAGE)]), OTHER_PAGE - 3)
      expect(world.m.vcpu.control('cr2')).toBe(BigInt(OTHER_PAGE))
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * 2)
    })
    expect(crosses(translator)).toBe(true)
  })

  it('sees another page there', () => {
    const translator = both((world) => {
      page(world)
      world.put(adder(OTHER_PAGE - 3, 2))
      // the rest of `add ebx, 0x102`, and a return
      const rest = new Code(THIRD_PAGE)
      rest.raw(1, 0, 0, RET)
      world.put(rest)
      callTwice(world, remap(THIRD_PAGE | PRESENT_WRITABLE, [...INVLPG, ...word(OTHER_PAGE)]), OTHER_PAGE - 3)
      expect(world.m.vcpu.gpr32('rbx')).toBe(CALLS * (2 + 0x102))
    })
    expect(crosses(translator)).toBe(true)
  })
})
