/** Commands of the screen that is shown. */
import type { Ref } from 'vue'
import type { ScaleMode, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api, valueOf } from '../../api/client'
import { i18n } from '../../i18n'
import type { Command } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useInputStore } from '../../stores/input'
import { useMessagesStore } from '../../stores/messages'
import { usePreferencesStore } from '../../stores/preferences'
import { CTRL_ALT_DELETE } from './key-menu'
import type { GuestInput } from './use-input'

export interface ScreenParts {
  readonly vm: () => VmCard
  /** A guest listens. */
  readonly usable: () => boolean
  readonly ctrlAltDelete: () => void
}

/** Of any screen, also of one that another process drives. */
export function screenCommands({ vm, usable, ctrlAltDelete }: ScreenParts): readonly Command[] {
  const { t } = i18n.global
  const { attempt, show } = useMessagesStore()
  const capture = (to: 'file' | 'clipboard'): void => attempt(() => valueOf(api.requests['vm.screenshot']({ vm: vm().id, to })))
  return [
    { id: 'console.send-ctrl-alt-delete', text: () => t('console.ctrlAltDelete'), icon: 'keyboard', keys: 'Ctrl+Alt+Insert', enabled: usable, run: ctrlAltDelete },
    {
      id: 'console.paste',
      text: () => t('console.paste'),
      icon: 'paste',
      keys: 'Ctrl+V',
      enabled: () => usable() && vm().paste,
      run: () =>
        attempt(async () => {
          const text = await answered(api.requests['clipboard.read-text']())
          if (text === '') return show({ level: 'info', text: t('console.nothingToPaste') })
          const { skipped } = await valueOf(api.requests['vm.type-text']({ vm: vm().id, text }))
          if (skipped > 0) show({ level: 'warning', text: t('console.skipped', { n: skipped }) })
        }),
    },
    { id: 'console.capture', text: () => t('console.capture'), icon: 'camera', keys: 'Ctrl+Alt+PrintScreen', enabled: usable, run: () => capture('file') },
    { id: 'console.capture-copy', text: () => t('console.captureCopy'), enabled: usable, run: () => capture('clipboard') },
  ]
}

export interface ConsoleParts extends Omit<ScreenParts, 'ctrlAltDelete'> {
  readonly input: GuestInput
  /** The screen is in a text mode whose characters are laid over the picture. */
  readonly selecting: Ref<boolean>
  readonly fitWindow: () => void
}

export function consoleCommands({ vm, input, usable, selecting, fitWindow }: ConsoleParts): readonly Command[] {
  const { t } = i18n.global
  const { attempt } = useMessagesStore()
  const preferences = usePreferencesStore()
  const store = useInputStore()
  const mode = (value: ScaleMode): Command => ({
    id: `console.scale-${value}`,
    text: () => t(`preferences.scaleModes.${value}`),
    checked: () => preferences.preferences.scaleMode === value,
    group: true,
    run: () => attempt(() => preferences.change({ scaleMode: value })),
  })
  return [
    ...screenCommands({ vm, usable, ctrlAltDelete: () => input.tap(CTRL_ALT_DELETE) }),
    { id: 'console.grab', text: () => t('console.grab'), icon: 'mouse', keys: 'Ctrl+G', enabled: usable, run: () => input.grab() },
    { id: 'console.custom-keys', text: () => t('console.customKeysMenu'), enabled: usable, run: () => useDialogsStore().open({ kind: 'send-keys' }) },
    {
      id: 'console.full-screen',
      text: () => t('shell.view.fullScreen'),
      icon: 'full-screen',
      keys: 'Ctrl+Alt+Enter',
      checked: () => store.fullScreen,
      run: () => attempt(() => answered(api.requests['window.set-full-screen']({ on: !store.fullScreen }))),
    },
    mode('center'), mode('fit'), mode('stretch'), mode('integer'),
    {
      id: 'console.toggle-stretch',
      text: () => t('preferences.scaleModes.stretch'),
      icon: 'stretch',
      checked: () => preferences.preferences.scaleMode === 'stretch',
      run: () => attempt(() => preferences.change({ scaleMode: preferences.preferences.scaleMode === 'stretch' ? 'fit' : 'stretch' })),
    },
    { id: 'console.fit-window', text: () => t('console.fitWindow'), enabled: usable, run: fitWindow },
    { id: 'console.autofit-window', text: () => t('console.autofitWindow'), checked: () => preferences.preferences.autofitWindow, run: () => attempt(() => preferences.change({ autofitWindow: !preferences.preferences.autofitWindow })) },
    { id: 'console.copy-text', text: () => t('console.selectText'), icon: 'copy', enabled: usable, checked: () => selecting.value, run: () => (selecting.value = !selecting.value) },
  ]
}
