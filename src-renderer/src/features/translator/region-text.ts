/** A region's figures in words. */
import type { RegionSummary } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import { count } from '../../ui/figures'

export const address = (region: RegionSummary): string => `0x${region.address.toString(16).padStart(8, '0')}`

export function mode({ codeBits, flat }: RegionSummary): string {
  return i18n.global.t(`inspection.translator.modes.${flat && codeBits !== 64 ? 'flat' : 'plain'}`, { bits: codeBits })
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
  return i18n.global.t(`inspection.translator.${linked ? 'spoken' : 'spokenNotLinked'}`, { address: address(region), mode: mode(region), instructions, bytes: wasmBytes, runs: count(runs) })
}
