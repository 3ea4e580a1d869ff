import { VmmError } from '../errors/vmm-error'

/** Two claims for the same address: a mistake in the board, which names both. */
export interface ClaimConflict {
  readonly kind: 'pio' | 'mmio'
  readonly claim: string
  readonly with: string
  readonly first: number
  readonly last: number
}

/** To be called once when the board is complete: all conflicts of all buses in one error. */
export function assertNoConflicts(...buses: readonly { readonly conflicts: readonly ClaimConflict[] }[]): void {
  const conflicts = buses.flatMap((bus) => bus.conflicts)
  if (conflicts.length === 0) return
  const lines = conflicts.map((c) => `${c.kind} ${c.first.toString(16)}h-${c.last.toString(16)}h: '${c.claim}' and '${c.with}'`)
  throw new VmmError('internal/bug', `board: devices claim the same addresses: ${lines.join('; ')}`)
}

/** A range that comes and goes while the guest runs: a PCI BAR, a relocatable register block. */
export interface DynamicRange {
  remove(): void
}
