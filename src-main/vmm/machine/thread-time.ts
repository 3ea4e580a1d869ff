/** What the calling thread has cost the host, and what the host has kept from it. */
import { readFileSync } from 'node:fs'

/** Seconds on a CPU; undefined: this host does not tell. */
export function threadCpuSeconds(): number | undefined {
  const nanoseconds = schedulerFigure(0)
  return nanoseconds === undefined ? undefined : nanoseconds / 1e9
}

/** Nanoseconds in which the thread could have run, but others did; undefined: this host does not tell. */
export function threadWaitNs(): number | undefined {
  return schedulerFigure(1)
}

/** Linux: nanoseconds on a CPU, nanoseconds waiting for one, number of times on one. */
function schedulerFigure(index: 0 | 1): number | undefined {
  try {
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 2)[index])
    return Number.isFinite(nanoseconds) ? nanoseconds : undefined
  } catch {
    return undefined
  }
}
