/**
 * KeyboardEvent.code (W3C UI Events KeyboardEvent code Values, section 3) to PS/2 scan codes.
 *
 * Written once, as set 2 make codes; set 1 follows by the 8042's own translation table, so that the two can never disagree.
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboards"; Microsoft Keyboard Scan Code Specification 1.3a (set 3 and
 * the ACPI and media keys).
 */

/**
 * The 8042's translation from set 2 to set 1, by set 2 code (00h..7Fh). Above 7Fh only 83h (F7) and 84h (SysRq) change.
 * A break prefix F0h is swallowed and sets bit 7 of the next translated byte.
 */
const SET2_TO_SET1_LOW: readonly number[] = [
  0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, // 00
  0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, // 10
  0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, // 20
  0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, // 30
  0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, // 40
  0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, // 50
  0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, // 60
  0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, // 70
]

export function translateSet2(code: number): number {
  if (code === 0x83) return 0x41
  if (code === 0x84) return 0x54
  return SET2_TO_SET1_LOW[code] ?? code
}

/** One key: its set 2 make code, whether E0h precedes it (sets 1 and 2), and its set 3 code (0: the key has none there). */
export interface KeyCode {
  readonly set2: number
  readonly extended: boolean
  readonly set3: number
  /** The Korean language keys send no break code. */
  readonly makeOnly: boolean
}

const key = (set2: number, set3: number): KeyCode => ({ set2, extended: false, set3, makeOnly: false })
const e0 = (set2: number, set3 = 0): KeyCode => ({ set2, extended: true, set3, makeOnly: false })
const once = (set2: number): KeyCode => ({ set2, extended: false, set3: 0, makeOnly: true })

/** All keys but Pause and PrintScreen, whose codes depend on the modifiers held (keyboard.ts). */
export const KEY_CODES: ReadonlyMap<string, KeyCode> = new Map<string, KeyCode>([
  // Writing system keys
  ['Backquote', key(0x0e, 0x0e)], ['Digit1', key(0x16, 0x16)], ['Digit2', key(0x1e, 0x1e)], ['Digit3', key(0x26, 0x26)],
  ['Digit4', key(0x25, 0x25)], ['Digit5', key(0x2e, 0x2e)], ['Digit6', key(0x36, 0x36)], ['Digit7', key(0x3d, 0x3d)],
  ['Digit8', key(0x3e, 0x3e)], ['Digit9', key(0x46, 0x46)], ['Digit0', key(0x45, 0x45)], ['Minus', key(0x4e, 0x4e)],
  ['Equal', key(0x55, 0x55)], ['IntlYen', key(0x6a, 0x5d)], ['KeyQ', key(0x15, 0x15)], ['KeyW', key(0x1d, 0x1d)],
  ['KeyE', key(0x24, 0x24)], ['KeyR', key(0x2d, 0x2d)], ['KeyT', key(0x2c, 0x2c)], ['KeyY', key(0x35, 0x35)],
  ['KeyU', key(0x3c, 0x3c)], ['KeyI', key(0x43, 0x43)], ['KeyO', key(0x44, 0x44)], ['KeyP', key(0x4d, 0x4d)],
  ['BracketLeft', key(0x54, 0x54)], ['BracketRight', key(0x5b, 0x5b)], ['Backslash', key(0x5d, 0x5c)], ['KeyA', key(0x1c, 0x1c)],
  ['KeyS', key(0x1b, 0x1b)], ['KeyD', key(0x23, 0x23)], ['KeyF', key(0x2b, 0x2b)], ['KeyG', key(0x34, 0x34)],
  ['KeyH', key(0x33, 0x33)], ['KeyJ', key(0x3b, 0x3b)], ['KeyK', key(0x42, 0x42)], ['KeyL', key(0x4b, 0x4b)],
  ['Semicolon', key(0x4c, 0x4c)], ['Quote', key(0x52, 0x52)], ['IntlBackslash', key(0x61, 0x13)], ['KeyZ', key(0x1a, 0x1a)],
  ['KeyX', key(0x22, 0x22)], ['KeyC', key(0x21, 0x21)], ['KeyV', key(0x2a, 0x2a)], ['KeyB', key(0x32, 0x32)],
  ['KeyN', key(0x31, 0x31)], ['KeyM', key(0x3a, 0x3a)], ['Comma', key(0x41, 0x41)], ['Period', key(0x49, 0x49)],
  ['Slash', key(0x4a, 0x4a)], ['IntlRo', key(0x51, 0x51)],
  // Functional keys
  ['Backspace', key(0x66, 0x66)], ['Tab', key(0x0d, 0x0d)], ['CapsLock', key(0x58, 0x14)], ['Enter', key(0x5a, 0x5a)],
  ['ShiftLeft', key(0x12, 0x12)], ['ShiftRight', key(0x59, 0x59)], ['ControlLeft', key(0x14, 0x11)], ['ControlRight', e0(0x14, 0x58)],
  ['AltLeft', key(0x11, 0x19)], ['AltRight', e0(0x11, 0x39)], ['Space', key(0x29, 0x29)], ['MetaLeft', e0(0x1f, 0x8b)],
  ['MetaRight', e0(0x27, 0x8c)], ['OSLeft', e0(0x1f, 0x8b)], ['OSRight', e0(0x27, 0x8c)], ['ContextMenu', e0(0x2f, 0x8d)],
  ['KanaMode', key(0x13, 0x87)], ['Convert', key(0x64, 0x86)], ['NonConvert', key(0x67, 0x85)],
  ['Lang1', once(0xf2)], ['Lang2', once(0xf1)], ['Lang3', key(0x63, 0)], ['Lang4', key(0x62, 0)], ['Lang5', key(0x5f, 0)],
  // Control pad and arrow pad
  ['Insert', e0(0x70, 0x67)], ['Home', e0(0x6c, 0x6e)], ['PageUp', e0(0x7d, 0x6f)], ['Delete', e0(0x71, 0x64)],
  ['End', e0(0x69, 0x65)], ['PageDown', e0(0x7a, 0x6d)], ['ArrowUp', e0(0x75, 0x63)], ['ArrowLeft', e0(0x6b, 0x61)],
  ['ArrowDown', e0(0x72, 0x60)], ['ArrowRight', e0(0x74, 0x6a)], ['Help', e0(0x05)],
  // Numeric pad
  ['NumLock', key(0x77, 0x76)], ['NumpadDivide', e0(0x4a, 0x77)], ['NumpadMultiply', key(0x7c, 0x7e)], ['NumpadSubtract', key(0x7b, 0x84)],
  ['Numpad7', key(0x6c, 0x6c)], ['Numpad8', key(0x75, 0x75)], ['Numpad9', key(0x7d, 0x7d)], ['NumpadAdd', key(0x79, 0x7c)],
  ['Numpad4', key(0x6b, 0x6b)], ['Numpad5', key(0x73, 0x73)], ['Numpad6', key(0x74, 0x74)], ['NumpadComma', key(0x6d, 0x7b)],
  ['Numpad1', key(0x69, 0x69)], ['Numpad2', key(0x72, 0x72)], ['Numpad3', key(0x7a, 0x7a)], ['NumpadEnter', e0(0x5a, 0x79)],
  ['Numpad0', key(0x70, 0x70)], ['NumpadDecimal', key(0x71, 0x71)], ['NumpadEqual', key(0x0f, 0)],
  // Function section
  ['Escape', key(0x76, 0x08)], ['F1', key(0x05, 0x07)], ['F2', key(0x06, 0x0f)], ['F3', key(0x04, 0x17)],
  ['F4', key(0x0c, 0x1f)], ['F5', key(0x03, 0x27)], ['F6', key(0x0b, 0x2f)], ['F7', key(0x83, 0x37)],
  ['F8', key(0x0a, 0x3f)], ['F9', key(0x01, 0x47)], ['F10', key(0x09, 0x4f)], ['F11', key(0x78, 0x56)],
  ['F12', key(0x07, 0x5e)], ['F13', key(0x08, 0)], ['F14', key(0x10, 0)], ['F15', key(0x18, 0)],
  ['F16', key(0x20, 0)], ['F17', key(0x28, 0)], ['F18', key(0x30, 0)], ['F19', key(0x38, 0)],
  ['F20', key(0x40, 0)], ['F21', key(0x48, 0)], ['F22', key(0x50, 0)], ['F23', key(0x57, 0)],
  ['F24', key(0x5f, 0)], ['ScrollLock', key(0x7e, 0x5f)],
  // Media, browser, ACPI and editing keys
  ['MediaTrackNext', e0(0x4d, 0x93)], ['MediaTrackPrevious', e0(0x15, 0x94)], ['MediaStop', e0(0x3b, 0x98)], ['MediaPlayPause', e0(0x34, 0x95)],
  ['AudioVolumeMute', e0(0x23, 0x9c)], ['AudioVolumeDown', e0(0x21, 0x9d)], ['AudioVolumeUp', e0(0x32, 0x9e)], ['MediaSelect', e0(0x50)],
  ['VolumeMute', e0(0x23, 0x9c)], ['VolumeDown', e0(0x21, 0x9d)], ['VolumeUp', e0(0x32, 0x9e)], ['LaunchMail', e0(0x48)],
  ['LaunchApp1', e0(0x40)], ['LaunchApp2', e0(0x2b)], ['BrowserSearch', e0(0x10)], ['BrowserHome', e0(0x3a)],
  ['BrowserBack', e0(0x38)], ['BrowserForward', e0(0x30)], ['BrowserStop', e0(0x28)], ['BrowserRefresh', e0(0x20)],
  ['BrowserFavorites', e0(0x18)], ['Power', e0(0x37)], ['Sleep', e0(0x3f)], ['WakeUp', e0(0x5e)],
  ['Eject', e0(0x1a)], ['Undo', e0(0x3d)], ['Cut', e0(0x43)], ['Copy', e0(0x44)], ['Paste', e0(0x46)],
])

export type ScanCodeSet = 1 | 2 | 3

/** Modifiers that change what Pause and PrintScreen send. */
export interface HeldModifiers {
  readonly shift: boolean
  readonly control: boolean
  readonly alt: boolean
}

/** Whether the code names a key that this keyboard has. */
export function isKnownKey(code: string): boolean {
  return code === 'Pause' || code === 'PrintScreen' || KEY_CODES.has(code)
}

/** The bytes that a key sends, or an empty list when it sends nothing (unknown, or no code in this set, or make-only and released). */
export function scanCodes(code: string, pressed: boolean, set: ScanCodeSet, held: HeldModifiers): readonly number[] {
  if (code === 'Pause') return pauseCodes(pressed, set, held)
  if (code === 'PrintScreen') return printScreenCodes(pressed, set, held)
  const entry = KEY_CODES.get(code)
  if (entry === undefined || (entry.makeOnly && !pressed)) return []
  if (set === 3) return entry.set3 === 0 ? [] : pressed ? [entry.set3] : [0xf0, entry.set3]
  return encode(entry.set2, entry.extended, pressed, set)
}

function encode(set2: number, extended: boolean, pressed: boolean, set: 1 | 2): number[] {
  const bytes = extended ? [0xe0] : []
  if (set === 1) bytes.push(translateSet2(set2) | (pressed ? 0 : 0x80))
  else if (pressed) bytes.push(set2)
  else bytes.push(0xf0, set2)
  return bytes
}

/** Pause sends make and break at once when pressed, nothing when released; with Control held it is Break. */
function pauseCodes(pressed: boolean, set: ScanCodeSet, held: HeldModifiers): readonly number[] {
  if (set === 3) return pressed ? [0x62] : [0xf0, 0x62]
  if (!pressed) return []
  if (held.control) return [...encode(0x7e, true, true, set), ...encode(0x7e, true, false, set)]
  return set === 1 ? [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5] : [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77]
}

/** PrintScreen brings a fake shift of its own, unless Shift or Control is held; with Alt held it is SysRq, a plain key. */
function printScreenCodes(pressed: boolean, set: ScanCodeSet, held: HeldModifiers): readonly number[] {
  if (set === 3) return pressed ? [0x57] : [0xf0, 0x57]
  if (held.alt) return encode(0x84, false, pressed, set)
  if (held.shift || held.control) return encode(0x7c, true, pressed, set)
  return pressed
    ? [...encode(0x12, true, true, set), ...encode(0x7c, true, true, set)]
    : [...encode(0x7c, true, false, set), ...encode(0x12, true, false, set)]
}
