/**
 * Three engines at once: the interpreter, the translator with everything translated, and the real processor where there is one. The translator has to
 * agree with the interpreter in every bit, in what the manual leaves undefined as well, and in the count of instructions at each end of a slice.
 */
import { describe, expect, it } from 'vitest'
import { generateBatch, selectRows } from '../../testing/case-generator'
import { CASES_PER_BATCH } from '../../testing/diff-engine'
import type { DiffBatch, DiffEngine } from '../../testing/diff-engine'
import { describeMismatch, exactRun, firstDivergence, loadCases, runPermanentCase, threeEngineRun } from '../../testing/differential'
import type { Mismatch } from '../../testing/differential'
import { openInterpreter, openTranslator } from '../../testing/oracles/emulated'
import type { EmulatedOptions } from '../../testing/oracles/emulated'
import { openNativeOracle } from '../../testing/oracles/native'
import { generatePrograms } from '../../testing/program-generator'

const SHOWN = 3
const oracle = openNativeOracle()
const has = typeof oracle === 'string' ? (): boolean => true : oracle.has

const report = (mismatches: readonly Mismatch[], explain: (mismatch: Mismatch) => readonly string[] = () => []): void => {
  const text = mismatches.slice(0, SHOWN).map((mismatch) => [describeMismatch(mismatch), ...explain(mismatch)].join('\n'))
  expect(text.join('\n\n'), `${mismatches.length} mismatches`).toBe('')
}

/** Notes how many instructions retired in all of its runs. */
const counted = (engine: DiffEngine): DiffEngine & { retired: number } => {
  const counting = {
    name: engine.name,
    retired: 0,
    run: (batch: DiffBatch) => {
      const outcomes = engine.run(batch)
      for (const { internal } of outcomes) counting.retired += internal?.[0] ?? 0
      return outcomes
    },
  }
  return counting
}

describe('cases that once differed', () => {
  const translator = openTranslator()
  it.each(loadCases().map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(runPermanentCase(translator, one)).toEqual([])
  })
})

describe(`random instructions in ${typeof oracle === 'string' ? 'interpreter and translator' : 'three engines'}`, () => {
  const BATCHES = 5
  const interpreter = openInterpreter()
  const translator = openTranslator()
  const watched = counted(translator)
  const run = (batch: DiffBatch): readonly Mismatch[] =>
    typeof oracle === 'string' ? exactRun(interpreter, watched, batch) : threeEngineRun(oracle, interpreter, watched, batch)

  it.each([1, 2, 3, 4, 5].map((i) => i * 10_000))(`${BATCHES * CASES_PER_BATCH} cases from seed %i`, (first) => {
    report(Array.from({ length: BATCHES }, (_, i) => run(generateBatch(first + i, { has }))).flat())
  })

  it('ran most instructions in regions', () => {
    const cases = BATCHES * 5 * CASES_PER_BATCH
    // IRETQ into the program and the exception handler's HLT are the kernel's
    expect(translator.tally.instructions / (watched.retired - 2 * cases)).toBeGreaterThan(0.85)
    expect(translator.tally.entries).toBeGreaterThan(0.95 * cases)
  })

  it('with registers in locals, which regions without loops do not have', () => {
    const [a, b] = [openInterpreter(), openTranslator({ resident: true })]
    report([1, 2, 3, 4].flatMap((seed) => exactRun(a, b, generateBatch(seed, { has }))))
  })

  it('in brief regions', () => {
    const [a, b] = [openInterpreter(), openTranslator({ brief: true })]
    report([5, 6, 7, 8].flatMap((seed) => exactRun(a, b, generateBatch(seed, { has }))))
  })

  it('32-bit code whose segments end somewhere', () => {
    const bounded: EmulatedOptions = { flat: false }
    const [a, b] = [openInterpreter(bounded), openTranslator(bounded)]
    report([1, 2].flatMap((seed) => exactRun(a, b, generateBatch(seed, { has, modes: [32] }))))
  })
})

describe('random programs in interpreter and translator', () => {
  const { rows } = selectRows({ has })
  const compare = (options: EmulatedOptions, first: number, batches: number, x87?: number): number => {
    const [interpreter, translator] = [openInterpreter(options), openTranslator(options)]
    const watched = counted(translator)
    const mismatches = Array.from({ length: batches }, (_, i) => exactRun(interpreter, watched, generatePrograms(first + i, { rows, ...(x87 !== undefined && { x87 }) }))).flat()
    report(mismatches, (mismatch) => firstDivergence(interpreter, translator.engine, mismatch))
    return translator.tally.instructions / watched.retired
  }

  it('at one go, most of them in regions', () => {
    expect(compare({}, 100_000, 60)).toBeGreaterThan(0.9)
  })
  it.each([true, false])('with registers in locals: %s', (resident) => {
    compare({ resident }, 700_000, 20)
    compare({ resident, sliceSeed: 3 }, 800_000, 10)
  })
  it('with registers in the vCPU, in brief regions', () => {
    compare({ resident: false, brief: true }, 900_000, 20)
    compare({ resident: false, brief: true, sliceSeed: 3 }, 950_000, 10)
  })
  it('in slices of random length', () => {
    expect(compare({ sliceSeed: 1 }, 200_000, 20)).toBeGreaterThan(0.6)
  })
  it('with bounded segments', () => {
    expect(compare({ flat: false }, 300_000, 20)).toBeGreaterThan(0.9)
  })
  it('with bounded segments, in slices', () => {
    compare({ flat: false, sliceSeed: 2 }, 400_000, 10)
  })
  it.each([true, false])('of x87 arithmetic, with registers in locals: %s', (resident) => {
    expect(compare({ resident }, 1_000_000, 5, 60)).toBeGreaterThan(0.6)
    compare({ resident, sliceSeed: 4 }, 1_100_000, 3, 60)
  })
  it('FNINIT forgets what an x87 instruction noted on the way back to it', () => {
    // again: fninit; fild dword [rsi], which faults the second time; fld1; add rsi, 40000000h; jmp again
    const code = Uint8Array.of(0xdb, 0xe3, 0xdb, 0x06, 0xd9, 0xe8, 0x48, 0x81, 0xc6, 0, 0, 0, 0x40, 0xeb, 0xf1)
    const batch = generatePrograms(1, { modes: [64] }, 1)
    const cases = batch.cases.map((one) => ({ ...one, code }))
    report(exactRun(openInterpreter(), openTranslator({ resident: true }), { ...batch, cases }))
  })
  it.each([1, 3])('translated as they go, from execution %i on', (threshold) => {
    compare({ threshold }, 500_000 + threshold * 1000, 8)
    compare({ threshold, sliceSeed: threshold }, 600_000 + threshold * 1000, 4)
  })
})
