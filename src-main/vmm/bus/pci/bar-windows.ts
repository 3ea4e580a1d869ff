import type { MemoryBlock, PhysicalMap } from '../../memory/guest-memory'
import { gpa, type Gpa } from '../../support/branded'

/** What BARs of plain memory need of the guest-physical map. */
export interface RamWindowMap extends PhysicalMap {
  /** Nothing is mapped in the range. */
  isFree(address: Gpa, bytes: number): boolean
}

export interface RamWindow {
  readonly address: number
  readonly block: MemoryBlock
  readonly bytes: number
}

/**
 * Memory BARs that the guest reaches without exits. The guest chooses the addresses, so a window appears only where nothing else is: RAM and
 * ROM of the board win, and of two windows at one place the first.
 */
export class BarWindows {
  private wanted = new Map<string, RamWindow>()
  private mapped = new Map<string, RamWindow>()

  constructor(private readonly map: RamWindowMap) {}

  /** Sets or removes the window of a BAR. */
  set(key: string, window: RamWindow | undefined): void {
    const old = this.wanted.get(key)
    if (old?.address === window?.address && old?.block === window?.block) return
    if (window === undefined) this.wanted.delete(key)
    else this.wanted.set(key, window)
    const active = this.mapped.get(key)
    if (active !== undefined) {
      this.map.unmap(gpa(active.address), active.bytes)
      this.mapped.delete(key)
    }
    // Also windows that had to stand back before.
    for (const [name, candidate] of this.wanted) {
      if (this.mapped.has(name) || !this.map.isFree(gpa(candidate.address), candidate.bytes)) continue
      this.map.map(gpa(candidate.address), candidate.block, 0, candidate.bytes)
      this.mapped.set(name, candidate)
    }
  }

  /** Where a window is visible now. */
  addressOf(key: string): number | undefined {
    return this.mapped.get(key)?.address
  }
}
