/** One VM of the library while this process runs it. The full class follows; its face is settled. */
import type { DeviceStateView } from '../../machine/inspection/device-states'
import type { Inspection } from '../../machine/inspection/inspection'
import type { RegionSnapshot } from '../../cpu/engines/region-inspector'
import type { RegionList } from '../../machine/protocol'
import type { MachineStats } from '../../machine/stats'
import type { Result } from '../library/problem'
import type { VmJson } from '../library/vm-json/types'
import type { RunState } from './vm-events'

export type RunAction = 'pause' | 'unpause' | 'reset' | 'power-off' | 'shut-down-guest' | 'restart-guest'

/** What a machine counted, and what its thread costs the host. */
export interface RunStats extends MachineStats {
  /** Of the host's clock, since power-on (or resume). */
  readonly uptimeSeconds: number
  /** That the VM's thread has run on a host CPU; undefined: this host does not tell. */
  readonly hostCpuSeconds?: number
}

export interface RunningVm {
  readonly id: string
  readonly name: string
  /** Of its folder. */
  readonly path: string
  /** As it was at power-on, with the CDs that are in the drives now. */
  readonly config: VmJson
  readonly state: RunState
  /** false: not in this state. */
  act(action: RunAction): boolean
  /** Resolves when the state is on disk, or cannot be (then the VM goes on). */
  suspend(): Promise<Result<undefined>>
  key(code: string, pressed: boolean): void
  mouse(dx: number, dy: number, dz: number, buttons: number): void
  /** The last frame has been shown: the next may come. */
  frameShown(): void
  /** `port`: as in vm.json's list; only ports that are terminals. */
  serialInput(port: number, bytes: Uint8Array): void
  serialTaken(port: number, bytes: number): void
  serialBreak(port: number): void
  /** Such as "ctrl-alt-delete". false: there are no such keys, or nobody is there to press them. */
  sendKeys(chord: string): boolean
  typeText(text: string): Promise<{ readonly skipped: number }>
  /** PNG; at most `maxWidth` pixels wide. undefined: no machine. */
  screenshot(maxWidth?: number): Promise<Uint8Array | undefined>
  /** undefined: no machine, or a graphics mode. */
  screenText(): Promise<readonly string[] | undefined>
  /** `index`: in vm.json's cdroms. Changes the drive only; vm.json is the caller's to change. */
  setCdrom(index: number, cdrom: { readonly file?: string; readonly connected: boolean }): Promise<Result<undefined>>
  /** Writes the machine to a file, whole or not at all; it goes on (or stands still) as before. */
  saveState(path: string): Promise<Result<undefined>>
  stats(): Promise<RunStats | undefined>
  regions(count: number): Promise<RegionList | undefined>
  region(id: number): Promise<RegionSnapshot | undefined>
  inspect(): Promise<Inspection | undefined>
  deviceStates(): Promise<readonly DeviceStateView[] | undefined>
}
