/** How a change of a VM's power is asked for. */
import { watch } from 'vue'
import type { PowerAction, VmCard } from '../../../../src-main/ipc/contract'
import { api, valueOf } from '../../api/client'
import { useDialogsStore } from '../../stores/dialogs'
import { useMessagesStore } from '../../stores/messages'
import { usePreferencesStore } from '../../stores/preferences'
import { useTabsStore } from '../../stores/tabs'
import { useLibraryStore } from '../../stores/library'
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

/** From another process into this window: suspended there, resumed here. */
export function continueHere({ id }: VmCard): void {
  useMessagesStore().attempt(async () => {
    await valueOf(api.requests['vm.power']({ vm: id, action: 'suspend' }))
    // That process lets go of it a moment later.
    const free = await new Promise<VmCard | undefined>((resolve) => {
      const stop = watch(() => useLibraryStore().vm(id), (vm) => {
        if (vm?.power.type === 'in-use') return
        resolve(vm)
        void Promise.resolve().then(() => stop())
      }, { immediate: true })
    })
    if (free?.power.type === 'suspended') carryOut([free], 'power-on')
  })
}
