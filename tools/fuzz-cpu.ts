/**
 * Differential fuzzing of the engines, against the real processor and each other.
 *   npm run fuzz:cpu -- [--engine interpreter|translator|both] [--programs] [--minutes N] [--seed N] [--only operation,operation]
 *     [--except operation,operation] [--without feature,feature] [--bounded] [--slices] [--threshold N] [--resident yes|no] [--brief] [--x87 PERCENT] [--keep] [--show N] [--core DIR]
 * --engine: what is compared with the real processor; with "both" (which needs none) also interpreter and translator with each other, in every bit.
 * --programs: programs of many blocks, interpreter against translator; --slices runs them in slices of random length; --bounded gives 32-bit code
 * segments with limits; --threshold translates while they run; --resident keeps registers in locals, or in the vCPU;
 * --brief makes regions as short as those that are made sparingly; --x87: so much of the programs are groups of x87 instructions. --keep writes the first mismatch of each operation to testing/oracles/cases.
 * Exit status 1 when anything differed.
 */
import type { Feature } from '../src-main/vmm/cpu/isa/row'
import { generateBatch, selectRows } from '../src-main/vmm/testing/case-generator'
import type { DiffBatch } from '../src-main/vmm/testing/diff-engine'
import { describeMismatch, differentialRun, exactRun, firstDivergence, saveCase, suspect, threeEngineRun } from '../src-main/vmm/testing/differential'
import type { Mismatch } from '../src-main/vmm/testing/differential'
import { openInterpreter, openTranslator } from '../src-main/vmm/testing/oracles/emulated'
import type { EmulatedOptions } from '../src-main/vmm/testing/oracles/emulated'
import { openNativeOracle } from '../src-main/vmm/testing/oracles/native'
import { generatePrograms } from '../src-main/vmm/testing/program-generator'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}
const flag = (name: string): boolean => process.argv.includes(`--${name}`)

const programs = flag('programs')
const which = programs ? 'both' : (option('engine') ?? 'interpreter')
const minutes = Number(option('minutes') ?? 1)
const firstSeed = Number(option('seed') ?? Date.now() % 0x7fffffff)
const shown = Number(option('show') ?? 1)
const only = option('only')?.split(',')
const except = option('except')?.split(',')
const without = option('without')?.split(',') ?? []
const keep = flag('keep')

const oracle = openNativeOracle()
if (typeof oracle === 'string') {
  say(oracle)
  if (which !== 'both') process.exit(2)
}
const options = {
  has: (feature: Feature) => (typeof oracle === 'string' || oracle.has(feature)) && !without.includes(feature),
  ...(only && { only: new Set(only) }),
  ...(except && { except: new Set(except) }),
}
const { rows, notComparable, lacking } = selectRows(options)
say(`${rows.length} rows of the table; left out: ${notComparable} that cannot be compared, ${lacking} that this processor lacks`)

const [directory, threshold] = [option('core'), option('threshold')]
const emulated: EmulatedOptions = {
  ...(directory !== undefined && { directory }),
  ...(threshold !== undefined && { threshold: Number(threshold) }),
  ...(option('resident') !== undefined && { resident: option('resident') === 'yes' }),
  ...(flag('brief') && { brief: true }),
  ...(flag('bounded') && { flat: false }),
  ...(flag('slices') && { sliceSeed: firstSeed }),
}
const interpreter = openInterpreter(emulated)
const translator = openTranslator(emulated)

const run = (batch: DiffBatch): readonly Mismatch[] => {
  if (which !== 'both' && typeof oracle !== 'string') return differentialRun(oracle, which === 'translator' ? translator : interpreter, batch)
  return programs || typeof oracle === 'string' ? exactRun(interpreter, translator, batch) : threeEngineRun(oracle, interpreter, translator, batch)
}

const byOperation = new Map<string, Mismatch[]>()
const end = Date.now() + minutes * 60_000
let cases = 0
let seed = firstSeed
for (; Date.now() < end; seed++) {
  const batch = programs ? generatePrograms(seed, { rows, ...(option('x87') !== undefined && { x87: Number(option('x87')) }) }) : generateBatch(seed, options)
  cases += batch.cases.length
  for (const mismatch of run(batch)) {
    const operation = programs ? `program of seed ${seed}` : (suspect(mismatch)?.operation ?? 'unknown')
    const list = byOperation.get(operation) ?? []
    if (list.length === 0) byOperation.set(operation, list)
    list.push(mismatch)
    // while its batch is loaded
    if (programs && byOperation.size <= shown) say(firstDivergence(interpreter, translator.engine, mismatch).join('\n'))
  }
}

const ranked = [...byOperation].sort(([, a], [, b]) => b.length - a.length)
for (const [operation, list] of ranked) {
  say(`\n== ${operation}: ${list.length}`)
  const simplest = [...list].sort((a, b) => steps(a) - steps(b))
  for (const mismatch of simplest.slice(0, shown)) say(describeMismatch(mismatch))
  const first = simplest[0]
  if (keep && first && !programs) saveCase(`${operation}-${firstSeed}`, 'found by npm run fuzz:cpu', typeof oracle === 'string' ? 'interpreter' : oracle.cpu, first)
}
const total = ranked.reduce((sum, [, list]) => sum + list.length, 0)
say(
  `\nseeds ${firstSeed}..${seed - 1}: ${cases} cases, ${total} mismatches${total ? `: ${ranked.map(([name, list]) => `${name} ${list.length}`).join(', ')}` : ''}`,
)
process.exitCode = total === 0 ? 0 : 1

function steps({ batch, index }: Mismatch): number {
  return batch.cases[index]?.steps.length ?? 0
}
