import type { SavedState } from '../../devices/device'

/** An MSR as the guest wrote it. */
export type Msr = readonly [low: number, high: number]

export interface KvmState {
  systemTime: Msr
  wallClock: Msr
  stealTime: Msr
  pvEoi: Msr
  pollControl: number
  /** The flag of PV EOI is set, unless the guest has cleared it. */
  eoiOffered: boolean
  /** Milliseconds since 1970 at virtual time 0: later than the machine knows when it stood still meanwhile. */
  epochAtZero: number
}

export interface KvmStateV1 extends SavedState, Readonly<KvmState> {
  readonly schema: readonly ['kvm', 1]
}
