/** The typed mailbox between a machine's worker thread and whoever hosts it. Both unions are closed. */
import type { RegionSnapshot, RegionSummary } from '../cpu/engines/region-inspector'
import type { MachineConfig, MachineEnd } from './config'
import type { MachineStats } from './stats'

export type ToMachine =
  | { readonly kind: 'start'; readonly config: MachineConfig; readonly coreDirectory?: string }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'power-button' }
  | { readonly kind: 'key'; readonly code: string; readonly pressed: boolean }
  | { readonly kind: 'mouse'; readonly dx: number; readonly dy: number; readonly dz: number; readonly buttons: number }
  | { readonly kind: 'serial'; readonly bytes: Uint8Array }
  /** The last frame has been shown: the next may come. */
  | { readonly kind: 'frame-shown' }
  /** So many bytes of serial output have been taken. */
  | { readonly kind: 'serial-taken'; readonly bytes: number }
  /** Questions: answered between slices, with their number. */
  | { readonly kind: 'stats'; readonly question: number }
  /** The hottest regions of translated code. */
  | { readonly kind: 'regions'; readonly question: number; readonly count: number }
  /** One region, with what it was made from. */
  | { readonly kind: 'region'; readonly question: number; readonly id: number }

export interface FrameRect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** width * height * 4 bytes, RGBA, alpha 255. */
  readonly rgba: Uint8Array
}

export interface Frame {
  /** Of the whole screen. */
  readonly width: number
  readonly height: number
  readonly rects: readonly FrameRect[]
}

export interface RegionList {
  readonly engine: string
  /** undefined: the engine translates nothing. */
  readonly regions: readonly RegionSummary[] | undefined
}

/** To the question of its kind. */
export type MachineAnswer =
  | { readonly kind: 'stats'; readonly stats: MachineStats }
  | { readonly kind: 'regions'; readonly list: RegionList }
  /** undefined: it is not there any more. */
  | { readonly kind: 'region'; readonly region: RegionSnapshot | undefined }

export type FromMachine =
  | { readonly kind: 'state'; readonly state: 'running' | 'paused' }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'serial'; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly end: MachineEnd }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: MachineAnswer }
  /** The machine could not be made, or a bug stopped it. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
