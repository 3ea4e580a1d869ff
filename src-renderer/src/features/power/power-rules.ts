/** What may be done to a VM's power in which state. */
import { allowsPowerAction, type PowerAction, type VmCard } from '../../../../src-main/ipc/contract'

export function isAllowed(vm: VmCard | undefined, action: PowerAction): boolean {
  if (!vm || !allowsPowerAction(vm.power, action)) return false
  return !(action === 'power-on' || action === 'power-on-to-firmware') || vm.problems.length === 0
}

/** It has a machine of this process's. */
export function isOn(vm: VmCard | undefined): boolean {
  return vm !== undefined && ['starting', 'running', 'paused', 'suspending', 'powering-off', 'crashed'].includes(vm.power.type)
}

/** Here or in another process. */
export function isOnAnywhere(vm: VmCard | undefined): boolean {
  return isOn(vm) || vm?.power.type === 'in-use'
}

/** Its last run ended in a way that has to be told. */
export function endedBadly({ power }: VmCard): boolean {
  if (power.type === 'failed' || power.type === 'crashed') return true
  return power.type === 'powered-off' && (power.lastEnd?.cause === 'triple-fault' || power.lastEnd?.cause === 'unimplemented')
}

/** What it is doing, here or in another process that tells. */
export function doing(vm: VmCard | undefined): VmCard['power']['type'] | undefined {
  return vm?.power.type === 'in-use' ? (vm.power.state ?? 'in-use') : vm?.power.type
}
