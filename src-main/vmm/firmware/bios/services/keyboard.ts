/** INT 16h and the translation behind INT 09h. IBM PS/2 and PC BIOS Interface Technical Reference. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import type { BiosOptions, BiosTask } from '../host'
import { greyKeyRow, keyRow } from './key-table'

const RIGHT_SHIFT = 0x01
const LEFT_SHIFT = 0x02
const CONTROL = 0x04
const ALT = 0x08
const SCROLL_LOCK = 0x10
const NUM_LOCK = 0x20
const CAPS_LOCK = 0x40
const INSERT = 0x80
/** 40:18h. */
const LEFT_CONTROL = 0x01
const LEFT_ALT = 0x02
const SYSTEM_REQUEST = 0x04
const PAUSED = 0x08
/** 40:96h. */
const LAST_E1 = 0x01
const LAST_E0 = 0x02
const RIGHT_CONTROL = 0x04
const RIGHT_ALT = 0x08
const ENHANCED = 0x10

/** More keys than a buffer inside the BIOS data area can hold. */
const MAX_KEYS = 128

/** What INT 09h's entry point has left to do (AH). */
const LEFT_NOTHING = 0
const LEFT_BREAK = 1
const LEFT_PRINT_SCREEN = 2
const LEFT_SYSTEM_REQUEST = 3

export class KeyboardService {
  constructor(private readonly options: BiosOptions) {}

  private get8(address: number): number {
    return this.options.memory.readU8(gpa(address))
  }
  private set8(address: number, value: number): void {
    this.options.memory.writeU8(gpa(address), value & 0xff)
  }
  private get16(address: number): number {
    return this.options.memory.readU16(gpa(address))
  }
  private set16(address: number, value: number): void {
    this.options.memory.writeU16(gpa(address), value & 0xffff)
  }

  // ---- buffer -------------------------------------------------------------------------------------------------------------------------

  private next(pointer: number): number {
    const following = pointer + 2
    return following >= this.get16(bda.BDA_KEY_BUFFER_END) ? this.get16(bda.BDA_KEY_BUFFER_START) : following
  }
  peek(): number | undefined {
    const head = this.get16(bda.BDA_KEY_HEAD)
    return head === this.get16(bda.BDA_KEY_TAIL) ? undefined : this.get16(0x400 + head)
  }
  take(): number | undefined {
    const key = this.peek()
    if (key !== undefined) this.set16(bda.BDA_KEY_HEAD, this.next(this.get16(bda.BDA_KEY_HEAD)))
    return key
  }
  /** False: full. */
  private put(key: number): boolean {
    const tail = this.get16(bda.BDA_KEY_TAIL)
    const following = this.next(tail)
    if (following === this.get16(bda.BDA_KEY_HEAD)) return false
    this.set16(0x400 + tail, key)
    this.set16(bda.BDA_KEY_TAIL, following)
    return true
  }

  // ---- INT 16h ------------------------------------------------------------------------------------------------------------------------

  handle(context: BiosContext): BiosTask | undefined {
    switch (context.ah) {
      case 0x00:
      case 0x10:
      case 0x20:
        return this.read(context, context.ah !== 0)
      case 0x01:
      case 0x11:
      case 0x21: {
        const isExtended = context.ah !== 1
        const key = this.peekFor(isExtended)
        context.zero = key === undefined
        if (key !== undefined) context.ax = key
        return undefined
      }
      case 0x02:
        context.al = this.get8(bda.BDA_SHIFT_FLAGS)
        return undefined
      case 0x12:
      case 0x22: {
        const flags = this.get8(bda.BDA_SHIFT_FLAGS_2)
        const more = this.get8(bda.BDA_KEYBOARD_FLAGS_3)
        context.al = this.get8(bda.BDA_SHIFT_FLAGS)
        context.ah = (flags & 0x73) | (more & 0x0c) | ((flags & SYSTEM_REQUEST) << 5)
        return undefined
      }
      case 0x03:
        // Typematic rate: the host's keyboard repeats.
        return undefined
      case 0x05:
        context.al = this.put(context.cx) ? 0 : 1
        return undefined
      case 0x09:
        // Extended reads are there; no typematic query.
        context.al = 0x20
        return undefined
      case 0x92:
        context.ah = 0x80
        return undefined
      case 0xa2:
        return undefined
      default:
        this.options.unsupported?.(`INT 16h AH=${context.ah.toString(16)}h`)
        return undefined
    }
  }

  /** Functions 0 and 1 know the grey keys as what the old keyboard had in their place, and F11 and F12 not at all. */
  private static plain(key: number): number | undefined {
    const high = key >> 8
    const low = key & 0xff
    if (low === 0xe0 && high !== 0) return key & 0xff00
    if (low === 0xf0 && high !== 0) return undefined
    if (high === 0xe0) return (low === 0x2f ? 0x3500 : 0x1c00) | low
    if (high >= 0x85 && low === 0) return undefined
    return key
  }
  /** The pointers are the guest's: with an odd tail the buffer never looks empty, so the search ends after its size. */
  private peekFor(isExtended: boolean): number | undefined {
    for (let looked = 0; looked < MAX_KEYS; looked++) {
      const key = this.peek()
      if (key === undefined || isExtended) return key
      const plain = KeyboardService.plain(key)
      if (plain !== undefined) return plain
      this.take()
    }
    return undefined
  }
  private *read(context: BiosContext, isExtended: boolean): BiosTask {
    for (;;) {
      const key = this.peekFor(isExtended)
      if (key !== undefined) {
        this.take()
        context.ax = key
        return
      }
      yield 'halt'
    }
  }

  // ---- INT 09h ------------------------------------------------------------------------------------------------------------------------

  /** AL: scan code. AH on return: what the entry point must still do. */
  scanCode(context: BiosContext): void {
    context.ah = this.translate(context.al)
  }

  private translate(code: number): number {
    const more = this.get8(bda.BDA_KEYBOARD_FLAGS_3)
    if (code === 0xe0 || code === 0xe1) {
      this.set8(bda.BDA_KEYBOARD_FLAGS_3, more | ENHANCED | (code === 0xe0 ? LAST_E0 : LAST_E1))
      return LEFT_NOTHING
    }
    if (code === 0xfa || code === 0xfe || code === 0xee || code === 0xff || code === 0) return LEFT_NOTHING
    const isGrey = (more & LAST_E0) !== 0
    const isPause = (more & LAST_E1) !== 0
    const isRelease = (code & 0x80) !== 0
    const scan = code & 0x7f
    if (isPause) {
      // E1 1D 45 E1 9D C5: the prefix covers two codes.
      if (scan !== 0x1d) this.set8(bda.BDA_KEYBOARD_FLAGS_3, more & ~LAST_E1)
      return LEFT_NOTHING
    }
    this.set8(bda.BDA_KEYBOARD_FLAGS_3, more & ~LAST_E0)
    if (this.modifier(scan, isGrey, isRelease)) return LEFT_NOTHING
    return this.key(scan, isGrey, isRelease)
  }

  private change(address: number, bit: number, on: boolean): void {
    const old = this.get8(address)
    this.set8(address, on ? old | bit : old & ~bit)
  }

  /** Keeps 40:17h, 18h and 96h. True: the code was a modifier's. */
  private modifier(scan: number, isGrey: boolean, isRelease: boolean): boolean {
    const on = !isRelease
    switch (scan) {
      case 0x2a:
      case 0x36:
        // The keyboard puts shifts of its own around grey keys.
        if (!isGrey) this.change(bda.BDA_SHIFT_FLAGS, scan === 0x2a ? LEFT_SHIFT : RIGHT_SHIFT, on)
        return true
      case 0x1d: {
        if (isGrey) this.change(bda.BDA_KEYBOARD_FLAGS_3, RIGHT_CONTROL, on)
        else this.change(bda.BDA_SHIFT_FLAGS_2, LEFT_CONTROL, on)
        const either = (this.get8(bda.BDA_SHIFT_FLAGS_2) & LEFT_CONTROL) !== 0 || (this.get8(bda.BDA_KEYBOARD_FLAGS_3) & RIGHT_CONTROL) !== 0
        this.change(bda.BDA_SHIFT_FLAGS, CONTROL, either)
        return true
      }
      case 0x38: {
        if (isGrey) this.change(bda.BDA_KEYBOARD_FLAGS_3, RIGHT_ALT, on)
        else this.change(bda.BDA_SHIFT_FLAGS_2, LEFT_ALT, on)
        const either = (this.get8(bda.BDA_SHIFT_FLAGS_2) & LEFT_ALT) !== 0 || (this.get8(bda.BDA_KEYBOARD_FLAGS_3) & RIGHT_ALT) !== 0
        this.change(bda.BDA_SHIFT_FLAGS, ALT, either)
        const typed = this.get8(bda.BDA_ALT_NUMPAD)
        if (!either && typed !== 0) {
          this.set8(bda.BDA_ALT_NUMPAD, 0)
          this.put(typed)
        }
        return true
      }
      case 0x3a:
        return this.lockKey(CAPS_LOCK, isRelease)
      case 0x46:
        if (isGrey || (this.get8(bda.BDA_SHIFT_FLAGS) & CONTROL) !== 0) return false
        return this.lockKey(SCROLL_LOCK, isRelease)
      case 0x45:
        return isGrey ? false : this.lockKey(NUM_LOCK, isRelease)
      default:
        return false
    }
  }
  private lockKey(bit: number, isRelease: boolean): boolean {
    // 40:18h holds the key itself, so that repeats do not toggle.
    const isDown = (this.get8(bda.BDA_SHIFT_FLAGS_2) & bit) !== 0
    if (!isRelease && !isDown) this.set8(bda.BDA_SHIFT_FLAGS, this.get8(bda.BDA_SHIFT_FLAGS) ^ bit)
    this.change(bda.BDA_SHIFT_FLAGS_2, bit, !isRelease)
    return true
  }

  private key(scan: number, isGrey: boolean, isRelease: boolean): number {
    const flags = this.get8(bda.BDA_SHIFT_FLAGS)
    const isControl = (flags & CONTROL) !== 0
    const isAlt = (flags & ALT) !== 0
    if (scan === 0x54 || (scan === 0x37 && isGrey && isAlt)) {
      this.change(bda.BDA_SHIFT_FLAGS_2, SYSTEM_REQUEST, !isRelease)
      return LEFT_SYSTEM_REQUEST
    }
    if (isRelease) {
      if (scan === 0x52) this.change(bda.BDA_SHIFT_FLAGS_2, INSERT, false)
      return LEFT_NOTHING
    }
    if (scan === 0x53 && isControl && isAlt) {
      this.set16(bda.BDA_RESET_FLAG, 0x1234)
      this.options.io.pioWrite(0x64, 1, 0xfe)
      return LEFT_NOTHING
    }
    if (scan === 0x46 && isControl) {
      // Ctrl-Break empties the buffer.
      this.set8(bda.BDA_BREAK, 0x80)
      this.set16(bda.BDA_KEY_HEAD, this.get16(bda.BDA_KEY_BUFFER_START))
      this.set16(bda.BDA_KEY_TAIL, this.get16(bda.BDA_KEY_BUFFER_START))
      this.put(0)
      return LEFT_BREAK
    }
    if (scan === 0x37 && isGrey && !isControl) return LEFT_PRINT_SCREEN
    if (scan === 0x52 && !isAlt && (this.get8(bda.BDA_SHIFT_FLAGS_2) & INSERT) === 0) {
      this.set8(bda.BDA_SHIFT_FLAGS, this.get8(bda.BDA_SHIFT_FLAGS) ^ INSERT)
      this.change(bda.BDA_SHIFT_FLAGS_2, INSERT, true)
    }
    const code = this.character(scan, isGrey, flags)
    if (code !== undefined) this.put(code)
    this.change(bda.BDA_SHIFT_FLAGS_2, PAUSED, false)
    return LEFT_NOTHING
  }

  private character(scan: number, isGrey: boolean, flags: number): number | undefined {
    const isShift = (flags & (LEFT_SHIFT | RIGHT_SHIFT)) !== 0
    const row = (isGrey ? greyKeyRow(scan) : undefined) ?? keyRow(scan)
    if (row === undefined) return undefined
    const isKeypad = scan >= 0x47 && scan <= 0x53 && !isGrey
    let column: 0 | 1 | 2 | 3
    if ((flags & ALT) !== 0) {
      if (isKeypad && scan !== 0x4a && scan !== 0x4e) {
        // Alt and digits type a character by its number.
        const digit = [7, 8, 9, -1, 4, 5, 6, -1, 1, 2, 3, 0][scan - 0x47] ?? -1
        if (digit >= 0) this.set8(bda.BDA_ALT_NUMPAD, this.get8(bda.BDA_ALT_NUMPAD) * 10 + digit)
        return undefined
      }
      column = 3
    } else if ((flags & CONTROL) !== 0) column = 2
    else if (isKeypad && scan !== 0x4a && scan !== 0x4e) column = isShift !== ((flags & NUM_LOCK) !== 0) ? 1 : 0
    else {
      const low = row[0] & 0xff
      const isLetter = low >= 0x61 && low <= 0x7a
      column = isShift !== (isLetter && (flags & CAPS_LOCK) !== 0) ? 1 : 0
    }
    const code = row[column]
    return code < 0 ? undefined : code
  }
}
