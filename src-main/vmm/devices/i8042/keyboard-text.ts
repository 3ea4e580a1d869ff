/** Text and key names to key events, for scripts (`send`, `key`) and pasting. US layout: what the guest's driver assumes by default. */

export interface KeyEvent {
  /** KeyboardEvent.code */
  readonly code: string
  readonly pressed: boolean
}

const UNSHIFTED = "`1234567890-=[]\\;',./ \t\n\b\u001b"
const SHIFTED = '~!@#$%^&*()_+{}|:"<>?'
const CODES: readonly string[] = [
  'Backquote', 'Digit1', 'Digit2', 'Digit3', 'Digit4', 'Digit5', 'Digit6', 'Digit7', 'Digit8', 'Digit9', 'Digit0', 'Minus', 'Equal',
  'BracketLeft', 'BracketRight', 'Backslash', 'Semicolon', 'Quote', 'Comma', 'Period', 'Slash', 'Space', 'Tab', 'Enter', 'Backspace', 'Escape',
]

/** Carriage return counts as Enter, CR LF as one. */
function charactersOf(text: string): readonly string[] {
  return [...text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')]
}

/** How many characters the layout lacks. */
export function countUntypable(text: string): number {
  return charactersOf(text).filter((character) => lookUp(character) === undefined).length
}

/** Key events that type the text; a character that the layout lacks is left out. */
export function textToKeys(text: string): readonly KeyEvent[] {
  return charactersOf(text).flatMap((character) => {
    const found = lookUp(character)
    if (found === undefined) return []
    return found.shift ? chord(['ShiftLeft', found.code]) : chord([found.code])
  })
}

function lookUp(character: string): { code: string; shift: boolean } | undefined {
  if (/^[a-z]$/.test(character)) return { code: `Key${character.toUpperCase()}`, shift: false }
  if (/^[A-Z]$/.test(character)) return { code: `Key${character}`, shift: true }
  const plain = UNSHIFTED.indexOf(character)
  const shifted = SHIFTED.indexOf(character)
  const code = CODES[plain >= 0 ? plain : shifted]
  if (code === undefined || (plain < 0 && shifted < 0)) return undefined
  return { code, shift: plain < 0 }
}

/** Presses the keys in order and releases them in reverse. */
export function chord(codes: readonly string[]): readonly KeyEvent[] {
  return [...codes.map((code) => ({ code, pressed: true })), ...[...codes].reverse().map((code) => ({ code, pressed: false }))]
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['ctrl', 'ControlLeft'], ['control', 'ControlLeft'], ['alt', 'AltLeft'], ['altgr', 'AltRight'], ['shift', 'ShiftLeft'], ['meta', 'MetaLeft'],
  ['win', 'MetaLeft'], ['super', 'MetaLeft'], ['menu', 'ContextMenu'], ['esc', 'Escape'], ['escape', 'Escape'], ['enter', 'Enter'],
  ['return', 'Enter'], ['ret', 'Enter'], ['tab', 'Tab'], ['space', 'Space'], ['spc', 'Space'], ['backspace', 'Backspace'], ['del', 'Delete'],
  ['delete', 'Delete'], ['ins', 'Insert'], ['insert', 'Insert'], ['home', 'Home'], ['end', 'End'], ['pgup', 'PageUp'], ['pageup', 'PageUp'],
  ['pgdn', 'PageDown'], ['pagedown', 'PageDown'], ['up', 'ArrowUp'], ['down', 'ArrowDown'], ['left', 'ArrowLeft'], ['right', 'ArrowRight'],
  ['capslock', 'CapsLock'], ['numlock', 'NumLock'], ['scrolllock', 'ScrollLock'], ['pause', 'Pause'], ['print', 'PrintScreen'],
  ['printscreen', 'PrintScreen'], ['minus', 'Minus'], ['plus', 'NumpadAdd'],
])

/**
 * One chord of a script line: names joined by '-' or '+', e.g. `ctrl-alt-delete`, `f12`, `a`, `KeyA`, `ArrowUp`.
 * Undefined when a name is not known; `isKnown` says which KeyboardEvent.code values exist.
 */
export function parseChord(text: string, isKnown: (code: string) => boolean): readonly KeyEvent[] | undefined {
  const codes: string[] = []
  for (const name of text.split(/[-+]/)) {
    const code = resolveName(name, isKnown)
    if (code === undefined) return undefined
    codes.push(code)
  }
  return chord(codes)
}

function resolveName(name: string, isKnown: (code: string) => boolean): string | undefined {
  const known = NAMES.get(name.toLowerCase())
  if (known !== undefined) return known
  if (/^f\d{1,2}$/i.test(name) && isKnown(name.toUpperCase())) return name.toUpperCase()
  if ([...name].length === 1) return lookUp(name)?.code
  return isKnown(name) ? name : undefined
}
