/** The driver writes a queue's 64-bit addresses in halves. */
import type { QueueAddresses } from '../virtqueue/split-virtqueue'

const FOUR_GIB = 0x100000000
/** Exact up to 2^53; what lies higher is no memory anyway, and is refused when the queue is enabled. */
const MAX_HIGH = 0x1fffff

export const lowWord = (address: number = 0): number => address % FOUR_GIB
export const highWord = (address: number = 0): number => Math.floor(address / FOUR_GIB)

export function setHalf(addresses: QueueAddresses, part: keyof QueueAddresses, half: 'low' | 'high', value: number): void {
  const old = addresses[part]
  addresses[part] = half === 'low' ? highWord(old) * FOUR_GIB + value : Math.min(value, MAX_HIGH) * FOUR_GIB + lowWord(old)
}
