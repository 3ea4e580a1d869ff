/** 64-bit values are bigints at run time (nothing here is hot) and decimal text in a saved state. */
export interface HpetTimerState {
  config: number
  /** Value at which the timer fires next. */
  comparator: bigint
  /** Added after each match in periodic mode: the last value written. */
  period: bigint
  /** TN_VALUE_SET: the next comparator writes set the value too, not only the period. */
  setValue: boolean
  line: boolean
}

export interface SavedHpetTimer {
  readonly config: number
  readonly comparator: string
  readonly period: string
  readonly setValue: boolean
  readonly line: boolean
  readonly deadline: number | null
}

export interface HpetStateV1 {
  readonly schema: readonly ['hpet', 1]
  readonly config: number
  readonly status: number
  /** Main counter at `counterTime`, decimal; it stands while disabled. */
  readonly counter: string
  readonly counterTime: number
  readonly timers: readonly SavedHpetTimer[]
}
