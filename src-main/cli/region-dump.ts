/** Translated code as text: --regions and --dump-region. */
import { reportRegion, writeAtomically, type Machine, type RegionReport, type RegionSnapshot, type RegionSummary } from '../vmm'
import type { RegionDump } from './options'

/** Writes what was asked for; dumps into one file follow one another. */
export async function writeRegionDumps(machine: Machine, dumps: readonly RegionDump[]): Promise<void> {
  const files = new Map<string | undefined, string[]>()
  for (const dump of dumps) {
    const text = await dumpText(machine, dump)
    const before = files.get(dump.path)
    if (before === undefined) files.set(dump.path, [text])
    else before.push(text)
  }
  for (const [path, texts] of files) {
    const text = texts.join('\n')
    if (path === undefined) process.stdout.write(`\n${text}`)
    else await writeAtomically(path, Buffer.from(text))
  }
}

async function dumpText(machine: Machine, { wanted, what }: RegionDump): Promise<string> {
  const { regions } = machine
  if (what.kind === 'list') return listText(regions?.hottestRegions(what.count) ?? [])
  const snapshots = what.kind === 'at' ? machine.regionsAt(what.address) : (regions?.hottestSnapshots(what.count) ?? [])
  if (snapshots.length === 0) return `${wanted}: no translated code${what.kind === 'at' ? ' has this address; see --regions' : ''}\n`
  const texts: string[] = []
  for (const snapshot of snapshots) texts.push(regionText(snapshot, await reportRegion(snapshot)))
  return texts.join('\n')
}

const hex = (n: number): string => `0x${n.toString(16)}`

function mode({ codeBits, flat }: RegionSummary): string {
  return `${codeBits}-bit${flat && codeBits !== 64 ? ' flat' : ''}`
}

const made = ({ hot }: RegionSummary): string => (hot ? 'generously' : 'sparingly')

const COLUMNS: readonly (readonly [heading: string, value: (region: RegionSummary) => string])[] = [
  ['address', ({ address }) => hex(address)],
  ['mode', mode],
  ['made', made],
  ['instructions', ({ instructions }) => String(instructions)],
  ['blocks', ({ blocks }) => String(blocks)],
  ['entries', ({ entries }) => String(entries)],
  ['x86 bytes', ({ codeBytes }) => String(codeBytes)],
  ['wasm bytes', ({ wasmBytes }) => String(wasmBytes)],
  ['runs', ({ runs }) => String(runs)],
  ['', ({ linked }) => (linked ? '' : 'unlinked')],
]

export function listText(regions: readonly RegionSummary[]): string {
  const rows = [COLUMNS.map(([heading]) => heading), ...regions.map((region) => COLUMNS.map(([, value]) => value(region)))]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => `${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('')
}

export function regionText(region: RegionSnapshot, report: RegionReport): string {
  const { address, instructions, blocks, entries, codeBytes, wasmBytes, runs, linked } = region
  const figures: readonly (readonly [string, string])[] = [
    ['instructions', `${instructions} in ${blocks} basic blocks; entered at ${entries}; made ${made(region)}`],
    ['x86 bytes', String(codeBytes)],
    ['wasm bytes', `${wasmBytes}; ${report.wasm.length} as a module of its own`],
    ['runs', `${runs} entries by the run loop${linked ? '' : '; unlinked now'}`],
    ['times', `${report.steps.map(({ name, milliseconds }) => `${name} ${milliseconds.toFixed(3)} ms`).join('; ')} (fastest of a few runs for this report)`],
  ]
  const section = (title: string, text: string): string => `---- ${title} ----\n${text.trimEnd()}\n`
  return [
    `==== region ${hex(address)} (${mode(region)}) ====\n${figures.map(([name, text]) => `${name.padEnd(14)}${text}\n`).join('')}`,
    section('x86', report.x86.join('\n')),
    ...report.passes.map(({ name, summary, text, lines }) => section(`IR after ${name}: ${summary}; ${lines} lines`, text)),
    section('WebAssembly', report.wasmText),
  ].join('\n')
}
