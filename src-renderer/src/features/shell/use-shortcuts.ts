/** The window's keys: shortcuts of commands; F10 or Alt to the menu bar, Alt with a letter to one of its menus. They rest while a guest has the input or a dialog is open. */
import { onScopeDispose, ref, type Ref } from 'vue'
import { commandOf } from '../../stores/commands'
import { useDialogsStore } from '../../stores/dialogs'
import { useInputStore } from '../../stores/input'

const EDITS = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable]'
/** In a text field these are the field's. */
const FIELD_KEYS = /^(Ctrl\+[ACVXYZ]|F2|Delete)$/

export interface MenuBarKeys {
  focus(): void
  /** Opens the menu with this letter; false: there is none. */
  open(letter: string): boolean
}

/** Answers whether the letters of the menus are to be shown: while Alt is down. */
export function useShortcuts(menuBar: MenuBarKeys): Readonly<Ref<boolean>> {
  const input = useInputStore()
  const dialogs = useDialogsStore()
  const isMac = /Macintosh/.test(navigator.userAgent)
  const hints = ref(false)
  let altAlone = false

  function down(event: KeyboardEvent): void {
    altAlone = event.key === 'Alt' && !event.ctrlKey && !event.shiftKey
    if (input.grabbed || event.defaultPrevented) return
    if (dialogs.current !== undefined) return
    hints.value = altAlone
    if (event.code === 'F10' && !event.ctrlKey && !event.altKey && !event.shiftKey) {
      event.preventDefault()
      return menuBar.focus()
    }
    // On macOS Alt types characters.
    if (event.altKey && !event.ctrlKey && !event.shiftKey && !event.metaKey && !isMac && event.code.startsWith('Key') && menuBar.open(event.code.slice(3))) return event.preventDefault()
    const command = commandOf(event)
    if (!command) return
    if (event.target instanceof Element && event.target.matches(EDITS) && FIELD_KEYS.test(command.keys ?? '')) return
    event.preventDefault()
    if (command.enabled?.() ?? true) command.run()
  }

  /** Alt, pressed and released alone. */
  function up(event: KeyboardEvent): void {
    if (event.key === 'Alt') hints.value = false
    if (event.key === 'Alt' && altAlone && !input.grabbed && dialogs.current === undefined) {
      event.preventDefault()
      menuBar.focus()
    }
    altAlone = false
  }

  /** Alt may be let go elsewhere: Alt+Tab leaves the window. */
  function left(): void {
    hints.value = false
    altAlone = false
  }

  window.addEventListener('keydown', down)
  window.addEventListener('keyup', up)
  window.addEventListener('blur', left)
  onScopeDispose(() => {
    window.removeEventListener('keydown', down)
    window.removeEventListener('keyup', up)
    window.removeEventListener('blur', left)
  })
  return hints
}

/** The menu bar of this page: a menu that is opened by its letter has its first entry chosen, as by the arrow key. */
export const pageMenuBar: MenuBarKeys = {
  focus: () => document.querySelector<HTMLElement>('[data-menu]')?.focus(),
  open: (letter) => {
    const title = document.querySelector<HTMLElement>(`[data-mnemonic="${CSS.escape(letter)}"]`)
    if (!title) return false
    title.focus()
    title.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', code: 'ArrowDown', bubbles: true, cancelable: true }))
    return true
  },
}
