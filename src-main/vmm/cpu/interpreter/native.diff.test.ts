/** The interpreter against the real processor: random programs, and the permanent cases that once differed. */
import { beforeAll, describe, expect, it } from 'vitest'
import { generateBatch, selectRows } from '../../testing/case-generator'
import { CASES_PER_BATCH } from '../../testing/diff-engine'
import type { DiffEngine } from '../../testing/diff-engine'
import { describeMismatch, differentialRun, loadCases, runPermanentCase } from '../../testing/differential'
import { openInterpreter } from '../../testing/oracles/emulated'
import { openNativeOracle } from '../../testing/oracles/native'

const CASES = 204_800
const BATCHES_PER_TEST = 10
const FIRST_SEED = 1
const SHOWN = 5

const oracle = openNativeOracle()
let engine: DiffEngine

beforeAll(() => {
  engine = openInterpreter()
})

describe('cases that once differed', () => {
  it.each(loadCases().map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(runPermanentCase(engine, one)).toEqual([])
  })
})

if (typeof oracle === 'string') {
  it.skip(`random programs against the real processor: ${oracle}`, () => undefined)
} else {
  const { has } = oracle
  describe(`random programs against ${oracle.cpu}`, () => {
    it('draws from most of the table', () => {
      const { rows, notComparable, lacking } = selectRows({ has })
      expect(rows.length).toBeGreaterThan(8 * (notComparable + lacking))
    })

    const chunks = Math.ceil(CASES / (BATCHES_PER_TEST * CASES_PER_BATCH))
    const seeds = Array.from({ length: chunks }, (_, i) => FIRST_SEED + i * BATCHES_PER_TEST)
    it.each(seeds)(`${BATCHES_PER_TEST * CASES_PER_BATCH} cases from seed %i`, (first) => {
      const batches = Array.from({ length: BATCHES_PER_TEST }, (_, i) => generateBatch(first + i, { has }))
      const mismatches = batches.flatMap((batch) => differentialRun(oracle, engine, batch))
      expect(mismatches.slice(0, SHOWN).map(describeMismatch).join('\n\n'), `${mismatches.length} mismatches`).toBe('')
    })
  })
}
