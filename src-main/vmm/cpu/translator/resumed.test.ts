/** Regions that go on behind instructions that run with everything written back: what these have changed has to be seen. */
import { describe, expect, it } from 'vitest'
import { Code, HLT, OTHER_PAGE, PAGE, RAX, RBX, RCX, RDI, RDX, both } from '../../testing/two-engines'
import type { World } from '../../testing/two-engines'
import { CODE } from '../tests/test-machine'

const ROUNDS = 3000
const CLI = 0xfa
const STI = 0xfb
const PUSHF = 0x9c
const POPF = 0x9d
const REP_STOSB = [0xf3, 0xaa]
const DATA = OTHER_PAGE + PAGE

/** Does something often. */
function rounds(world: World, body: (code: Code) => void, request = false): void {
  const code = new Code(CODE)
  code.load(RDX, ROUNDS)
  code.load(RBX, 0)
  code.label(0)
  body(code)
  code.again(RDX, 0)
  code.raw(HLT)
  world.put(code)
  world.m.vcpu.setInterruptRequest(request)
  world.run()
  world.m.vcpu.setInterruptRequest(false)
}

describe('a region goes on behind', () => {
  it.each([
    ['PUSHF and POPF', [PUSHF, CLI, POPF], false],
    ['STI, whose shadow ends with the next instruction', [CLI, STI, 0x90, CLI], false],
    ['POPF with a masked request', [CLI, PUSHF, POPF], true],
    ['MOV to a segment register', [0x8c, 0xd8, 0x8e, 0xd8, 0x8e, 0xe8], false], // mov eax, ds; mov ds, eax; mov gs, eax
  ])('%s', (_, instructions, request) => {
    let entries = 0
    both((world) => {
      rounds(
        world,
        (code) => {
          code.add(RBX, 3)
          code.raw(...instructions)
          code.increment(RBX)
        },
        request,
      )
      expect(world.m.vcpu.gpr32('rbx')).toBe(4 * ROUNDS)
      entries = world.entries
    })
    expect(entries).toBeLessThan(50)
  })

  it('REP STOS', () => {
    let entries = 0
    both((world) => {
      rounds(world, (code) => {
        code.load(RDI, DATA)
        code.load(RCX, 9)
        code.load(RAX, 7)
        code.raw(...REP_STOSB)
        code.addRegister(RBX, RDI)
      })
      entries = world.entries
    })
    expect(entries).toBeLessThan(50)
  })
})

describe('a region does not go on behind', () => {
  it('what changes its code', () => {
    both((world) => {
      // the immediate of the addition behind it, now and then another
      rounds(world, (code) => {
        code.raw(0x89, 0xd0) // mov eax, edx
        const immediate = code.here + 5 + 5 + 5 + 5 + 2 + 2
        code.load(RDI, immediate)
        code.raw(0xf6, 0xc2, 63, 0x74, 5) // test dl, 63; je +5
        code.load(RDI, DATA)
        code.load(RCX, 1)
        code.raw(...REP_STOSB)
        code.add(RBX, 0)
      })
      let sum = 0
      for (let round = ROUNDS, added = 0; round > 0; round--) {
        if (round % 64 === 0) added = round & 0xff
        sum += added
      }
      expect(world.m.vcpu.gpr32('rbx')).toBe(sum)
    })
  })

  it('a segment that is not flat any more', () => {
    both((world) => {
      rounds(world, (code) => {
        // ds is loaded with what it has; in the last round with null
        code.raw(0x8c, 0xd8, 0x83, 0xfa, 1, 0x75, 2, 0x31, 0xc0, 0x8e, 0xd8) // mov eax, ds; cmp edx, 1; jne +2; xor eax, eax; mov ds, eax
        code.increment(RBX)
      })
      expect(world.m.vcpu.gpr32('rbx')).toBe(ROUNDS)
    })
  })
})
