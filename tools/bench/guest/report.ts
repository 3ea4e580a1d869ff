/** From runs to medians, ratios and the table of targets. */
import type { Architecture } from '../../../e2e/guests/images/files'
import type { Column, Comparison } from './compare'
import { OWN, peers, type PeerName } from './peers'
import type { GuestRun } from './run'

interface TargetRow {
  readonly what: string
  readonly groups: readonly string[]
  /** How many times as fast as the peer: the peer's time by ours. */
  readonly v86: number
  readonly qemu: number
}

/** What a boot is called among the sections. */
export const BOOT = 'boot/kernel-to-init'
export const PROCESS_BOOT = 'boot/process-to-init'

const TARGETS: readonly TargetRow[] = [
  { what: 'integer and pointer sections', groups: ['integer', 'pointer'], v86: 2, qemu: 1 },
  { what: 'SSE2 floating point', groups: ['sse'], v86: 4, qemu: 4 },
  { what: 'x87 floating point, exact', groups: ['x87'], v86: 1, qemu: 1 },
  { what: 'system calls, fork/exec, pipes, page faults', groups: ['system'], v86: 2, qemu: 0.8 },
  { what: 'memory copy and fill, sha256, gzip', groups: ['memory'], v86: 2, qemu: 1 },
  { what: 'kernel start to first user instruction', groups: [BOOT], v86: 2, qemu: 1 / 1.2 },
]

export interface Measured {
  /** Median over the rounds in which it was reached. */
  readonly seconds: number | undefined
  readonly checksums: readonly string[]
  /** It computed something else than the others. */
  readonly wrong?: boolean
  /** Why there is no figure, or what is wrong with it. */
  readonly note: string | undefined
}

export interface DetailRow {
  readonly architecture: Architecture
  readonly section: string
  readonly measured: Readonly<Partial<Record<PeerName, Measured>>>
}

export interface GroupRow {
  readonly what: string
  readonly architecture: Architecture
  readonly peer: PeerName
  /** Geometric mean of peer's time by ours, undefined when there is nothing to compare. */
  readonly ratio: number | undefined
  readonly sections: number
  readonly target: number | undefined
  readonly met: boolean | undefined
  readonly note: string | undefined
}

export interface Report {
  /** The engine that the others are compared with. */
  readonly subject: PeerName
  readonly groups: readonly GroupRow[]
  readonly detail: readonly DetailRow[]
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 1 || low === undefined || high === undefined ? high : (low + high) / 2
}

export function geometricMean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

export function report(comparison: Comparison): Report {
  const { engines, architectures } = comparison.options
  const subject = OWN.find((name) => engines.includes(name)) ?? engines[0] ?? 'ours'
  const detail = architectures.flatMap((architecture) => [BOOT, PROCESS_BOOT, ...comparison.sections].map((section) => detailRow(comparison, architecture, section)))
  const groups = TARGETS.flatMap((target) =>
    architectures.flatMap((architecture) =>
      engines
        .filter((peer) => peer !== subject && [peer, subject].every((engine) => comparison.columns.some((column) => column.engine === engine && column.architecture === architecture)))
        .filter((peer) => peer !== 'native' || !target.groups.includes(BOOT))
        .map((peer) => groupRow(target, architecture, subject, peer, detail))
        .filter((row) => row.sections > 0),
    ),
  )
  return { subject, groups, detail }
}

function detailRow({ columns }: Comparison, architecture: Architecture, section: string): DetailRow {
  const measured = columns.filter((column) => column.architecture === architecture).map((column) => [column.engine, measure(column, section)] as const)
  const reference = measured.map(([, { checksums }]) => checksums[0]).find((checksum) => checksum !== undefined)
  const checked = measured.map(([engine, value]) => [engine, value.checksums.every((checksum) => checksum === reference) ? value : { ...value, wrong: true, note: `checksum ${value.checksums.join(', ')} instead of ${reference}` }])
  return { architecture, section, measured: Object.fromEntries(checked) }
}

function measure({ runs, missing, engine }: Column, section: string): Measured {
  if (missing !== undefined) return { seconds: undefined, checksums: [], note: missing }
  if (section === BOOT || section === PROCESS_BOOT) {
    if (engine === 'native') return { seconds: undefined, checksums: [], note: 'boots nothing' }
    const pick = ({ kernelToInit, processToInit }: GuestRun): number | undefined => (section === BOOT ? kernelToInit : processToInit)
    return { seconds: median(runs.map(pick).filter((value) => value !== undefined)), checksums: [], note: failureOf(runs.filter((run) => pick(run) === undefined)) }
  }
  const results = runs.map((run) => run.sections.get(section))
  const there = results.filter((result) => result !== undefined)
  const checksums = [...new Set(there.map((result) => result.checksum))]
  return { seconds: median(there.map((result) => result.seconds)), checksums, note: failureOf(runs.filter((_, i) => results[i] === undefined)) }
}

function failureOf(runs: readonly GuestRun[]): string | undefined {
  return runs.length === 0 ? undefined : `${runs.length} without it: ${runs[0]?.failure ?? 'not reached'}`
}

function groupRow(target: TargetRow, architecture: Architecture, subject: PeerName, peer: PeerName, detail: readonly DetailRow[]): GroupRow {
  const rows = detail.filter((row) => row.architecture === architecture && target.groups.some((group) => row.section === group || row.section.startsWith(`${group}/`)))
  const ratios = rows.map((row) => ratioOf(row, subject, peer)).filter((value) => value !== undefined)
  const ratio = geometricMean(ratios)
  const noted = rows.flatMap((row) => [row.measured[subject], row.measured[peer]]).filter((value) => value?.note !== undefined)
  const mark = !OWN.includes(subject) ? undefined : peer === 'v86' ? target.v86 : peer === 'qemu' ? target.qemu : undefined
  // A target is met by all of its sections, rightly computed, not by those that happened to run.
  const met = ratio === undefined || mark === undefined ? undefined : ratio >= mark && ratios.length === rows.length && !noted.some((value) => value?.wrong)
  return { what: target.what, architecture, peer, ratio, sections: rows.length, target: mark, met, note: noted[0]?.note }
}

export function ratioOf({ measured }: DetailRow, subject: PeerName, peer: PeerName): number | undefined {
  const [own, other] = [measured[subject]?.seconds, measured[peer]?.seconds]
  // Below the clock's resolution nothing can be said.
  return own === undefined || other === undefined || own === 0 || other === 0 ? undefined : other / own
}

/** The report as text. */
export function lines({ subject, groups, detail }: Report, engines: readonly PeerName[]): string[] {
  const others = engines.filter((engine) => engine !== subject)
  const output: string[] = []
  const label = (engine: PeerName): string => peers[engine].label
  output.push('', `${label(subject)} against the others: how many times as fast, geometric means`)
  for (const row of groups) {
    const ratio = row.ratio === undefined ? '     -' : row.ratio.toFixed(2).padStart(6)
    const target = row.target === undefined ? '' : `   target ${row.target.toFixed(2)}: ${row.met === undefined ? 'not measured' : row.met ? 'met' : 'MISSED'}`
    const note = row.note === undefined || row.peer === 'native' ? '' : `   (${row.note})`
    output.push(`  ${row.what.padEnd(46)} ${row.architecture.padEnd(6)} ${label(row.peer).padEnd(12)} ${ratio}${target}${note}`)
  }
  for (const architecture of new Set(detail.map((row) => row.architecture))) {
    output.push('', `${architecture}: seconds (medians), then how many times as fast ${label(subject)} is`)
    output.push(`  ${'section'.padEnd(24)}${[subject, ...others].map((engine) => label(engine).padStart(12)).join('')}  ${others.map((engine) => `/${label(engine)}`.padStart(12)).join('')}`)
    for (const row of detail) {
      if (row.architecture !== architecture) continue
      const times = [subject, ...others].map((engine) => (row.measured[engine]?.seconds?.toFixed(3) ?? '-').padStart(12)).join('')
      const ratios = others.map((engine) => (ratioOf(row, subject, engine)?.toFixed(2) ?? '-').padStart(12)).join('')
      output.push(`  ${row.section.padEnd(24)}${times}  ${ratios}`)
    }
    output.push(...noteLines(detail.filter((row) => row.architecture === architecture)).map((line) => `  ${line}`))
  }
  return output
}

/** Each note once, with the sections that it is about. */
function noteLines(rows: readonly DetailRow[]): string[] {
  const notes = new Map<string, string[]>()
  for (const { section, measured } of rows) {
    for (const [engine, value] of Object.entries(measured)) {
      if (value.note === undefined || value.note === 'boots nothing') continue
      const text = `${peers[engine as PeerName].label}: ${value.note}`
      notes.set(text, [...(notes.get(text) ?? []), section])
    }
  }
  return [...notes].map(([text, sections]) => (sections.length === rows.length ? text : `${text} [${sections.length > 4 ? `${sections.slice(0, 4).join(', ')} ...` : sections.join(', ')}]`))
}
