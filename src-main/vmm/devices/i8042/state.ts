import type { SavedState } from '../device'
import type { ScanCodeSet } from './key-codes'

export interface KeyboardState {
  readonly set: ScanCodeSet
  readonly scanning: boolean
  readonly leds: number
  readonly typematic: number
  /** Command whose parameter byte is awaited; 0: none. */
  readonly pendingCommand: number
  readonly lastSent: number
  readonly replies: readonly number[]
  readonly scans: readonly number[]
  /** The overflow code stands at the end of the queue and is not repeated until something was read. */
  readonly overflowed: boolean
  readonly pressed: readonly string[]
}

export interface MouseState {
  readonly id: 0 | 3 | 4
  readonly remote: boolean
  readonly wrap: boolean
  readonly reporting: boolean
  readonly scaling2to1: boolean
  readonly resolution: number
  readonly sampleRate: number
  /** The last three sample rates set, oldest first: the knock that turns the wheel on. */
  readonly knock: readonly number[]
  readonly pendingCommand: number
  readonly lastSent: number
  readonly replies: readonly number[]
  readonly packets: readonly number[]
  readonly dx: number
  readonly dy: number
  readonly dz: number
  readonly buttons: number
  /** Buttons as last reported to the guest. */
  readonly reportedButtons: number
}

export interface ControllerState {
  readonly ram: readonly number[]
  readonly outputPort: number
  readonly systemFlag: boolean
  readonly lastWriteWasCommand: boolean
  /** Command whose data byte is awaited at port 60h; 0: none. */
  readonly pendingCommand: number
  readonly data: number
  readonly outputFull: boolean
  readonly outputFromAux: boolean
  /** The byte came over a serial link: the next one follows with a gap after it was read. */
  readonly outputFromLink: boolean
  /** The controller's own answers that wait for the output buffer; bit 8: to be shown as from the auxiliary device. */
  readonly answers: readonly number[]
  readonly breakPrefix: boolean
  /** Virtual time (ns) before which no device byte enters the output buffer. */
  readonly readyAt: number
}

export interface I8042StateV1 extends SavedState {
  readonly schema: readonly ['i8042', 1]
  readonly controller: ControllerState
  readonly keyboard: KeyboardState
  readonly mouse: MouseState
}
