/** Everything volatile in one local APIC. */
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
  timerInitial: number
  timerDivide: number
  /** Virtual time at which the count was started. */
  timerStart: number
  /** IA32_TSC_DEADLINE. */
  tscDeadlineLow: number
  tscDeadlineHigh: number
  /** An ExtINT message (not LINT0) waits for its INTA cycle. */
  extIntPending: boolean
  lint0: boolean
  lint1: boolean
}

export interface LapicStateV1 extends Readonly<LapicState> {
  readonly schema: readonly ['lapic', 1]
  readonly deadline: number | null
}
