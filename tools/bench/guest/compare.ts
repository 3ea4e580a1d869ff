/** Rounds of runs, interleaved so that a busy minute of the host meets every engine, and what came out of them. */
import type { Architecture } from '../../../e2e/guests/images/files'
import { peers, type PeerName } from './peers'
import { buildGuestProgram, sectionNames, type GuestProgram } from './program'
import { runGuest, type BenchClock, type GuestRun, type Limits } from './run'

export interface CompareOptions {
  readonly architectures: readonly Architecture[]
  readonly engines: readonly PeerName[]
  readonly prefixes: readonly string[]
  readonly rounds: number
  readonly scale: number
  readonly limits: Limits
  readonly clock: BenchClock
}

/** One engine with one architecture, over all rounds. */
export interface Column {
  readonly architecture: Architecture
  readonly engine: PeerName
  /** Why there is nothing. */
  readonly missing: string | undefined
  readonly runs: GuestRun[]
}

export interface Comparison {
  readonly options: CompareOptions
  /** All sections that were asked for, in order. */
  readonly sections: readonly string[]
  readonly columns: readonly Column[]
}

/** A column and what runs for it; without a guest, the column says why. */
interface Lane {
  readonly guest: GuestProgram | undefined
  readonly column: Column
}

export async function compare(options: CompareOptions, folder: string, say: (line: string) => void): Promise<Comparison> {
  const sections = new Set<string>()
  const lanes = options.architectures.flatMap((architecture): Lane[] => {
    const engines = options.engines.filter((engine) => peers[engine].architectures.includes(architecture))
    try {
      const guest = buildGuestProgram(architecture)
      for (const name of sectionNames(guest)) if (options.prefixes.length === 0 || options.prefixes.some((prefix) => name.startsWith(prefix))) sections.add(name)
      return engines.map((engine) => ({ guest, column: column(architecture, engine, peers[engine].missing(architecture)) }))
    } catch (error) {
      const missing = error instanceof Error ? error.message.trim() : String(error)
      say(`${architecture}: the guest could not be built: ${missing}`)
      return engines.map((engine) => ({ guest: undefined, column: column(architecture, engine, missing) }))
    }
  })
  for (let round = 0; round < options.rounds; round++) {
    for (const { guest, column } of rotated(lanes, round)) {
      if (!guest || column.missing !== undefined) continue
      const start = performance.now()
      const command = peers[column.engine].command({ guest, scale: options.scale, prefixes: options.prefixes }, folder)
      // A native program has ended before its output is read, and its children's time is not its own.
      const run = await runGuest(command, folder, options.limits, column.engine === 'native' ? 'wall' : options.clock)
      column.runs.push(run)
      say(`round ${round + 1} of ${options.rounds}, ${column.architecture}, ${peers[column.engine].label}: ${summary(run, (performance.now() - start) / 1000)}`)
    }
  }
  return { options, sections: [...sections], columns: lanes.map((lane) => lane.column) }
}

function column(architecture: Architecture, engine: PeerName, missing: string | undefined): Column {
  return { architecture, engine, missing, runs: [] }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length]!)
}

function summary({ sections, failure, kernelToInit, mips }: GuestRun, seconds: number): string {
  const parts = [`${sections.size} sections`, `${seconds.toFixed(1)} s in all`]
  if (kernelToInit !== undefined) parts.push(`kernel to /init ${kernelToInit.toFixed(2)} s`)
  if (mips !== undefined) parts.push(`${mips.toFixed(0)} MIPS`)
  return `${parts.join(', ')}${failure === undefined ? '' : `; FAILED: ${failure}`}`
}
