/** Accesses in loops by bases that stay: where their page lies is found once. */
import { describe, expect, it } from 'vitest'
import { Code, HLT, OTHER_PAGE, PAGE, RAX, RBX, RCX, RDX, RSI, both } from '../../testing/two-engines'
import { CODE } from '../tests/test-machine'

const ROUNDS = 60
const INNER = 70
const DATA = OTHER_PAGE + 0x200
const EBX_8 = 0x43
const FAR = 0x83
const far = (displacement: number): number[] => [displacement & 0xff, (displacement >> 8) & 0xff, 0, 0]

describe('accesses of loops by the same base', () => {
  it.each([
    ['in one page', DATA, 0],
    ['to pages one after the other', DATA + 0x300, 0x2c],
    ['across a page', DATA - 0x200 + PAGE - 2, 0],
    ['on both sides of a page boundary', DATA - 0x200 + PAGE - 0x40, 4],
  ])('%s', (_, start, step) => {
    let entries = 0
    both((world) => {
      const code = new Code(CODE)
      code.load(RDX, ROUNDS)
      code.load(RBX, start)
      code.label(0)
      code.load(RCX, INNER)
      code.label(1)
      code.raw(0x8b, EBX_8, 4) // mov eax, [ebx+4]
      code.addRegister(RAX, RCX)
      code.raw(0x89, EBX_8, 8) // mov [ebx+8], eax
      code.raw(0x01, EBX_8, 0xfc) // add [ebx-4], eax
      code.raw(0x8b, 0x73, 0xfc) // mov esi, [ebx-4]
      code.addRegister(RAX, RSI)
      code.raw(0x01, FAR, ...far(0xc0)) // add [ebx+0xc0], eax
      code.raw(0x01, FAR, ...far(0x5c0)) // add [ebx+0x5c0], eax: another span
      code.store(DATA + 0x20, RAX)
      code.raw(0x89, EBX_8, 4) // mov [ebx+4], eax
      code.again(RCX, 1)
      code.add(RBX, step)
      code.again(RDX, 0)
      code.raw(HLT)
      world.put(code)
      world.run()
      entries = world.entries
    })
    expect(entries).toBeLessThan(50)
  })

  it('by a base that changes where it hardly ever does', () => {
    both((world) => {
      const code = new Code(CODE)
      code.load(RDX, 4000)
      code.load(RBX, DATA)
      code.label(0)
      code.raw(0x8b, EBX_8, 4) // mov eax, [ebx+4]
      code.addRegister(RAX, RDX)
      code.raw(0x89, EBX_8, 4) // mov [ebx+4], eax
      code.raw(0xf6, 0xc2, 63, 0x75, 6) // test dl, 63; jne +6
      code.add(RBX, 0x24)
      code.raw(0x01, EBX_8, 8) // add [ebx+8], eax
      code.again(RDX, 0)
      code.raw(HLT)
      world.put(code)
      world.run()
    })
  })
})
