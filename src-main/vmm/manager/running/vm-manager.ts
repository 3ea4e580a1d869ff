/** All VMs that this process runs. The full class follows; its face is settled. */
import type { Library } from '../library/library'
import type { Result } from '../library/problem'
import type { WorkerFactory } from '../vm-host'
import type { RunningVm } from './running-vm'
import type { RunObserver } from './vm-events'

export interface VmManagerOptions {
  readonly library: Library
  /** As logs name us. */
  readonly program: string
  readonly workers: WorkerFactory
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly coreDirectory?: string
}

export declare class VmManager {
  constructor(options: VmManagerOptions)
  running(id: string): RunningVm | undefined
  all(): readonly RunningVm[]
  /** Locks, checks and starts (or resumes) a VM. toFirmware: into the boot menu of the built-in firmware; a suspended VM is resumed all the same. */
  powerOn(path: string, observe: (vm: RunningVm) => RunObserver, options?: { readonly toFirmware?: boolean }): Promise<Result<RunningVm>>
}
