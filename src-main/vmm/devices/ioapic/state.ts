export interface IoApicStateV1 {
  readonly schema: readonly ['ioapic', 1]
  readonly id: number
  readonly select: number
  /** Levels of the pins, one bit each. */
  readonly lines: number
  /** Redirection table: low and high dwords. */
  readonly low: readonly number[]
  readonly high: readonly number[]
}
