/** How a change of a VM's power is asked for. */
import type { PowerAction, VmCard } from '../../../../src-main/ipc/contract'
import { api, valueOf } from '../../api/client'
import { useDialogsStore } from '../../stores/dialogs'
import { useMessagesStore } from '../../stores/messages'
import { usePreferencesStore } from '../../stores/preferences'
import { useTabsStore } from '../../stores/tabs'
import { isAllowed } from './power-rules'

/** Asks where the user wants to be asked. */
export function actOnPower(vms: readonly VmCard[], action: PowerAction): void {
  const { preferences } = usePreferencesStore()
  const able = vms.filter((vm) => isAllowed(vm, action))
  if (able.length === 0) return
  const question = action === 'power-off' && preferences.confirmPowerOff ? 'power-off' : action === 'reset' && preferences.confirmReset ? 'reset' : undefined
  if (question) useDialogsStore().open({ kind: 'confirm', question, vms: able })
  else carryOut(able, action)
}

export function carryOut(vms: readonly VmCard[], action: PowerAction): void {
  const tabs = useTabsStore()
  for (const vm of vms) {
    useMessagesStore().attempt(async () => {
      await valueOf(api.requests['vm.power']({ vm: vm.id, action }))
      // Who powers a VM on wants to see it.
      if ((action === 'power-on' || action === 'power-on-to-firmware') && vms.length === 1) tabs.openVm(vm.id, 'console')
    })
  }
}
