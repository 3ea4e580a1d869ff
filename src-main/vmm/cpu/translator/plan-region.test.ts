import { describe, expect, it } from 'vitest'
import { CODE_ADDRESS, SnippetMachine } from '../../testing/snippet-machine'
import * as L from '../layout'
import { HOT_THRESHOLD } from '../layout-decode'
import { GENEROUS, SPARING, planRegion, type RegionRules } from './plan-region'

/** 0: call 9; 5: dec ecx; jnz 0; 8: ret; 9: inc eax; jmp 12; 12: ret. */
const CODE = [0xe8, 4, 0, 0, 0, 0x49, 0x75, 0xf8, 0xc3, 0x40, 0xeb, 0, 0xc3]
const STARTS = [0, 5, 8, 9, 12]
const KEY = 1 | L.KEY_FLAT

interface Planned {
  readonly blocks: readonly number[]
  readonly entries: readonly number[]
}

/** Plans the region at an offset with all blocks decoded; `words`: entry words of some. */
function planned(at: number, rules: RegionRules, words: Readonly<Record<number, number>> = {}, threshold = 0): Planned | undefined {
  const snippet = new SnippetMachine('protected32')
  snippet.load(CODE)
  const { machine } = snippet
  machine.core('flush_code')()
  const view = new DataView(machine.memory.buffer)
  view.setUint32(HOT_THRESHOLD, threshold, true)
  const headers = new Map(STARTS.map((offset) => [offset, machine.core('code_block')(CODE_ADDRESS + offset, KEY) >>> 0]))
  for (const [offset, word] of Object.entries(words)) view.setUint32(headers.get(Number(offset))! + L.BLOCK_ENTRY, word, true)
  const plan = planRegion(view, headers.get(at)!, rules)
  if (plan === undefined) return undefined
  const offset = (block: number): number => plan.page + plan.blocks[block]!.offset - CODE_ADDRESS
  expect(plan.records.length).toBe(plan.blocks.reduce((sum, { count }) => sum + count, 0) * L.REC_BYTES)
  return { blocks: plan.blocks.map((_, block) => offset(block)).sort((a, b) => a - b), entries: plan.entries.map(offset) }
}

describe('planning a region', () => {
  it('generously: the called function, too', () => {
    expect(planned(0, GENEROUS)).toEqual({ blocks: [0, 5, 8, 9, 12], entries: [0, 5] })
  })

  it('sparingly: the called function is another region', () => {
    expect(planned(0, SPARING)).toEqual({ blocks: [0, 5, 8], entries: [0, 5] })
    expect(planned(9, SPARING)).toEqual({ blocks: [9, 12], entries: [9] })
  })

  it('sparingly: leaves to other regions what they begin with', () => {
    expect(planned(0, SPARING, { 8: L.ENTRY_TRANSLATED })).toEqual({ blocks: [0, 5], entries: [0, 5] })
    expect(planned(9, { ...SPARING, isPending: (gpa, key) => gpa === CODE_ADDRESS + 12 && key === KEY })).toEqual({ blocks: [9], entries: [9] })
    // its own loop is not another region's, and generous plans leave nothing
    expect(planned(5, SPARING, { 5: L.ENTRY_TRANSLATED })).toEqual({ blocks: [0, 5, 8], entries: [5] })
    expect(planned(9, GENEROUS, { 12: L.ENTRY_TRANSLATED })).toEqual({ blocks: [9, 12], entries: [9] })
  })

  it('without what has hardly ever run', () => {
    expect(planned(0, GENEROUS, { 0: 1000, 5: 1000, 9: 1000, 12: 1000, 8: 62 }, 1000)).toEqual({ blocks: [0, 5, 9, 12], entries: [0, 5] })
  })

  it('can be entered where the region that it replaces was', () => {
    expect(planned(0, { ...GENEROUS, entered: [CODE_ADDRESS + 12, CODE_ADDRESS + 100] })).toEqual({ blocks: [0, 5, 8, 9, 12], entries: [0, 5, 12] })
  })
})
