/** Removable Devices ▸: each CD/DVD drive with what can be done to it, also while the VM runs. */
import type { VmCard } from '../../../../src-main/ipc/contract'
import { answered, api, ProblemError, valueOf } from '../../api/client'
import { i18n } from '../../i18n'
import { useDialogsStore } from '../../stores/dialogs'
import { useMessagesStore } from '../../stores/messages'
import type { MenuEntry } from '../../ui/menu-entries'
import { fileName } from '../../ui/format'

export function cdromMenus(vm: VmCard | undefined): readonly MenuEntry[] {
  if (!vm) return []
  const { t } = i18n.global
  return vm.devices.flatMap((device): readonly MenuEntry[] => {
    if (device.kind !== 'cdrom') return []
    const id = `cdrom-${device.index}`
    const file = device.file === undefined ? t('shell.cdrom.empty') : fileName(device.file)
    return [{ kind: 'submenu', id, icon: 'cdrom', text: t('shell.cdrom.drive', { n: device.index + 1 }), entries: [{ kind: 'heading', id: `${id}-file`, text: file }, ...cdromEntries(vm, device.index)] }]
  })
}

export function cdromEntries(vm: VmCard, index: number): readonly MenuEntry[] {
  const { t } = i18n.global
  const { attempt } = useMessagesStore()
  const device = vm.devices.find((other) => other.kind === 'cdrom' && other.index === index)
  if (device?.kind !== 'cdrom') return []
  const { file, connected } = device
  // Another process has the drive: what its settings say counts from the next power-on.
  const isElsewhere = vm.power.type === 'in-use'
  const set = (next: { file?: string; connected: boolean }): void => attempt(() => setDisc(vm.id, index, next))
  const choose = (): void =>
    attempt(async () => {
      const chosen = await answered(api.requests['files.choose']({ purpose: 'iso' }))
      if (chosen !== undefined) await setDisc(vm.id, index, { file: chosen, connected: true })
    })
  const id = `cdrom-${index}`
  return [
    { kind: 'item', id: `${id}-connect`, text: t('shell.cdrom.connect'), disabled: isElsewhere || file === undefined || connected, run: () => set({ ...(file === undefined ? {} : { file }), connected: true }) },
    { kind: 'item', id: `${id}-disconnect`, text: t('shell.cdrom.disconnect'), disabled: isElsewhere || file === undefined || !connected, run: () => set({ ...(file === undefined ? {} : { file }), connected: false }) },
    { kind: 'item', id: `${id}-choose`, text: t('shell.cdrom.choose'), disabled: isElsewhere, run: choose },
    { kind: 'separator', id: `${id}-` },
    { kind: 'item', id: `${id}-settings`, text: t('shell.cdrom.settings'), run: () => useDialogsStore().open({ kind: 'settings', vm: vm.id, page: id }) },
  ]
}

/** A disc that the guest keeps locked in is asked about. */
async function setDisc(vm: string, index: number, disc: { readonly file?: string; readonly connected: boolean }, force = false): Promise<void> {
  try {
    await valueOf(api.requests['vm.set-cdrom']({ vm, index, ...disc, ...(force ? { force } : {}) }))
  } catch (error) {
    if (force || !(error instanceof ProblemError) || error.problem.id !== 'cdrom-locked') throw error
    useDialogsStore().open({ kind: 'locked-disc', problem: error.problem, force: () => useMessagesStore().attempt(() => setDisc(vm, index, disc, true)) })
  }
}
