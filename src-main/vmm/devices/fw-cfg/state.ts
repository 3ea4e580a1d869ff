import type { SavedState } from '../device'

/** Items come from the board's configuration and are not saved. */
export interface FwCfgStateV1 extends SavedState {
  readonly schema: readonly ['fw-cfg', 1]
  readonly key: number
  readonly offset: number
  readonly dmaHigh: number
}
