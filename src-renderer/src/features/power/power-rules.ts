/** What may be done to a VM's power in which state. */
import { ALLOWED_POWER_ACTIONS, type PowerAction, type VmCard } from '../../../../src-main/ipc/contract'

export function isAllowed(vm: VmCard | undefined, action: PowerAction): boolean {
  if (!vm || !ALLOWED_POWER_ACTIONS[action].includes(vm.power.type)) return false
  return !(action === 'power-on' || action === 'power-on-to-firmware') || vm.problems.length === 0
}

/** It has a machine of this process's. */
export function isOn(vm: VmCard | undefined): boolean {
  return vm !== undefined && ['starting', 'running', 'paused', 'suspending', 'powering-off', 'crashed'].includes(vm.power.type)
}
