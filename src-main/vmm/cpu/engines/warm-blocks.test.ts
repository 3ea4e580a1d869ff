import { describe, expect, it } from 'vitest'
import type { DecodedBlock } from '../code-cache/block-lists'
import type { CodeCache } from '../code-cache/code-cache'
import { WarmBlocks } from './warm-blocks'

const block = (gpa: number): DecodedBlock => ({ header: gpa, gpa, key: 1, bytes: 4 })

/** What WarmBlocks asks the code cache. */
class Runs {
  readonly runs = new Map<number, number>()
  decodedFlushes = 0
  runsOf({ gpa }: DecodedBlock): number {
    return this.runs.get(gpa) ?? -1
  }
}

function warmBlocks(runs: Readonly<Record<number, number>>): { readonly cache: Runs; readonly warm: WarmBlocks; take(count: number, now?: number): number[] } {
  const cache = new Runs()
  const warm = new WarmBlocks(cache as unknown as CodeCache, 4, 100)
  for (const [gpa, count] of Object.entries(runs)) {
    cache.runs.set(Number(gpa), count)
    warm.add(block(Number(gpa)), 0)
  }
  const take = (count: number, now = 0): number[] => {
    const taken: number[] = []
    warm.takeHottest(count, now, ({ gpa }) => taken.push(gpa) < count)
    return taken
  }
  return { cache, warm, take }
}

describe('blocks that wait for their translation', () => {
  it('go the hottest first, as counted by now', () => {
    const { cache, warm, take } = warmBlocks({ 1: 100, 2: 300, 3: 200 })
    cache.runs.set(1, 1000)
    expect(take(2)).toEqual([1, 2])
    expect(warm.size).toBe(1)
    expect(take(2)).toEqual([3])
    expect(warm.size).toBe(0)
  })

  it('stay when they are not used up', () => {
    const { warm, take } = warmBlocks({ 1: 100, 2: 300, 3: 200 })
    expect(take(1)).toEqual([2])
    expect(warm.size).toBe(2)
  })

  it('are forgotten when they are gone, translated or counted anew', () => {
    const { cache, warm, take } = warmBlocks({ 1: 100, 2: 300, 3: 200 })
    cache.runs.delete(2)
    cache.runs.set(3, 7)
    expect(take(8)).toEqual([1])
    expect(warm.size).toBe(0)
  })

  it('do not starve: what has waited long comes before what is a little hotter', () => {
    const { cache, warm, take } = warmBlocks({ 1: 100 })
    cache.runs.set(2, 5000)
    warm.add(block(2), 1e9)
    expect(take(1, 1e9)).toEqual([1])
  })

  it('are limited, and start over after everything decoded was dropped', () => {
    const { cache, warm } = warmBlocks({ 1: 100, 2: 100, 3: 100, 4: 100 })
    expect(warm.add(block(5), 0)).toBe(false)
    cache.decodedFlushes++
    expect(warm.add(block(5), 0)).toBe(true)
    expect(warm.size).toBe(1)
  })
})
