/** Keys by the names that are printed on them, the same in every language. */

export interface NamedKey {
  /** KeyboardEvent.code */
  readonly code: string
  readonly text: string
}

const named = (code: string, text: string = code): NamedKey => ({ code, text })
const numbered = (count: number, make: (n: number) => NamedKey): readonly NamedKey[] => Array.from({ length: count }, (_, i) => make(i))

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const FUNCTION_KEYS = 12
const DIGITS = 10

/** In the order of pressing. */
export const MODIFIERS: readonly NamedKey[] = [
  named('ControlLeft', 'Ctrl'), named('AltLeft', 'Alt'), named('ShiftLeft', 'Shift'), named('MetaLeft', 'Super'), named('AltRight', 'AltGr'), named('ControlRight', 'Ctrl (R)'),
]

export const KEYS: readonly NamedKey[] = [
  named('Escape', 'Esc'), named('Tab'), named('Space'), named('Enter'), named('Backspace'), named('Insert'), named('Delete'), named('Home'), named('End'), named('PageUp', 'Page Up'), named('PageDown', 'Page Down'),
  named('ArrowUp', '↑'), named('ArrowDown', '↓'), named('ArrowLeft', '←'), named('ArrowRight', '→'),
  ...numbered(FUNCTION_KEYS, (i) => named(`F${i + 1}`)),
  ...Array.from(LETTERS, (letter) => named(`Key${letter}`, letter)),
  ...numbered(DIGITS, (i) => named(`Digit${i}`, `${i}`)),
  named('PrintScreen', 'Print Screen'), named('ScrollLock', 'Scroll Lock'), named('Pause'), named('CapsLock', 'Caps Lock'), named('NumLock', 'Num Lock'), named('ContextMenu', 'Menu'),
  ...numbered(DIGITS, (i) => named(`Numpad${i}`, `Num ${i}`)),
]

const NAMES: ReadonlyMap<string, string> = new Map([...KEYS, ...MODIFIERS].map(({ code, text }) => [code, text]))

/** Such as "Ctrl+Alt+F2". */
export function combinationText(codes: readonly string[]): string {
  return codes.map((code) => NAMES.get(code) ?? code).join('+')
}
