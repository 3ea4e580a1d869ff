import type { Width } from './width'

export interface TracedAccess {
  readonly kind: 'pio' | 'mmio'
  readonly write: boolean
  readonly address: number
  readonly width: Width
  readonly value: number
  /** 'device/claim', or undefined when nobody answered. */
  readonly owner: string | undefined
  /** Why the device refused, if it did. */
  readonly fault: string | undefined
}

/** The last accesses of a machine, for the inspector: a ring of fixed size. */
export class AccessTrace {
  private readonly ring: TracedAccess[] = []
  private next = 0
  /** Accesses seen, those overwritten included. */
  seen = 0

  constructor(private readonly capacity: number = 4096) {}

  record(access: TracedAccess): void {
    this.ring[this.next] = access
    this.next = (this.next + 1) % this.capacity
    this.seen++
  }

  /** Oldest first. */
  list(): readonly TracedAccess[] {
    return this.ring.length < this.capacity ? [...this.ring] : [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)]
  }

  clear(): void {
    this.ring.length = 0
    this.next = 0
  }
}
