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

describe.skipIf(typeof oracle === 'string')(
  `random programs${typeof oracle === 'string' ? ` (skipped: ${oracle})` : ` against ${oracle.cpu}`}`,
  () => {
    if (typeof oracle === 'string') return
    const { has } = oracle

    it('draws from most of the table', () => {
      const { rows, notComparable, lacking } = selectRows({ has })
      expect(rows.length).toBeGreaterThan(8 * (notComparable + lacking))
    })

    const chunks = Math.ceil(CASES / (BATCHES_PER_TEST * CASES_PER_BATCH))
    it.each(Array.from({ length: chunks }, (_, i) => FIRST_SEED + i * BATCHES_PER_TEST))(
      `${BATCHES_PER_TEST * CASES_PER_BATCH} cases from seed %i`,
      (first) => {
        const mismatches = Array.from({ length: BATCHES_PER_TEST }, (_, i) =>
          differentialRun(oracle, engine, generateBatch(first + i, { has })),
        ).flat()
        expect(mismatches.slice(0, SHOWN).map(describeMismatch).join('\n\n'), `${mismatches.length} mismatches`).toBe('')
      },
    )
  },
)
