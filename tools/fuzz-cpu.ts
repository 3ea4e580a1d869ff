/**
 * Differential fuzzing of the interpreter against the real processor.
 *   npm run fuzz:cpu -- [--minutes N] [--seed N] [--only operation,operation] [--except operation,operation]
 *     [--without feature,feature] [--keep] [--show N] [--core DIR]
 * --keep writes the first mismatch of each operation to testing/oracles/cases. Exit status 1 when anything differed.
 */
import type { Feature } from '../src-main/vmm/cpu/isa/row'
import { generateBatch, selectRows } from '../src-main/vmm/testing/case-generator'
import { describeMismatch, differentialRun, saveCase, suspect } from '../src-main/vmm/testing/differential'
import type { Mismatch } from '../src-main/vmm/testing/differential'
import { openInterpreter } from '../src-main/vmm/testing/oracles/emulated'
import { openNativeOracle } from '../src-main/vmm/testing/oracles/native'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

const minutes = Number(option('minutes') ?? 1)
const firstSeed = Number(option('seed') ?? Date.now() % 0x7fffffff)
const shown = Number(option('show') ?? 1)
const only = option('only')?.split(',')
const except = option('except')?.split(',')
const without = option('without')?.split(',') ?? []
const keep = process.argv.includes('--keep')

const oracle = openNativeOracle()
if (typeof oracle === 'string') {
  say(`cannot fuzz: ${oracle}`)
  process.exit(2)
}
const options = {
  has: (feature: Feature) => oracle.has(feature) && !without.includes(feature),
  ...(only && { only: new Set(only) }),
  ...(except && { except: new Set(except) }),
}
const { rows, notComparable, lacking } = selectRows(options)
say(
  `${oracle.cpu}: ${rows.length} rows of the table; left out: ${notComparable} that cannot be compared, ${lacking} that this processor lacks`,
)

const engine = openInterpreter(option('core'))
const byOperation = new Map<string, Mismatch[]>()
const end = Date.now() + minutes * 60_000
let cases = 0
let seed = firstSeed
for (; Date.now() < end; seed++) {
  const batch = generateBatch(seed, options)
  cases += batch.cases.length
  for (const mismatch of differentialRun(oracle, engine, batch)) {
    const operation = suspect(mismatch)?.operation ?? 'unknown'
    const list = byOperation.get(operation) ?? []
    if (list.length === 0) byOperation.set(operation, list)
    list.push(mismatch)
  }
}

const ranked = [...byOperation].sort(([, a], [, b]) => b.length - a.length)
for (const [operation, list] of ranked) {
  say(`\n== ${operation}: ${list.length}`)
  const simplest = [...list].sort((a, b) => steps(a) - steps(b))
  for (const mismatch of simplest.slice(0, shown)) say(describeMismatch(mismatch))
  const first = simplest[0]
  if (keep && first) saveCase(`${operation}-${firstSeed}`, 'found by npm run fuzz:cpu', oracle.cpu, first)
}
const total = ranked.reduce((sum, [, list]) => sum + list.length, 0)
say(
  `\nseeds ${firstSeed}..${seed - 1}: ${cases} cases, ${total} mismatches${total ? `: ${ranked.map(([name, list]) => `${name} ${list.length}`).join(', ')}` : ''}`,
)
process.exitCode = total === 0 ? 0 : 1

function steps({ batch, index }: Mismatch): number {
  return batch.cases[index]?.steps.length ?? 0
}
