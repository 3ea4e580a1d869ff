/** Runs batches on two engines and says where they differ; mismatches can be kept as case files, which need no second engine any more. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { disassemble } from '../cpu/isa/disassembler'
import { compareExactly, compareOutcomes } from './compare-outcomes'
import { memoryImage } from './case-values'
import { FX_CONTROL, FX_MXCSR, FX_STATUS, FX_TAGS, STATE_FX, STATE_GPR, STATE_RFLAGS, STATE_RIP, codeSegmentBase } from './diff-engine'
import type { CodeMode, DiffBatch, DiffCase, DiffEngine, DiffStep, Outcome } from './diff-engine'
import type { EmulatedEngine } from './oracles/emulated'
import { Random } from './random'

export interface Mismatch {
  readonly batch: DiffBatch
  readonly index: number
  readonly expected: Outcome
  readonly actual: Outcome
  readonly differences: readonly string[]
}

type Compare = (one: DiffCase, expected: Outcome, actual: Outcome) => readonly string[]

const compareRuns = (batch: DiffBatch, expected: readonly Outcome[], actual: readonly Outcome[], compare: Compare): readonly Mismatch[] =>
  batch.cases.flatMap((one, index) => {
    const [a, b] = [expected[index], actual[index]]
    if (a === undefined || b === undefined) throw new Error('engines ran different numbers of cases')
    const differences = compare(one, a, b)
    return differences.length === 0 ? [] : [{ batch, index, expected: a, actual: b, differences }]
  })

export const differentialRun = (oracle: DiffEngine, engine: DiffEngine, batch: DiffBatch): readonly Mismatch[] =>
  compareRuns(batch, oracle.run(batch), engine.run(batch), compareOutcomes)

/** Two engines of ours: everything must be the same, what the manual leaves undefined as well. */
export const exactRun = (reference: DiffEngine, engine: DiffEngine, batch: DiffBatch): readonly Mismatch[] =>
  compareRuns(batch, reference.run(batch), engine.run(batch), compareExactly)

/** The real processor, the interpreter and the translator at once. */
export const threeEngineRun = (oracle: DiffEngine, interpreter: DiffEngine, translator: DiffEngine, batch: DiffBatch): readonly Mismatch[] => {
  const [native, interpreted, translated] = [oracle.run(batch), interpreter.run(batch), translator.run(batch)]
  return [
    ...compareRuns(batch, native, interpreted, compareOutcomes),
    ...compareRuns(batch, interpreted, translated, compareExactly),
    ...compareRuns(batch, native, translated, compareOutcomes),
  ]
}

/** The first number of instructions after which two engines that have run the batch differ, and how; for a mismatch between engines of ours. */
export const firstDivergence = (reference: EmulatedEngine, engine: EmulatedEngine, { batch, index }: Mismatch, limit = 20_000): readonly string[] => {
  const one = batch.cases[index] as DiffCase
  for (let instructions = 1; instructions <= limit; instructions++) {
    const [a, b] = [reference.stateAfter(one, batch.image, instructions), engine.stateAfter(one, batch.image, instructions)]
    const names = Object.keys(a).filter((name) => a[name] !== b[name])
    if (names.length === 0 && a['exit'] === 'deadline') continue
    const before = reference.stateAfter(one, batch.image, instructions - 1)['rip']
    return [`after ${instructions} instructions (the last one at ${before}), ${a['exit']}`, ...names.map((name) => `${name}: ${a[name]} expected, ${b[name]} found`)]
  }
  return ['no divergence']
}

const hexBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The instruction at which a case went wrong, as far as one can tell: the last one that ran on both. */
export const suspect = ({ batch, index, expected }: Mismatch): DiffStep | undefined => {
  const one = batch.cases[index] as DiffCase
  const offset = Number(new DataView(expected.state.buffer, expected.state.byteOffset).getBigUint64(STATE_RIP, true))
  const rip = offset + codeSegmentBase(one.mode, one.address)
  const stopped = one.steps.findIndex(({ at }) => at === rip)
  return stopped > 0 ? one.steps[stopped] : stopped === 0 ? one.steps[0] : one.steps.at(-1)
}

export const describeMismatch = (mismatch: Mismatch): string => {
  const { batch, index, differences } = mismatch
  const one = batch.cases[index] as DiffCase
  const view = new DataView(one.state.buffer, one.state.byteOffset)
  const lines = [`${one.mode}-bit ${hexBytes(one.code)}`]
  for (let at = 0; at < one.code.length;) {
    const { text, length } = disassemble(one.code, at, one.mode === 64 ? 2 : one.mode === 32 ? 1 : 0, one.address + at)
    lines.push(`  ${(one.address + at).toString(16)}  ${hexBytes(one.code.subarray(at, at + length)).padEnd(24)} ${text}`)
    at += Math.max(length, 1)
  }
  const registers = Array.from({ length: one.mode === 64 ? 16 : 8 }, (_, i) => view.getBigUint64(STATE_GPR + i * 8, true).toString(16))
  lines.push(`  in: ${registers.join(' ')}  flags ${view.getUint32(STATE_RFLAGS, true).toString(16)}`)
  const fx = new DataView(one.state.buffer, one.state.byteOffset + STATE_FX)
  const control = [fx.getUint16(FX_CONTROL, true), fx.getUint16(FX_STATUS, true), fx.getUint8(FX_TAGS), fx.getUint32(FX_MXCSR, true)]
  lines.push(`  fcw fsw ftw mxcsr: ${control.map((value) => value.toString(16)).join(' ')}`)
  lines.push(...differences.map((difference) => `  ${difference}`))
  return lines.join('\n')
}

// ---- permanent cases ----------------------------------------------------------------------------------------------------------------
interface StoredCase {
  readonly note: string
  readonly cpu: string
  readonly imageSeed: number
  readonly mode: CodeMode
  readonly address: number
  readonly code: string
  readonly state: string
  readonly steps: readonly DiffStep[]
  readonly expected: { readonly state: string; readonly words: Outcome['words'] }
}

export interface PermanentCase {
  readonly name: string
  readonly batch: DiffBatch
  readonly expected: Outcome
}

const CASES = fileURLToPath(new URL('./oracles/cases', import.meta.url))

export const saveCase = (name: string, note: string, cpu: string, { batch, index, expected }: Mismatch): void => {
  const one = batch.cases[index] as DiffCase
  const stored: StoredCase = {
    note,
    cpu,
    imageSeed: batch.imageSeed,
    mode: one.mode,
    address: one.address,
    code: hexBytes(one.code),
    state: hexBytes(one.state),
    steps: one.steps,
    expected: { state: hexBytes(expected.state), words: expected.words },
  }
  writeFileSync(join(CASES, `${name}.json`), `${JSON.stringify(stored, null, 1)}\n`)
}

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

export const loadCases = (): readonly PermanentCase[] =>
  readdirSync(CASES)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const stored = JSON.parse(readFileSync(join(CASES, file), 'utf8')) as StoredCase
      const { mode, address, steps, imageSeed } = stored
      const one: DiffCase = { mode, address, steps, code: fromHex(stored.code), state: fromHex(stored.state) }
      const batch = { image: memoryImage(new Random(imageSeed)), imageSeed, cases: [one] }
      return { name: file.replace(/\.json$/, ''), batch, expected: { state: fromHex(stored.expected.state), words: stored.expected.words } }
    })

/** Runs a permanent case; the differences from what the real processor did. */
export const runPermanentCase = (engine: DiffEngine, { batch, expected }: PermanentCase): readonly string[] => {
  const actual = engine.run(batch)[0]
  if (actual === undefined) throw new Error(`${engine.name} returned no outcome`)
  return compareOutcomes(batch.cases[0] as DiffCase, expected, actual)
}
