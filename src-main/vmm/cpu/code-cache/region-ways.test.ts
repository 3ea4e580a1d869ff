import { expect, it } from 'vitest'
import * as L from '../layout'
import { RegionWays } from './region-ways'

it('tells where the run loop went from a region and from those that it went to, the most usual first', () => {
  const memory = new WebAssembly.Memory({ initial: L.BLOCK_HASH / 0x10000 })
  const view = new DataView(memory.buffer)
  const ways = new RegionWays(memory)
  let next = 0
  const went = (from: number, to: number, low: number, times: number): void => {
    for (let i = 0; i < times; i++) {
      const at = L.REGION_WAYS + (next++ % L.REGION_WAYS_MAX) * L.REGION_WAY_BYTES
      const word = (slot: number): number => (L.ENTRY_TRANSLATED | (7 << L.ENTRY_SELECTOR_SHIFT) | slot) >>> 0
      ;[word(from), word(to), low, 1].forEach((value, i) => view.setUint32(at + i * 4, value, true))
    }
    view.setUint32(L.REGION_WAYS_NEXT, next, true)
  }
  const lows = (slot: number): number[] => ways.from(slot).map(({ low }) => low)
  expect(lows(0)).toEqual([])
  went(0, 1, 0x1000, 10)
  went(0, 2, 0x2000, 90)
  went(2, 3, 0x3000, 5)
  went(4, 0, 0x4000, 50)
  // not even one in so many
  went(0, 5, 0x5000, 1)
  expect(lows(0)).toEqual([0x2000, 0x1000, 0x3000])
  expect(lows(4)).toEqual([0x4000, 0x2000, 0x1000, 0x3000])
  expect(ways.from(2)).toMatchObject([{ low: 0x3000, high: 1 }])
  // what was is forgotten
  went(0, 6, 0x6000, L.REGION_WAYS_MAX)
  expect(lows(0)).toEqual([0x6000])
})
