/** What a running VM is made with, and what can be asked of it in which state. */
import type { MachineConfig } from '../../machine/config'
import type { ThreadStats } from '../../machine/stats'
import type { VmSession } from '../library/vm-session'
import type { WorkerFactory } from '../vm-host'
import type { RunState } from './vm-events'

export type RunAction = 'pause' | 'unpause' | 'reset' | 'power-off' | 'shut-down-guest' | 'restart-guest'

export type RunStats = ThreadStats

export interface CdromChange {
  /** As vm.json has it: absolute, or relative to the VM's folder. undefined: none. */
  readonly file?: string | undefined
  readonly connected: boolean
  /** Also when the guest has locked the drive's tray. */
  readonly force?: boolean
}

export interface RunningVmOptions {
  readonly session: VmSession
  readonly machine: MachineConfig
  readonly workers: WorkerFactory
  readonly coreDirectory?: string
  /** Called when it is gone, before the observer hears. */
  readonly gone: () => void
}

export const ALLOWED: Readonly<Record<RunAction, readonly RunState['type'][]>> = {
  pause: ['running'],
  unpause: ['paused'],
  reset: ['running', 'paused', 'crashed'],
  'shut-down-guest': ['running'],
  'restart-guest': ['running'],
  'power-off': ['starting', 'running', 'paused', 'suspending', 'crashed'],
}
