/** Rates of a running VM: two samples of its totals make one. Kept for the charts, bounded. */
import type { VmStats } from '../../../../src-main/ipc/contract'

export interface RatePoint {
  /** Seconds since 1970, as charts take it. */
  readonly at: number
  /** Per second. */
  readonly instructions: number
  /** 1 is a whole core; undefined: the host does not tell. */
  readonly cpu: number | undefined
  readonly exits: number
  readonly interrupts: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly touchedBytes: number
}

/** Two minutes at twice a second. */
export const KEPT_POINTS = 240

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly stats: VmStats
}

export const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

/** undefined: the two are not of the same machine, or too close. */
export function rateBetween(before: Sample, now: Sample): RatePoint | undefined {
  const seconds = (now.at - before.at) / 1000
  if (seconds <= 0 || now.stats.instructions < before.stats.instructions) return undefined
  const per = (of: (stats: VmStats) => number): number => Math.max(0, (of(now.stats) - of(before.stats)) / seconds)
  const drives = (key: 'readBytes' | 'writtenBytes') => (stats: VmStats): number => stats.disks.reduce((total, disk) => total + disk[key], 0)
  return {
    at: now.at / 1000,
    instructions: per(({ instructions }) => instructions),
    cpu: now.stats.hostCpuSeconds === undefined ? undefined : per(({ hostCpuSeconds }) => hostCpuSeconds ?? 0),
    exits: per(({ exits }) => sum(exits)),
    interrupts: per(({ interrupts }) => sum(interrupts)),
    readBytes: per(drives('readBytes')),
    writtenBytes: per(drives('writtenBytes')),
    touchedBytes: now.stats.memory.touchedBytes,
  }
}

/** Totals with what was added per second, the most frequent first. */
export function withRates(before: Readonly<Record<string, number>> | undefined, now: Readonly<Record<string, number>>, seconds: number): readonly { readonly name: string; readonly total: number; readonly rate: number }[] {
  return Object.entries(now)
    .map(([name, total]) => ({ name, total, rate: before && seconds > 0 ? Math.max(0, total - (before[name] ?? 0)) / seconds : 0 }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total)
}
