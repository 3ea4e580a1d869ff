/** Amounts of memory, and the memory slider's marks. */
import type { HostDescription } from '../../../../src-main/ipc/contract'
import { bytesText } from '../../ui/format'
import type { Needs } from './guests'

export function memoryText(mebibytes: number): string {
  return Number.isFinite(mebibytes) && mebibytes > 0 ? bytesText(mebibytes * 1024 ** 2) : '?'
}

const STOPS = [4, 8, 16, 32, 64, 128, 256, 384, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 6144, 8192, 12288, 16384, 32768, 65536, 131072]

/** Positions of the memory slider: what the board takes. */
export function memoryStops({ limits }: HostDescription): readonly number[] {
  const inside = STOPS.filter((stop) => stop >= limits.minMemoryMiB && stop < limits.maxMemoryMiB)
  return [...inside, limits.maxMemoryMiB]
}

export interface MemoryMarks {
  /** More would leave the host too little. */
  readonly maximum: number
  readonly recommended: number
  readonly minimum: number
}

/** A quarter of the host's memory, and at least 1 GB of it, is the host's own. */
export function memoryMarks(host: HostDescription, needs: Needs): MemoryMarks {
  const { minMemoryMiB, maxMemoryMiB } = host.limits
  const spare = host.memoryMiB - Math.max(1024, host.memoryMiB / 4)
  const inside = (amount: number): number => Math.min(maxMemoryMiB, Math.max(minMemoryMiB, amount))
  const maximum = inside(Math.floor(spare / 64) * 64)
  return { maximum, recommended: Math.min(maximum, inside(needs.memoryMiB)), minimum: inside(needs.minimumMiB) }
}
