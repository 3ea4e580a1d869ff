export interface RtcStateV1 {
  readonly schema: readonly ['rtc-mc146818', 1]
  /** All 128 bytes as last written; time bytes are current only while the clock stands (B.SET or divider reset). */
  readonly cmos: Uint8Array
  readonly index: number
  readonly nmiMasked: boolean
  /** Seconds since 1970 (the guest's calendar) at virtual time `baseTime`; the clock's second boundary lies there. */
  readonly baseSeconds: number
  readonly baseTime: number
  /** The clock stands: B.SET, or the divider is in reset. */
  readonly stopped: boolean
  /** Flags of register C without IRQF. */
  readonly flags: number
  /** Up to where seconds were looked at for update and alarm flags (guest seconds), and periodic ticks (count since virtual time 0). */
  readonly seenSecond: number
  readonly seenTick: number
  readonly periodicDeadline: number | null
  readonly secondDeadline: number | null
}
