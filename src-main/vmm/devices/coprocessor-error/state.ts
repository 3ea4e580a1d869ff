import type { SavedState } from '../device'

export interface CoprocessorErrorStateV1 extends SavedState {
  readonly schema: readonly ['coprocessor-error', 1]
  readonly pending: boolean
}
