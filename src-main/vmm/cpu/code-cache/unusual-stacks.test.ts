import { expect, it } from 'vitest'
import { UnusualStacks } from './unusual-stacks'

const refuse = (stacks: UnusualStacks, block: number, times: number, apart: number, from = 0): boolean[] =>
  Array.from({ length: times }, (_, i) => stacks.refused(block, from + i * apart))

it('blocks that keep refusing, and those that hardly ever do', () => {
  const stacks = new UnusualStacks()
  expect(refuse(stacks, 1, 63, 100)).not.toContain(true)
  expect(stacks.has(1)).toBe(false)
  expect(stacks.refused(1, 6300)).toBe(true)
  expect(stacks.has(1)).toBe(true)
  expect(refuse(stacks, 2, 1000, 100_000)).not.toContain(true)
  expect(stacks.has(2)).toBe(false)
})

it('a region that was being made meanwhile is not kept either', () => {
  const stacks = new UnusualStacks()
  refuse(stacks, 1, 64, 1)
  expect(stacks.refused(1, 1e9)).toBe(true)
})

it('those that have been quiet longest are forgotten', () => {
  const stacks = new UnusualStacks()
  refuse(stacks, 1, 64, 1)
  for (let block = 2; block < 5000; block++) stacks.refused(block, 0)
  expect(stacks.has(1)).toBe(false)
})
