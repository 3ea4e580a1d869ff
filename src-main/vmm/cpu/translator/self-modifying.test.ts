/**
 * Code that changes while it is translated. Everything runs on the interpreter as well, which must see the same registers, memory and count of
 * instructions; what the translator has counted says that regions really ran, were dropped when they had to be and only then.
 */
import { describe, expect, it } from 'vitest'
import { Random } from '../../testing/random'
import { CALL, Code, HLT, JMP, JNE, OTHER_PAGE, PAGE, RAX, RBX, RCX, RDI, RDX, RET, RSI, both } from '../../testing/two-engines'
import type { World } from '../../testing/two-engines'
import { CODE } from '../tests/test-machine'

describe('code that writes code', () => {
  it('the next instruction', () => {
    both((world) => {
      const code = new Code(CODE)
      code.load(RDX, 200)
      code.label(1)
      code.increment(RAX)
      const at = code.here + 6
      code.storeByte(at + 1, RAX)
      expect(code.here).toBe(at)
      code.load(RCX, 0x1100)
      code.addRegister(RBX, RCX)
      code.again(RDX, 1)
      code.raw(HLT)
      world.put(code)
      world.run()
      expect(world.m.vcpu.gpr32('rbx')).toBe(Array.from({ length: 200 }, (_, i) => 0x1100 + i + 1).reduce((a, b) => a + b))
    }, 1)
  })

  it('the instruction itself, which still does what it was', () => {
    both((world) => {
      const code = new Code(CODE)
      code.load(RDX, 100)
      code.label(1)
      // add dword [code of this instruction's immediate], imm32
      const at = code.here
      code.raw(0x81, 0x05)
      code.immediate(at + 6, 4)
      code.immediate(1, 4)
      code.again(RDX, 1)
      code.raw(HLT)
      world.put(code)
      world.run()
      // doubled each time
      expect(world.m.read32(at + 6)).toBe(0)
    })
  })

  it('REP STOS over itself and what follows', () => {
    both((world) => {
      for (const count of [1, 3, 17, 40]) {
        const code = new Code(CODE)
        code.load(RAX, 0x90909090)
        code.load(RCX, count)
        const at = code.here + 5
        code.load(RDI, at - 4)
        code.raw(0xf3, 0xaa)
        for (let i = 0; i < 40; i++) code.increment(RBX)
        code.raw(HLT)
        world.put(code)
        world.m.core.core('invalidate_code_range')(CODE, PAGE)
        world.m.vcpu.rip = CODE
        world.run()
      }
    }, 1)
  })

  it.each([
    ['another block of the page', CODE + 0x400],
    ['another page', OTHER_PAGE],
    ['the same line as the caller', CODE + 0x30],
  ])('%s', (_, place) => {
    const translator = both((world) => {
      const called = new Code(place)
      const value = called.load(RCX, 5)
      called.addRegister(RBX, RCX)
      called.raw(RET)
      const code = new Code(CODE)
      code.load(RDX, 300)
      code.label(1)
      for (let i = 0; i < 2; i++) code.jump([CALL], 2, true)
      code.increment(RAX)
      code.store(value, RAX)
      code.again(RDX, 1)
      code.raw(HLT)
      expect(code.here).toBeLessThanOrEqual(CODE + 0x30)
      code.labelAt(2, place, CODE)
      world.put(code)
      world.put(called)
      world.run()
      expect(world.m.vcpu.gpr32('rbx')).toBe(2 * (5 + (299 * 300) / 2))
    })
    expect(translator.translationStats().invalidations).toBeGreaterThan(0)
  })

  it('across the end of a page', () => {
    both((world) => {
      const second = new Code(OTHER_PAGE - 3)
      // the immediate lies in both pages
      const value = second.load(RCX, 0)
      second.addRegister(RBX, RCX)
      second.raw(RET)
      const code = new Code(CODE)
      code.load(RDX, 100)
      code.load(RAX, 0x01020304)
      code.label(1)
      code.add(RAX, 0x01010101)
      code.store(value, RAX)
      code.jump([CALL], 2, true)
      code.again(RDX, 1)
      code.raw(HLT)
      code.labelAt(2, second.base, CODE)
      world.put(code)
      world.put(second)
      world.run()
    })
  })

  it('at random', () => {
    const BLOCKS = 24
    const random = new Random(1)
    for (let round = 0; round < 12; round++) {
      const seed = random.u32()
      const threshold = random.pick([1, 2, 5])
      both((world) => {
        const r = new Random(seed)
        const base = CODE + r.below(0x80)
        /** All blocks have the same length; half of them lie farther on. */
        const BLOCK = 48
        const blockAt = (i: number): number => base + 0x40 + i * BLOCK + (i >= BLOCKS / 2 ? 0xa00 : 0)
        const start = new Code(base)
        start.load(RDX, 400)
        start.raw(JMP)
        start.immediate(blockAt(0) - start.here - 4, 4)
        world.put(start)
        for (let i = 0; i < BLOCKS; i++) {
          const block = new Code(blockAt(i))
          block.load(RAX, r.u32())
          block.addRegister(RBX, RAX)
          // writes into the constant of some block, its own among others
          if (r.chance(40)) block.storeByte(blockAt(r.chance(30) ? i : r.below(BLOCKS)) + 1 + r.below(4), RBX)
          if (r.chance(20)) block.store(blockAt(r.below(BLOCKS)) + 1, RBX)
          // dec edx; js end
          block.raw(0x4a, 0x0f, 0x88)
          block.immediate(blockAt(BLOCKS) - block.here - 4, 4)
          block.raw(0xf6, 0xc3, 1 << r.below(8), 0x0f, JNE)
          block.immediate(blockAt(r.below(BLOCKS)) - block.here - 4, 4)
          block.raw(JMP)
          block.immediate(blockAt(r.below(BLOCKS)) - block.here - 4, 4)
          expect(block.bytes.length).toBeLessThanOrEqual(BLOCK)
          world.put(block)
        }
        const end = new Code(blockAt(BLOCKS))
        end.raw(HLT)
        world.put(end)
        world.m.vcpu.rip = base
        world.run()
      }, threshold)
    }
  })
})

describe('data beside code', () => {
  /** A loop that counts in memory at `counter`. */
  const counting = (world: World, counter: number, rounds: number): void => {
    const code = new Code(CODE)
    code.load(RDX, rounds)
    code.label(1)
    // inc dword [counter]; mov eax, [counter]; add ebx, eax
    code.raw(0xff, 0x05)
    code.immediate(counter, 4)
    code.raw(0x8b, 0x05)
    code.immediate(counter, 4)
    code.addRegister(RBX, RAX)
    code.again(RDX, 1)
    code.raw(HLT)
    world.put(code)
    world.run()
    expect(world.m.read32(counter)).toBe(rounds)
  }

  it('in the same page: regions stay, and are hardly ever left', () => {
    const ROUNDS = 100_000
    let entries = 0
    const translator = both((world) => {
      counting(world, CODE + 0x100, ROUNDS)
      entries = world.entries
    })
    const stats = translator.translationStats()
    expect(stats.invalidations).toBe(0)
    expect(stats.regionsTranslated).toBeLessThan(6)
    expect(entries).toBeLessThan(ROUNDS / 20)
  })

  it('in the same 64 bytes', () => {
    const translator = both((world) => counting(world, CODE + 0x30, 20_000))
    expect(translator.translationStats()).toMatchObject({ invalidations: 0, pagesGivenUp: 0 })
  })

  it('on the stack, with code there, too', () => {
    const translator = both((world) => {
      const STACK = CODE + 0x800
      const trampoline = new Code(CODE + 0x900)
      trampoline.raw(0x50, 0x5b, RET) // push eax; pop ebx
      const code = new Code(CODE)
      code.load(RDX, 50_000)
      code.load(4, STACK)
      code.label(1)
      code.increment(RAX)
      code.jump([CALL], 2, true)
      code.again(RDX, 1)
      code.raw(HLT)
      code.labelAt(2, trampoline.base, CODE)
      world.put(code)
      world.put(trampoline)
      world.run()
      expect(world.m.vcpu.gpr32('rbx')).toBe(50_000)
    })
    expect(translator.translationStats().invalidations).toBe(0)
  })
})

describe('a page that keeps changing', () => {
  it('is left to the interpreter for a while, and translated again when it has come to rest', () => {
    /** Calls a function `calls` times, `versions` times over; before each the function is rewritten, if it is. */
    const program = (world: World, versions: number, calls: number, rewritten: boolean): void => {
      const called = new Code(OTHER_PAGE)
      const value = called.load(RCX, 1)
      called.addRegister(RBX, RCX)
      for (let i = 0; i < 8; i++) called.increment(RSI)
      called.raw(RET)
      const code = new Code(CODE)
      code.load(RDI, versions)
      code.label(0)
      code.increment(RAX)
      if (rewritten) code.store(value, RAX)
      code.load(RDX, calls)
      code.label(1)
      code.jump([CALL], 2, true)
      code.again(RDX, 1)
      code.again(RDI, 0)
      code.raw(HLT)
      code.labelAt(2, called.base, CODE)
      if (rewritten) world.put(called)
      world.put(code)
      world.m.core.core('invalidate_code_range')(CODE, PAGE)
      world.m.vcpu.rip = CODE
      world.run()
    }
    let given = 0
    let translated = 0
    const translator = both((world) => {
      program(world, 15, 30_000, true)
      given = world.translator?.translationStats().pagesGivenUp ?? 0
      translated = world.translator?.translationStats().regionsTranslated ?? 0
      program(world, 1, 2_000_000, false)
    }, 20)
    expect(given).toBe(1)
    // the caller's region goes into the page, too: fewer than two for each version, since nothing was compiled while the page was given up
    expect(translated).toBeLessThan(2 * 15 - 8)
    expect(translator.inspector.regionsAt(OTHER_PAGE).some(({ linked }) => linked)).toBe(true)
  })
})

describe('code that others change', () => {
  const sum = (world: World, value: number): void => {
    const code = new Code(CODE)
    code.load(RDX, 100)
    code.label(1)
    code.add(RBX, value)
    code.again(RDX, 1)
    code.raw(HLT)
    world.put(code)
  }
  const again = (world: World, expected: number): void => {
    world.m.vcpu.rip = CODE
    world.m.vcpu.setGpr32('rbx', 0)
    world.run()
    expect(world.m.vcpu.gpr32('rbx')).toBe(expected)
  }

  it('a device, by DMA', () => {
    const translator = both((world) => {
      for (let value = 1; value < 6; value++) {
        sum(world, value)
        world.m.core.core('invalidate_code_range')(CODE, PAGE)
        again(world, value * 100)
      }
    })
    expect(translator.translationStats().invalidations).toBe(4)
  })

  it('a device that writes the same page elsewhere', () => {
    const translator = both((world) => {
      sum(world, 3)
      for (let i = 0; i < 5; i++) {
        world.m.write(CODE + 0x800, [i])
        world.m.core.core('invalidate_code_range')(CODE + 0x800, 1)
        again(world, 300)
      }
    })
    expect(translator.translationStats()).toMatchObject({ invalidations: 0 })
    expect(translator.translationStats().regionsTranslated).toBeLessThan(4)
  })

  it('everything decoded was dropped: regions are linked again', () => {
    const translator = both((world) => {
      sum(world, 7)
      again(world, 700)
      const before = world.translator?.translationStats().regionsTranslated
      for (let i = 0; i < 3; i++) {
        world.m.core.core('flush_code')()
        again(world, 700)
      }
      expect(world.translator?.translationStats().regionsTranslated).toBe(before)
    })
    expect(translator.translationStats().relinks).toBeGreaterThan(0)
  })

  it('the page tables: another page at the same address, and back', () => {
    const DIRECTORY = 0x3a000
    const TABLE = 0x3b000
    const FIRST = 0x50000
    const SECOND = 0x51000
    const AT = 0x200000
    const translator = both((world) => {
      const { m } = world
      for (let i = 0; i < 0x400; i++) m.write32(TABLE + i * 4, (i * PAGE) | 3)
      m.write32(DIRECTORY, TABLE | 3)
      m.write32(TABLE + (AT / PAGE) * 4, FIRST | 3)
      m.vcpu.setControl('cr3', DIRECTORY)
      m.vcpu.setControl('cr0', 0x80000011)
      for (const [page, value] of [[FIRST, 1], [SECOND, 1000]] as const) {
        const called = new Code(page)
        called.add(RBX, value)
        called.raw(RET)
        world.put(called)
      }
      // 50 times: call AT; exchange the two pages; invlpg [AT]
      const entry = TABLE + (AT / PAGE) * 4
      const code = new Code(CODE)
      code.load(RDX, 50)
      code.load(RSI, FIRST | 3)
      code.load(RDI, SECOND | 3)
      code.label(1)
      for (let i = 0; i < 3; i++) code.jump([CALL], 2, true)
      code.store(entry, RDI)
      code.raw(0x87, 0xf7) // xchg edi, esi
      code.raw(0x0f, 0x01, 0x3d)
      code.immediate(AT, 4)
      code.again(RDX, 1)
      code.raw(HLT)
      code.labelAt(2, AT, CODE)
      world.put(code)
      world.run()
      expect(m.vcpu.gpr32('rbx')).toBe(25 * 3 * 1001)
    })
    expect(translator.translationStats().invalidations).toBe(0)
    expect(translator.translationStats().regionsTranslated).toBeLessThan(8)
  })
})
