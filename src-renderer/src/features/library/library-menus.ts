/** Context menus of the library's rows. */
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import { api, valueOf } from '../../api/client'
import { i18n } from '../../i18n'
import { entryOf, menuOf } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useLibraryStore } from '../../stores/library'
import { useMessagesStore } from '../../stores/messages'
import { useTabsStore } from '../../stores/tabs'
import type { MenuEntry } from '../../ui/menu-entries'
import { cdromMenus } from '../power/cdrom-menu'
import { actOnPower, carryOut } from '../power/power-actions'
import { isAllowed, isOnAnywhere } from '../power/power-rules'
import { POWER_MENU, vmCommands } from '../power/vm-commands'
import { askToCloseTab } from '../shell/app-commands'

const { t } = i18n.global

export function vmMenu(vm: VmCard): readonly MenuEntry[] {
  const tabs = useTabsStore()
  const commands = new Map(vmCommands(() => useLibraryStore().vm(vm.id)).map((command) => [command.id, command]))
  // Shortcuts go to the VM whose tab is shown, which may be another.
  const entry = (id: string): readonly MenuEntry[] => {
    const command = commands.get(id)
    return command ? [{ ...entryOf(command), keys: undefined } as MenuEntry] : []
  }
  const separator = (n: number): MenuEntry => ({ kind: 'separator', id: `-${n}` })
  const power = POWER_MENU.flatMap((id, i) => (id === '-' ? [separator(100 + i)] : entry(id)))
  const tab: MenuEntry = tabs.open.includes(`vm:${vm.id}`)
    ? { kind: 'item', id: 'close-tab', text: t('shell.file.closeTab'), run: () => askToCloseTab(`vm:${vm.id}`) }
    : { kind: 'item', id: 'open-tab', text: t('library.openInTab'), run: () => tabs.openVm(vm.id) }
  return [
    tab, ...entry('vm.favourite'), ...entry('vm.rename'), ...entry('vm.remove'), separator(1),
    { kind: 'submenu', id: 'power', icon: 'power', text: t('shell.vm.power'), entries: power },
    { kind: 'submenu', id: 'removable', text: t('shell.vm.removable'), entries: cdromMenus(vm) },
    ...entry('vm.pause'), separator(2),
    { kind: 'submenu', id: 'manage', text: t('shell.vm.manage'), entries: [...entry('vm.discard'), ...entry('vm.delete')] },
    moveMenu([vm]), separator(3), ...entry('vm.open-folder'), ...entry('vm.settings'),
  ]
}

/** What dragging into a folder does, without a mouse. Empty while there are no folders. */
function moveMenu(vms: readonly VmCard[]): MenuEntry {
  const library = useLibraryStore()
  const { attempt } = useMessagesStore()
  const place = (id: string, text: string, folder?: string): MenuEntry => ({
    kind: 'check', id, text, group: true,
    checked: vms.every((vm) => vm.folder === folder),
    run: () => attempt(async () => {
      // One after the other, so that their order stays.
      for (const vm of vms) if (vm.folder !== folder) await valueOf(api.requests['library.place']({ vm: vm.id, ...(folder === undefined ? {} : { folder }) }))
    }),
  })
  const entries = library.folders.map((folder) => place(folder.id, folderPath(folder, library.folders), folder.id))
  return { kind: 'submenu', id: 'move', icon: 'folder', text: t('library.moveTo'), entries: entries.length === 0 || vms.some(({ temporary }) => temporary) ? [] : [place('root', t('library.root')), ...entries] }
}

/** With the folders that it is in. */
function folderPath({ id, name, parent }: LibraryFolder, folders: readonly LibraryFolder[]): string {
  const above = folders.find((other) => other.id === parent && other.id !== id)
  return above === undefined ? name : `${folderPath(above, folders.filter((other) => other.id !== id))} / ${name}`
}

/** Of several VMs: what makes sense for all of them. */
export function bulkMenu(vms: readonly VmCard[]): readonly MenuEntry[] {
  const { attempt } = useMessagesStore()
  const off = vms.filter((vm) => !isOnAnywhere(vm))
  return [
    ...powerOfAll(vms),
    moveMenu(vms),
    { kind: 'separator', id: '-1' },
    { kind: 'item', id: 'remove', text: t('library.remove'), disabled: off.length === 0, run: () => off.forEach((vm) => attempt(() => valueOf(api.requests['library.remove']({ vm: vm.id })))) },
    { kind: 'item', id: 'delete', icon: 'remove', danger: true, text: t('library.deleteFromDisk'), disabled: off.length === 0, run: () => useDialogsStore().open({ kind: 'delete', vms: off }) },
  ]
}

function powerOfAll(vms: readonly VmCard[]): readonly MenuEntry[] {
  const item = (id: string, text: string, action: 'power-on' | 'suspend' | 'shut-down-guest' | 'power-off', icon: 'power-on' | 'suspend' | 'shut-down' | 'power-off'): MenuEntry => ({
    kind: 'item', id, text, icon, disabled: !vms.some((vm) => isAllowed(vm, action)),
    run: () => (action === 'power-off' ? actOnPower(vms, action) : carryOut(vms.filter((vm) => isAllowed(vm, action)), action)),
  })
  return [
    item('all-on', t('library.powerOnAll'), 'power-on', 'power-on'),
    item('all-suspend', t('library.suspendAll'), 'suspend', 'suspend'),
    item('all-shut-down', t('library.shutDownAll'), 'shut-down-guest', 'shut-down'),
    item('all-off', t('library.powerOffAll'), 'power-off', 'power-off'),
  ]
}

export function folderMenu(folder: LibraryFolder): readonly MenuEntry[] {
  const library = useLibraryStore()
  const dialogs = useDialogsStore()
  const { attempt } = useMessagesStore()
  return [
    { kind: 'item', id: 'open', icon: 'folder-open', text: t('library.openInTab'), run: () => useTabsStore().openTab(`folder:${folder.id}`) },
    { kind: 'item', id: 'new-vm', icon: 'create', text: t('shell.file.newVm'), run: () => dialogs.open({ kind: 'new-vm', folder: folder.id }) },
    { kind: 'item', id: 'new-folder', icon: 'folder-add', text: t('shell.file.newFolder'), run: () => dialogs.open({ kind: 'name', what: 'new-folder', id: folder.id, name: t('library.names.initial') }) },
    { kind: 'item', id: 'rename', icon: 'edit', text: t('library.rename'), run: () => dialogs.open({ kind: 'name', what: 'rename-folder', id: folder.id, name: folder.name }) },
    { kind: 'item', id: 'remove', text: t('library.remove'), run: () => attempt(() => valueOf(api.requests['library.remove-folder']({ folder: folder.id }))) },
    { kind: 'separator', id: '-1' },
    { kind: 'submenu', id: 'power', icon: 'power', text: t('shell.vm.power'), entries: powerOfAll(library.machinesIn(folder.id)) },
  ]
}

export function rootMenu(): readonly MenuEntry[] {
  const tabs = useTabsStore()
  const library = useLibraryStore()
  return [
    ...menuOf(['file.new-vm', 'file.new-folder', 'file.open', 'file.scan', '-']),
    { kind: 'item', id: 'expand', text: t('library.expandAll'), run: () => (tabs.closedFolders = []) },
    { kind: 'item', id: 'collapse', text: t('library.collapseAll'), run: () => (tabs.closedFolders = library.folders.map(({ id }) => id)) },
  ]
}
