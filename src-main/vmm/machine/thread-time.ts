/** What the calling thread has cost the host. */
import { readFileSync } from 'node:fs'

/** Seconds on a CPU; undefined: this host does not tell. Linux: the first number is nanoseconds. */
export function threadCpuSeconds(): number | undefined {
  try {
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0])
    return Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : undefined
  } catch {
    return undefined
  }
}
