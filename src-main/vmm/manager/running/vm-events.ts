/** What a VM that this process runs tells about itself. */
import type { MachineEnd } from '../../machine/config'
import type { Frame } from '../../machine/protocol'
import type { Problem } from '../library/problem'

/**
 * Of a VM in this process.
 *   starting -> running <-> paused -> suspending -> (gone);   running, paused -> powering-off -> (gone);   crashed: the machine stands still, and can be looked into.
 * "Gone" is the event onEnd; what the VM is then (powered off, suspended) the library tells from its files.
 */
export type RunState =
  | { readonly type: 'starting'; readonly resuming: boolean }
  | { readonly type: 'running' }
  | { readonly type: 'paused' }
  | { readonly type: 'suspending'; readonly progress?: { readonly done: number; readonly total: number } }
  | { readonly type: 'powering-off' }
  | { readonly type: 'crashed'; readonly end: MachineEnd }

/** Why it is gone. */
export type RunEnd =
  | { readonly type: 'powered-off'; readonly end: MachineEnd }
  | { readonly type: 'suspended' }
  /** Its thread died, or its machine could not be made: a bug, or something that it needs is not there. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly problem?: Problem }

export interface RunObserver {
  onState(state: RunState): void
  onFrame(frame: Frame): void
  /** A machine was made anew (reset does not): what was on the screen and the lines is void. */
  onPowerOn(): void
  onSerial(port: number, bytes: Uint8Array): void
  /** Names of devices that were busy, at most four times a second: "disk-0", "cdrom-0", "serial-0". */
  onActivity(devices: readonly string[]): void
  /** The last event. Its files are closed and its lock is free. */
  onEnd(end: RunEnd): void
}
