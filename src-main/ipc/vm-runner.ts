/** What the services need of the VMM's VmManager and its running VMs; tests bring their own. */
import type { Result, RunningVm, RunObserver } from '../vmm'

export type RunningMachine = { readonly [K in keyof RunningVm]: RunningVm[K] }

export interface VmRunner {
  powerOn(path: string, observe: (vm: RunningMachine) => RunObserver, options?: { readonly toFirmware?: boolean }): Promise<Result<unknown>>
}
