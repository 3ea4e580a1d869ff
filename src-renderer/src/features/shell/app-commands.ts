/** Commands of the window itself. */
import type { VmCard } from '../../../../src-main/ipc/contract'
import { answered, api, ProblemError, valueOf } from '../../api/client'
import { i18n } from '../../i18n'
import type { Command } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useInputStore } from '../../stores/input'
import { useMessagesStore } from '../../stores/messages'
import { useTabsStore, type TabId } from '../../stores/tabs'
import { carryOut } from '../power/power-actions'
import { isAllowed, isOn } from '../power/power-rules'
import { useLibraryStore } from '../../stores/library'

/** Opens the folder of a VM, or vm.json in it; a second one of the same identity asks whether it was copied. */
export async function openVmAt(path: string, as?: 'copied' | 'moved'): Promise<void> {
  try {
    const vm = await valueOf(api.requests['library.open']({ path, ...(as ? { as } : {}) }))
    useLibraryStore().put(vm)
    useTabsStore().openVm(vm.id)
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code === 'vm/copied' && as === undefined) useDialogsStore().open({ kind: 'copied-or-moved', path })
    else throw error
  }
}

/** What becomes of a file that the user drops on the window. A wizard that is open keeps its answers. */
export async function openDropped(paths: readonly string[]): Promise<void> {
  const dialogs = useDialogsStore()
  for (const path of paths) {
    const found = await valueOf(api.requests['files.describe']({ path }))
    if (found.kind === 'vm') await openVmAt(path)
    else if (dialogs.isOpen('new-vm')) return useMessagesStore().show({ level: 'warning', text: i18n.global.t('shell.finishWizard') })
    else return dialogs.open({ kind: 'new-vm', media: found })
  }
}

/** What becomes of a VM that runs when its tab closes is the VM's own setting, or asked. */
export function askToCloseTab(id: TabId): void {
  const vm = id.startsWith('vm:') ? useLibraryStore().vm(id.slice(3)) : undefined
  if (!vm || !isOn(vm)) return useTabsStore().close(id)
  const { onClose } = vm
  const action = onClose === 'shut-down' ? 'shut-down-guest' : onClose
  // What cannot be done now (a paused guest hears no power button) is asked about instead.
  if (action === 'ask' || (action !== 'keep-running' && !isAllowed(vm, action))) return useDialogsStore().open({ kind: 'close-tab', vm: vm.id })
  if (action !== 'keep-running') carryOut([vm], action)
  useTabsStore().close(id)
}

export async function startDemo(): Promise<void> {
  const vm = await valueOf(api.requests['library.create-demo']())
  useLibraryStore().put(vm)
  useTabsStore().openVm(vm.id, 'console')
  if (!isOn(vm)) await valueOf(api.requests['vm.power']({ vm: vm.id, action: 'power-on' }))
}

/** VMs with a screen to go to. */
function otherScreens(): readonly VmCard[] {
  return useLibraryStore().machines.filter((vm) => isOn(vm) && vm.id !== useTabsStore().activeVmId)
}

/** 1: of the next VM that is on, -1: of the one before. Who had given the input to a guest goes on in the next. */
function showScreen(by: 1 | -1): void {
  const tabs = useTabsStore()
  const input = useInputStore()
  const others = otherScreens()
  const all = useLibraryStore().machines
  const at = all.findIndex(({ id }) => id === tabs.activeVmId)
  const next = by === 1 ? (others.find((vm) => all.indexOf(vm) > at) ?? others[0]) : (others.filter((vm) => all.indexOf(vm) < at).at(-1) ?? others.at(-1))
  if (!next) return
  input.handingOver = input.grabbed
  tabs.openVm(next.id, 'console')
}

export function appCommands(): readonly Command[] {
  const { t } = i18n.global
  const tabs = useTabsStore()
  const dialogs = useDialogsStore()
  const { attempt, show, trouble } = useMessagesStore()
  const toggle = (key: keyof typeof tabs.shown, text: () => string, keys?: string): Command => ({
    id: `view.${key}`, text, ...(keys ? { keys } : {}),
    checked: () => tabs.shown[key],
    run: () => (tabs.shown[key] = !tabs.shown[key]),
  })
  return [
    { id: 'file.new-vm', text: () => t('shell.file.newVm'), icon: 'create', keys: 'Ctrl+N', run: () => dialogs.open({ kind: 'new-vm' }) },
    { id: 'file.new-window', text: () => t('shell.file.newWindow'), run: () => attempt(() => answered(api.requests['window.new']())) },
    {
      id: 'file.open',
      text: () => t('shell.file.open'),
      icon: 'folder-open',
      keys: 'Ctrl+O',
      run: () =>
        attempt(async () => {
          const path = await answered(api.requests['files.choose']({ purpose: 'vm' }))
          if (path !== undefined) await openVmAt(path)
        }),
    },
    {
      id: 'file.scan',
      text: () => t('shell.file.scan'),
      run: () =>
        attempt(async () => {
          const folder = await answered(api.requests['files.choose']({ purpose: 'folder' }))
          if (folder === undefined) return
          const found = await answered(api.requests['library.scan']({ folder }))
          let added = 0
          for (const path of found) {
            // One that cannot be read does not keep the others out.
            await valueOf(api.requests['library.open']({ path })).then(() => added++, trouble)
          }
          show({ level: 'info', text: added > 0 ? t('library.scan.found', { n: added }) : t('library.scan.none') })
        }),
    },
    { id: 'file.new-folder', text: () => t('shell.file.newFolder'), icon: 'folder-add', run: () => dialogs.open({ kind: 'name', what: 'new-folder', name: t('library.names.initial') }) },
    { id: 'file.close-tab', text: () => t('shell.file.closeTab'), keys: 'Ctrl+W', run: () => askToCloseTab(tabs.active) },
    { id: 'file.exit', text: () => t('shell.file.exit'), keys: 'Ctrl+Q', run: () => attempt(() => answered(api.requests['app.quit']({}))) },
    { id: 'edit.preferences', text: () => t('shell.edit.preferences'), icon: 'options', keys: 'Ctrl+P', run: () => dialogs.open({ kind: 'preferences' }) },
    toggle('library', () => t('shell.view.library'), 'F9'),
    toggle('thumbnails', () => t('shell.view.thumbnails')),
    toggle('toolbar', () => t('shell.view.toolbar')),
    toggle('tabs', () => t('shell.view.tabs')),
    toggle('statusBar', () => t('shell.view.statusBar')),
    { id: 'tabs.next', text: () => t('shell.tabs.next'), keys: 'Ctrl+Tab', run: () => tabs.step(1) },
    { id: 'tabs.previous', text: () => t('shell.tabs.previous'), keys: 'Ctrl+Shift+Tab', run: () => tabs.step(-1) },
    { id: 'tabs.next-vm', text: () => t('shell.tabs.nextVm'), keys: 'Ctrl+Alt+Right', enabled: () => otherScreens().length > 0, run: () => showScreen(1) },
    { id: 'tabs.previous-vm', text: () => t('shell.tabs.previousVm'), keys: 'Ctrl+Alt+Left', enabled: () => otherScreens().length > 0, run: () => showScreen(-1) },
    { id: 'help.shortcuts', text: () => t('shell.help.shortcuts'), keys: 'F1', run: () => dialogs.open({ kind: 'shortcuts' }) },
    { id: 'help.about', text: () => t('shell.help.about'), icon: 'info', run: () => dialogs.open({ kind: 'about' }) },
    { id: 'vm.messages', text: () => t('shell.vm.messageLog'), icon: 'log', run: () => dialogs.open({ kind: 'messages' }) },
  ]
}
