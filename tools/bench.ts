/**
 * Speed and size, measured on the machine at hand and printed as tables; nothing is asserted.
 *   npm run bench -- [--quick] [--json PATH]                     everything: Vitrine's own figures, then the comparison with its peers
 *   npm run bench -- --sections integer,sse/nbody --engines ours,qemu --arch i386 --rounds 1 [--scale PERCENT]
 * Any of --sections, --engines, --arch, --compare asks for the comparison only; --own for the own figures only. --quick leaves out the guests
 * that take minutes and compares with a tenth of the work, once. --limit SECONDS is how long a section may take before its run counts as hung.
 * --clock processor counts processor time instead of the wall's, for looks on a machine that does other things too.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compare, type CompareOptions } from './bench/guest/compare'
import { OWN, PEERS } from './bench/guest/peers'
import { lines, report } from './bench/guest/report'
import { ownFigures } from './bench/own-figures'

const ARCHITECTURES = ['i386', 'amd64'] as const
const MIB = 0x100000
const ROUNDS = 3
const QUICK_SCALE = 10
const BOOT_SECONDS = 300
const SECTION_SECONDS = 120

interface Row {
  readonly what: string
  /** undefined: skipped, see note. */
  readonly value: number | undefined
  readonly unit: string
  readonly note: string
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const { values: options } = parseArgs({
  options: { quick: flag, json: text, own: flag, compare: flag, sections: text, engines: text, arch: text, rounds: text, scale: text, limit: text, clock: text },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const load = (): string => loadavg().map((value) => value.toFixed(1)).join(' ')

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`)
  process.exit(2)
}

function chosen<T extends string>(option: string, value: string | undefined, choices: readonly T[]): readonly T[] {
  if (value === undefined) return choices
  return value.split(',').map((name) => choices.find((choice) => choice === name) ?? fail(`--${option} takes ${choices.join(',')}; not ${name}`))
}

function positive(option: string, value: string | undefined, otherwise: number): number {
  const number = value === undefined ? otherwise : Number(value)
  return Number.isInteger(number) && number > 0 ? number : fail(`--${option} takes a number from 1; not ${value}`)
}

const comparison: CompareOptions = {
  architectures: chosen('arch', options.arch, ARCHITECTURES),
  // Engines of ours by their names only when asked for: one is the default one, the interpreter takes many times as long as all others.
  engines: options.engines === undefined ? PEERS.filter((name) => name === 'ours' || !OWN.includes(name)) : chosen('engines', options.engines, PEERS),
  prefixes: options.sections?.split(',').filter((prefix) => prefix !== '') ?? [],
  rounds: positive('rounds', options.rounds, options.quick ? 1 : ROUNDS),
  scale: positive('scale', options.scale, options.quick ? QUICK_SCALE : 100),
  limits: { bootSeconds: BOOT_SECONDS, sectionSeconds: positive('limit', options.limit, SECTION_SECONDS) },
  clock: options.clock === undefined ? 'wall' : (chosen('clock', options.clock, ['wall', 'processor'])[0] ?? 'wall'),
}
const onlyComparison = options.compare === true || [options.sections, options.engines, options.arch].some((option) => option !== undefined)

const machine = {
  processor: cpus()[0]?.model ?? 'unknown processor',
  cores: cpus().length,
  memoryMiB: Math.round(totalmem() / MIB),
  node: process.versions.node,
  system: `${process.platform} ${process.arch}`,
  loadBefore: load(),
}
say(`${machine.processor}, ${machine.cores} cores, ${machine.memoryMiB} MiB, Node ${machine.node}, ${machine.system}; load ${machine.loadBefore}\n`)

const rows: Row[] = []
function add(what: string, value: number | undefined, unit: string, note: string = ''): void {
  rows.push({ what, value, unit, note })
  const shown = value === undefined ? 'skipped' : `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`
  say(`${what.padEnd(66)} ${shown.padStart(14)}${note === '' ? '' : `   ${note}`}`)
}

const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'))
try {
  const build = spawnSync(process.execPath, [join(import.meta.dirname, 'build-cli.mjs')], { stdio: 'inherit', cwd: join(import.meta.dirname, '..') })
  if (build.status !== 0) throw new Error('the command line could not be built; run npm run setup')
  if (!onlyComparison) await ownFigures(add, folder, options.quick === true)
  const compared = options.own ? undefined : await compare(comparison, folder, say)
  const compareReport = compared && report(compared)
  if (compareReport) for (const line of lines(compareReport, comparison.engines)) say(line)
  const loadAfter = load()
  say(`\nload afterwards ${loadAfter}`)
  if (options.json !== undefined) {
    const runs = compared?.columns.map((column) => ({ ...column, runs: column.runs.map((run) => ({ ...run, sections: Object.fromEntries(run.sections) })) }))
    const result = { machine: { ...machine, loadAfter }, rows, comparison: compareReport && { options: comparison, ...compareReport, runs } }
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
