import type { SavedState } from '../device'
import type { DacState } from './dac'
import type { DispiState } from './dispi'

/** Video memory is not in here: it is a block of the machine's memory and saved with the other blocks. */
export interface VgaStateV1 extends SavedState {
  readonly schema: readonly ['vga', 1]
  readonly seq: Uint8Array
  readonly seqIndex: number
  readonly gc: Uint8Array
  readonly gcIndex: number
  readonly crtc: Uint8Array
  readonly crtcIndex: number
  readonly attr: Uint8Array
  readonly attrIndex: number
  /** The next write to 3C0h is data. */
  readonly attrData: boolean
  readonly misc: number
  readonly feature: number
  readonly latch: number
  readonly dac: DacState
  readonly dispi: DispiState
}
