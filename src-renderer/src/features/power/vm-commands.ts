/** The commands on one VM: of the menu bar and the toolbar for the VM whose tab is shown, of context menus for the one under the pointer. */
import type { PowerAction, VmCard } from '../../../../src-main/ipc/contract'
import { api, answered, valueOf } from '../../api/client'
import { i18n } from '../../i18n'
import type { Command } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useMessagesStore } from '../../stores/messages'
import { useTabsStore } from '../../stores/tabs'
import type { IconName } from '../../ui/icons'
import { actOnPower } from './power-actions'
import { doing, isAllowed, isOnAnywhere } from './power-rules'

const { t } = i18n.global

export function vmCommands(target: () => VmCard | undefined): readonly Command[] {
  const messages = useMessagesStore()
  const dialogs = useDialogsStore()
  const tabs = useTabsStore()
  const withVm = (work: (vm: VmCard) => void) => (): void => {
    const vm = target()
    if (vm) work(vm)
  }
  const power = (id: string, action: PowerAction, text: () => string, icon?: IconName, keys?: string): Command => ({
    id, text, ...(icon ? { icon } : {}), ...(keys ? { keys } : {}),
    enabled: () => isAllowed(target(), action),
    run: withVm((vm) => actOnPower([vm], action)),
  })
  return [
    power('vm.power-on', 'power-on', () => t(target()?.power.type === 'suspended' ? 'power.commands.resume' : 'power.commands.powerOn'), 'power-on', 'Ctrl+B'),
    power('vm.power-off', 'power-off', () => t('power.commands.powerOff'), 'power-off', 'Ctrl+E'),
    power('vm.suspend', 'suspend', () => t('power.commands.suspend'), 'suspend', 'Ctrl+J'),
    power('vm.reset', 'reset', () => t('power.commands.reset'), 'reset', 'Ctrl+R'),
    power('vm.shut-down-guest', 'shut-down-guest', () => t('power.commands.shutDownGuest'), 'shut-down'),
    power('vm.restart-guest', 'restart-guest', () => t('power.commands.restartGuest'), 'restart'),
    power('vm.power-on-to-firmware', 'power-on-to-firmware', () => t('power.commands.toFirmware')),
    {
      id: 'vm.pause',
      text: () => t(doing(target()) === 'paused' ? 'power.commands.unpause' : 'power.commands.pause'),
      icon: 'pause',
      keys: 'Ctrl+Shift+P',
      enabled: () => isAllowed(target(), 'pause') || isAllowed(target(), 'unpause'),
      run: withVm((vm) => actOnPower([vm], doing(vm) === 'paused' ? 'unpause' : 'pause')),
    },
    { id: 'vm.settings', text: () => t('shell.vm.settings'), icon: 'settings', keys: 'Ctrl+D', enabled: () => target() !== undefined, run: withVm((vm) => dialogs.open({ kind: 'settings', vm: vm.id })) },
    { id: 'vm.open-folder', text: () => t('shell.vm.openFolder'), icon: 'folder-open', enabled: () => target()?.temporary === false, run: withVm((vm) => messages.attempt(() => answered(api.requests['library.show-folder']({ vm: vm.id })))) },
    { id: 'vm.discard', text: () => t('shell.vm.discard'), enabled: () => target()?.power.type === 'suspended', danger: true, run: withVm((vm) => messages.attempt(() => valueOf(api.requests['library.discard-suspended']({ vm: vm.id })))) },
    {
      id: 'vm.favourite',
      text: () => t(target()?.favourite ? 'library.unmarkFavourite' : 'library.markFavourite'),
      icon: 'star',
      enabled: () => target()?.temporary === false,
      run: withVm((vm) => messages.attempt(() => valueOf(api.requests['library.set-favourite']({ vm: vm.id, favourite: !vm.favourite })))),
    },
    { id: 'vm.rename', text: () => t('library.rename'), icon: 'edit', keys: 'F2', enabled: () => target()?.temporary === false, run: withVm((vm) => dialogs.open({ kind: 'name', what: 'rename-vm', id: vm.id, name: vm.name })) },
    {
      id: 'vm.remove',
      text: () => t('library.remove'),
      enabled: () => target()?.temporary === false && !isOnAnywhere(target()),
      run: withVm((vm) => messages.attempt(() => valueOf(api.requests['library.remove']({ vm: vm.id })))),
    },
    { id: 'vm.delete', text: () => t('library.deleteFromDisk'), icon: 'remove', danger: true, enabled: () => target()?.temporary === false && !isOnAnywhere(target()), run: withVm((vm) => dialogs.open({ kind: 'delete', vms: [vm] })) },
    {
      id: 'vm.console-view',
      text: () => t('shell.view.console'),
      icon: 'console',
      enabled: () => target() !== undefined,
      checked: () => tabs.viewOf(target()?.id ?? '') === 'console',
      run: withVm((vm) => tabs.openVm(vm.id, tabs.viewOf(vm.id) === 'console' ? 'summary' : 'console')),
    },
  ]
}

/** Power ▸, in the order of VMware Workstation: soft forms, hard forms, to firmware. */
export const POWER_MENU: readonly string[] = ['vm.shut-down-guest', 'vm.restart-guest', '-', 'vm.power-on', 'vm.power-off', 'vm.suspend', 'vm.reset', '-', 'vm.power-on-to-firmware']
