/** The window's keys: shortcuts of commands, F10 or Alt to the menu bar. They rest while a guest has the input or a dialog is open. */
import { onScopeDispose } from 'vue'
import { commandOf } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useInputStore } from '../../stores/input'

const EDITS = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable]'
/** In a text field these are the field's. */
const FIELD_KEYS = /^(Ctrl\+[ACVXYZ]|F2|Delete)$/

export function useShortcuts(toMenuBar: () => void): void {
  const input = useInputStore()
  const dialogs = useDialogsStore()
  let altAlone = false

  function down(event: KeyboardEvent): void {
    altAlone = event.key === 'Alt' && !event.ctrlKey && !event.shiftKey
    if (input.grabbed || event.defaultPrevented) return
    if (dialogs.current !== undefined) return
    if (event.code === 'F10' && !event.ctrlKey && !event.altKey && !event.shiftKey) {
      event.preventDefault()
      return toMenuBar()
    }
    const command = commandOf(event)
    if (!command) return
    if (event.target instanceof Element && event.target.matches(EDITS) && FIELD_KEYS.test(command.keys ?? '')) return
    event.preventDefault()
    if (command.enabled?.() ?? true) command.run()
  }

  /** Alt, pressed and released alone. */
  function up(event: KeyboardEvent): void {
    if (event.key === 'Alt' && altAlone && !input.grabbed && dialogs.current === undefined) {
      event.preventDefault()
      toMenuBar()
    }
    altAlone = false
  }

  window.addEventListener('keydown', down)
  window.addEventListener('keyup', up)
  onScopeDispose(() => {
    window.removeEventListener('keydown', down)
    window.removeEventListener('keyup', up)
  })
}
