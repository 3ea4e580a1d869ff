/** Blocks whose x87 stack keeps being other than they expect run in regions all the same, by code that looks at the stack as it runs. */
import { describe, expect, it, vi } from 'vitest'
import { Code, HLT, RAX, RCX, RDX, both } from '../../testing/two-engines'
import type { World } from '../../testing/two-engines'
import { CODE } from '../tests/test-machine'

const ROUNDS = 3000
/** As often as that a block may refuse (UnusualStacks). */
const REFUSALS = 64
const FNINIT = [0xdb, 0xe3]
const FLD1 = [0xd9, 0xe8]
const FADD_ST_ST1 = [0xd8, 0xc1]
const FSTP_ST1 = [0xdd, 0xd9]
const FNSTSW_AX = [0xdf, 0xe0]
const FLDCW = [0xd9, 0x2d]
const FSTP_ST0 = [0xdd, 0xd8]
const DATA = CODE + 0x2000

function loop(world: World, before: readonly number[], body: readonly (readonly number[])[]): void {
  const code = new Code(CODE)
  code.raw(...before)
  code.load(RCX, ROUNDS)
  code.load(RDX, 0)
  code.label(0)
  for (const instruction of body) code.raw(...instruction)
  code.raw(...FNSTSW_AX)
  code.addRegister(RDX, RAX)
  code.again(RCX, 0)
  code.raw(HLT)
  world.put(code)
  world.run()
}

interface Ran {
  /** Entries of the regions that are there in the end. */
  readonly entries: number
  readonly untracked: number
  readonly refusals: number
}

function ran(before: readonly number[], body: readonly (readonly number[])[]): Ran {
  let result: Ran | undefined
  both((world) => {
    const { translator } = world
    const refused = translator && vi.spyOn(translator, 'blockRefused')
    loop(world, before, body)
    const untracked = [...(translator?.cache.regions() ?? [])].filter(({ source }) => source.plan.blocks.some((block) => block.untracked)).length
    result = { entries: world.entries, untracked, refusals: refused?.mock.calls.length ?? 0 }
  })
  return result!
}

describe('a loop whose x87 stack is', () => {
  it('as its block expects it is tracked', () => {
    const { entries, untracked, refusals } = ran(FNINIT, [FLD1, FLD1, FADD_ST_ST1, FSTP_ST1, FSTP_ST0])
    expect([untracked, refusals]).toEqual([0, 0])
    expect(entries).toBeLessThan(10)
  })

  it.each([
    ['empty', FNINIT, [FADD_ST_ST1, FSTP_ST1]],
    ['full', [...FNINIT, ...Array.from({ length: 8 }, () => FLD1).flat()], [FLD1, FADD_ST_ST1]],
    ['short of one number', [...FNINIT, ...FLD1], [FADD_ST_ST1]],
    ['full after some rounds', FNINIT, [FLD1, FLD1, FADD_ST_ST1]],
  ])('%s is refused for a while, then runs in regions', (_, before, body) => {
    const { entries, untracked, refusals } = ran(before, body)
    expect([untracked, refusals]).toEqual([1, REFUSALS])
    expect(entries).toBeLessThan(10)
  })

  it('empty, with an exception that becomes pending', () => {
    // fninit; mov word [DATA], 0x37e (IE unmasked); fldcw [DATA]; its handler is a HLT
    const address = [DATA & 255, (DATA >> 8) & 255, (DATA >> 16) & 255, DATA >>> 24]
    const unmask = [0x66, 0xc7, 0x05, ...address, 0x7e, 0x03, ...FLDCW, ...address]
    const mask = [0x66, 0xc7, 0x05, ...address, 0x7f, 0x03, ...FLDCW, ...address]
    const body = [FADD_ST_ST1, FSTP_ST1]
    both((world) => {
      loop(world, [...FNINIT, ...mask], body)
      world.m.vcpu.rip = CODE
      loop(world, [...FNINIT, ...unmask], body)
    })
  })
})
