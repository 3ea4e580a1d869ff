/** Combinations that the host would keep for itself, or that no keyboard has at hand: sent from a menu. */
import { i18n } from '../../i18n'
import { menuOf } from '../../stores/commands'
import type { MenuEntry } from '../../ui/menu-entries'
import { combinationText } from './key-names'

const FUNCTION_KEYS = 12

/** KeyboardEvent.code, in the order of pressing. */
type Combination = readonly string[]

const COMBINATIONS: readonly Combination[] = [
  ['ControlLeft', 'AltLeft', 'Backspace'], ['ControlLeft', 'Escape'], ['AltLeft', 'Tab'], ['AltLeft', 'F4'], ['ControlLeft', 'AltLeft', 'Escape'], ['PrintScreen'], ['Pause'], ['ScrollLock'], ['MetaLeft'],
]

/** Linux' magic keys that are used to bring a stuck system down in order (Documentation/admin-guide/sysrq). */
const SYSRQ = ['R', 'E', 'I', 'S', 'U', 'B', 'O', 'H'] as const

export const CTRL_ALT_DELETE: Combination = ['ControlLeft', 'AltLeft', 'Delete']

export function keyMenu(tap: (codes: readonly string[]) => void): readonly MenuEntry[] {
  const { t } = i18n.global
  const item = (codes: Combination): MenuEntry => ({ kind: 'item', id: codes.join('+'), text: combinationText(codes), run: () => tap(codes) })
  const functionKeys = Array.from({ length: FUNCTION_KEYS }, (_, i) => item(['ControlLeft', 'AltLeft', `F${i + 1}`]))
  const sysrq = SYSRQ.map((letter) => item(['AltLeft', 'PrintScreen', `Key${letter}`]))
  return [
    ...COMBINATIONS.map(item), { kind: 'separator', id: '-1' },
    { kind: 'submenu', id: 'vt', text: t('console.functionKeys', { chord: combinationText(['ControlLeft', 'AltLeft']), last: FUNCTION_KEYS }), entries: functionKeys },
    { kind: 'submenu', id: 'sysrq', text: t('console.sysRq'), entries: sysrq }, ...menuOf(['-', 'console.custom-keys']),
  ]
}
