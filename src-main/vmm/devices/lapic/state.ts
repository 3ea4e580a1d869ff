export interface LapicTimerState {
  /** Timer mode bits of the LVT entry, as last applied. */
  mode: number
  initial: number
  divide: number
  /** Virtual time at which the count was started. */
  start: number
  /** IA32_TSC_DEADLINE. */
  tscDeadlineLow: number
  tscDeadlineHigh: number
}

/** Everything volatile in one local APIC but its timer. */
export interface LapicState {
  /** IA32_APIC_BASE. */
  baseLow: number
  baseHigh: number
  id: number
  tpr: number
  ldr: number
  dfr: number
  svr: number
  /** 256-bit registers as eight dwords each. */
  isr: number[]
  tmr: number[]
  irr: number[]
  esr: number
  /** Errors since the last write to ESR. */
  errors: number
  icrLow: number
  icrHigh: number
  lvt: number[]
  /** An ExtINT message (not LINT0) waits for its INTA cycle. */
  extIntPending: boolean
  lint0: boolean
  lint1: boolean
}

export interface LapicStateV1 extends Readonly<LapicState> {
  readonly schema: readonly ['lapic', 1]
  readonly timer: Readonly<LapicTimerState>
  readonly deadline: number | null
}
