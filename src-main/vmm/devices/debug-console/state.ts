export interface DebugConsoleStateV1 {
  readonly schema: readonly ['debug-console', 1]
  readonly postCode: number
}
