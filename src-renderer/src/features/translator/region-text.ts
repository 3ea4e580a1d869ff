/** A region's figures in words. */
import type { RegionSummary } from '../../../../src-main/ipc/contract'
import { count } from '../../ui/figures'

const KIB = 1024

export const address = (region: RegionSummary): string => `0x${region.address.toString(16).padStart(8, '0')}`

export function mode({ codeBits, flat }: RegionSummary): string {
  return `${codeBits}-bit${flat && codeBits !== 64 ? ' flat' : ''}`
}

export function bytes(n: number): string {
  if (n < KIB) return `${n} bytes`
  return n < KIB * KIB ? `${(n / KIB).toFixed(1)} KiB` : `${(n / KIB / KIB).toFixed(1)} MiB`
}

export function milliseconds(n: number): string {
  return n < 10 ? `${n.toFixed(n < 1 ? 3 : 1)} ms` : `${Math.round(n)} ms`
}

/** A share of time. */
export function percent(share: number): string {
  const of100 = Math.max(0, share) * 100
  return `${of100 < 10 ? of100.toFixed(1) : Math.round(of100)} %`
}

/** As a screen reader says it. */
export function spoken(region: RegionSummary): string {
  const { instructions, wasmBytes, runs, linked } = region
  return `${address(region)}, ${mode(region)}, ${instructions} instructions, ${wasmBytes} bytes of WebAssembly, ${count(runs)} runs${linked ? '' : ', not linked'}`
}
