/** What Linux tells of a process: processor time, and memory that is really there. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const TICKS_A_SECOND = 100 // USER_HZ, on every Linux architecture that Node runs on
const PAGE = 4096
const KIB = 1024

export const hasProc: boolean = process.platform === 'linux'

/** Seconds of processor time, user and system, of all threads. */
export function processorSeconds(pid: number): number {
  // The second field, the name, may hold anything: what follows its last parenthesis is numbers.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * KIB
}

interface Mapping {
  readonly start: number
  readonly end: number
}

/** The readable and writable mapping of at least so many bytes: with a large guest, its linear memory. */
export function largestMapping(pid: number, atLeast: number): Mapping | undefined {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      return start !== undefined && end !== undefined ? [{ start: parseInt(start, 16), end: parseInt(end, 16) }] : []
    })
    .filter(({ start, end }) => end - start >= atLeast)
    .sort((a, b) => b.end - b.start - (a.end - a.start))[0]
}

/** Bytes of the range that have a page of RAM behind them. */
export function presentBytes(pid: number, start: number, bytes: number): number {
  const entries = Buffer.alloc((bytes / PAGE) * 8)
  const file = openSync(`/proc/${pid}/pagemap`, 'r')
  try {
    const read = readSync(file, entries, 0, entries.length, (start / PAGE) * 8)
    let present = 0
    for (let at = 7; at < read; at += 8) if ((entries[at] ?? 0) & 0x80) present++
    return present * PAGE
  } finally {
    closeSync(file)
  }
}
