/** What the services need of the VMM's VmManager and its running VMs; tests bring their own. */
import type { Result, RunningVm, RunObserver } from '../vmm'

export type RunningMachine = Pick<
  RunningVm,
  | 'id' | 'name' | 'path' | 'config' | 'state' | 'act' | 'suspend' | 'key' | 'mouse' | 'frameShown' | 'serialInput' | 'serialTaken' | 'serialBreak' | 'sendKeys' | 'typeText'
  | 'screenshot' | 'screenText' | 'setCdrom' | 'stats' | 'regions' | 'region' | 'inspect' | 'deviceStates'
>

export interface VmRunner {
  powerOn(path: string, observe: (vm: RunningMachine) => RunObserver, options?: { readonly toFirmware?: boolean }): Promise<Result<unknown>>
}
