export interface DebugExitStateV1 {
  readonly schema: readonly ['debug-exit', 1]
  /** Last value written, or null: kept for the inspector. */
  readonly last: number | null
}
