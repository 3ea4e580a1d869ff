/** The typed mailbox between a machine's worker thread and whoever hosts it. Both unions are closed. */
import type { RegionSnapshot, RegionSummary } from '../cpu/engines/region-inspector'
import type { MachineConfig, MachineEnd } from './config'
import type { DeviceStateView } from './inspection/device-states'
import type { Inspection } from './inspection/inspection'
import type { KeyEvent } from './key-typist'
import type { ThreadStats } from './stats'

/** Where a serial port leads. terminal: to the host, by messages. */
export type SerialPortSetup =
  | { readonly kind: 'terminal' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'tcp'; readonly port: number; readonly protocol: 'raw' | 'telnet' }
  | { readonly kind: 'none' }

export interface StartMessage {
  readonly kind: 'start'
  readonly config: MachineConfig
  /** COM1 upwards. */
  readonly serialPorts: readonly SerialPortSetup[]
  /** The saved machine to go on from. */
  readonly state?: string
  /** When the guest crashes: the machine ends, starts anew, or stands still to be looked into. */
  readonly onCrash: 'stop' | 'reset' | 'keep'
  /** Where a machine that a bug of ours stops is written, if that is still possible. */
  readonly rescue?: string
  readonly coreDirectory?: string
}

/** Answered between two slices, or while the machine stands still. */
export type Question =
  | { readonly kind: 'stats' }
  /** The hottest regions of translated code. */
  | { readonly kind: 'regions'; readonly count: number }
  /** One region, with what it was made from. */
  | { readonly kind: 'region'; readonly id: number }
  | { readonly kind: 'inspection' }
  | { readonly kind: 'device-states' }
  /** As PNG, made smaller when it is wider than that. */
  | { readonly kind: 'screenshot'; readonly maxWidth?: number }
  | { readonly kind: 'screen-text' }
  /** `drive`: among the CD drives. Without a path the drive becomes empty. */
  | { readonly kind: 'change-cdrom'; readonly drive: number; readonly path?: string; readonly force: boolean }
  /** What the guest shall be left with, by its balloon. */
  | { readonly kind: 'memory-target'; readonly bytes: number }
  /** Writes the machine to a file; `hold`: it stands still from then on, until 'run' or 'power-off'. */
  | { readonly kind: 'save'; readonly path: string; readonly hold: boolean }
export type QuestionKind = Question['kind']

export type Done = { readonly done: true } | { readonly done: false; readonly code: string; readonly message: string }

export interface Answers {
  readonly stats: ThreadStats
  readonly regions: RegionList
  /** undefined: it is not there any more. */
  readonly region: RegionSnapshot | undefined
  readonly inspection: Inspection
  readonly 'device-states': readonly DeviceStateView[]
  readonly screenshot: Uint8Array
  /** undefined: a graphics mode. */
  readonly 'screen-text': readonly string[] | undefined
  /** locked: the guest keeps the disc; it has been told that somebody wants it. */
  readonly 'change-cdrom': Done | { readonly done: false; readonly code: 'locked' }
  /** false: there is no balloon. */
  readonly 'memory-target': boolean
  readonly save: Done
}

export type ToMachine =
  | StartMessage
  /** After 'ready', and after a save that holds. */
  | { readonly kind: 'run' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'power-button' }
  | { readonly kind: 'key'; readonly code: string; readonly pressed: boolean }
  /** At a pace that the guest can follow. */
  | { readonly kind: 'type'; readonly events: readonly KeyEvent[] }
  | { readonly kind: 'type-text'; readonly text: string }
  | { readonly kind: 'mouse'; readonly dx: number; readonly dy: number; readonly dz: number; readonly buttons: number }
  | { readonly kind: 'serial'; readonly port: number; readonly bytes: Uint8Array }
  | { readonly kind: 'serial-break'; readonly port: number }
  /** The last frame has been shown: the next may come. */
  | { readonly kind: 'frame-shown' }
  /** So many bytes of a port's output have been taken. */
  | { readonly kind: 'serial-taken'; readonly port: number; readonly bytes: number }
  | { readonly kind: 'ask'; readonly number: number; readonly question: Question }

export interface FrameRect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** See backends/display/packed-pixels.ts. In a buffer of their own. */
  readonly packed: Uint32Array<ArrayBuffer>
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

export type FromMachine =
  /** The machine is made (and its saved state loaded); it waits for 'run' or 'power-off'. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'state'; readonly state: 'running' | 'paused' }
  /** By its guest; what happens then is as onCrash says. */
  | { readonly kind: 'crashed'; readonly end: MachineEnd }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'serial'; readonly port: number; readonly bytes: Uint8Array }
  /** Devices that were busy of late, at most four times a second: "disk-0", "demo-disk", "cdrom-0", "serial-0", "screen", "input". */
  | { readonly kind: 'activity'; readonly devices: readonly string[] }
  /** Of a save. */
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'log'; readonly level: 'warning' | 'error'; readonly message: string }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Answers[QuestionKind] }
  /** It has ended and closes its files, which may take as long as the host's disk does. */
  | { readonly kind: 'closing' }
  /** `picture`: of its last screen, PNG. */
  | { readonly kind: 'ended'; readonly end: MachineEnd; readonly picture: Uint8Array }
  /** The machine could not be made, or a bug stopped it. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly picture?: Uint8Array }
