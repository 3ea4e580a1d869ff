/** Combinations that the host would keep for itself, or that no keyboard has at hand: sent from a menu. */
import { menuOf } from '../../stores/commands'
import type { MenuEntry } from '../../ui/menu-entries'

const FUNCTION_KEYS = 12

interface Combination {
  readonly text: string
  /** KeyboardEvent.code, in the order of pressing. */
  readonly codes: readonly string[]
}

const COMBINATIONS: readonly Combination[] = [
  { text: 'Ctrl+Alt+Backspace', codes: ['ControlLeft', 'AltLeft', 'Backspace'] },
  { text: 'Ctrl+Esc', codes: ['ControlLeft', 'Escape'] },
  { text: 'Alt+Tab', codes: ['AltLeft', 'Tab'] },
  { text: 'Alt+F4', codes: ['AltLeft', 'F4'] },
  { text: 'Ctrl+Alt+Esc', codes: ['ControlLeft', 'AltLeft', 'Escape'] },
  { text: 'Print Screen', codes: ['PrintScreen'] },
  { text: 'Pause', codes: ['Pause'] },
  { text: 'Scroll Lock', codes: ['ScrollLock'] },
  { text: 'Windows / Super', codes: ['MetaLeft'] },
]

/** Linux' magic keys that are used to bring a stuck system down in order (Documentation/admin-guide/sysrq). */
const SYSRQ = ['R', 'E', 'I', 'S', 'U', 'B', 'O', 'H'] as const

export const CTRL_ALT_DELETE: readonly string[] = ['ControlLeft', 'AltLeft', 'Delete']

export function keyMenu(tap: (codes: readonly string[]) => void): readonly MenuEntry[] {
  const item = ({ text, codes }: Combination): MenuEntry => ({ kind: 'item', id: text, text, run: () => tap(codes) })
  const functionKeys = Array.from({ length: FUNCTION_KEYS }, (_, i) => item({ text: `Ctrl+Alt+F${i + 1}`, codes: ['ControlLeft', 'AltLeft', `F${i + 1}`] }))
  const sysrq = SYSRQ.map((letter) => item({ text: `Alt+SysRq+${letter}`, codes: ['AltLeft', 'PrintScreen', `Key${letter}`] }))
  return [...COMBINATIONS.map(item), { kind: 'separator', id: '-1' }, { kind: 'submenu', id: 'vt', text: 'Ctrl+Alt+F1…F12', entries: functionKeys }, { kind: 'submenu', id: 'sysrq', text: 'SysRq', entries: sysrq }, ...menuOf(['-', 'console.custom-keys'])]
}
