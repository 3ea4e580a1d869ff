/**
 * The keyboard while the guest has it: what goes to the guest, the chord that gives it back, and those that stay the window's. Ctrl+Alt pressed and let go
 * without another key releases; Ctrl+Alt+F2 and the like are the guest's; after Ctrl+Alt+Space so is the next combination, whatever it is.
 */

export interface KeyMessage {
  readonly code: string
  readonly pressed: boolean
}

const isCtrl = (code: string): boolean => code === 'ControlLeft' || code === 'ControlRight'
const isAlt = (code: string): boolean => code === 'AltLeft' || code === 'AltRight'

const isMeta = (code: string): boolean => code === 'MetaLeft' || code === 'MetaRight'
const isModifier = (code: string): boolean => isCtrl(code) || isAlt(code) || isMeta(code) || code === 'ShiftLeft' || code === 'ShiftRight'

const PASS_NEXT = 'Space'

/** Whose keyboard it is: Windows and macOS tell some keys in ways of their own. */
export type Keyboard = 'windows' | 'mac' | 'other'

export interface GrabHost {
  readonly keyboard: Keyboard
  send(message: KeyMessage): void
  release(): void
  /** What the window does at Ctrl+Alt with this key; undefined: it is the guest's. */
  takes(code: string): (() => void) | undefined
}

export class KeyGrab {
  private readonly held = new Set<string>()
  /** Down, but not the guest's to know. */
  private readonly kept = new Set<string>()
  /** Ctrl and Alt are down, and nothing else has been pressed since. */
  private chord = false
  /** The next combination is the guest's, or the one that is being pressed. */
  private passing: 'no' | 'next' | 'now' = 'no'
  /** AltGr is down, on Windows. */
  private altGraph = false
  private last = ''

  constructor(private readonly host: GrabHost) {}

  /** A repeated press is passed on: the guest's keyboard takes its repeats from ours. `key`: KeyboardEvent.key. */
  down(code: string, key = ''): void {
    const { keyboard } = this.host
    // macOS tells that the lock has gone on and that it has gone off, not the presses.
    if (keyboard === 'mac' && code === 'CapsLock') return this.tap([code])
    if (keyboard === 'windows' && this.isAdded(code, key)) return
    this.last = code
    if (code === '' || this.kept.has(code)) return
    if (this.passing !== 'no') this.passing = 'now'
    else if (this.chord && this.keeps(code)) return
    this.held.add(code)
    const codes = [...this.held]
    this.chord = this.passing === 'no' && codes.some(isCtrl) && codes.some(isAlt) && codes.every((held) => isCtrl(held) || isAlt(held))
    this.host.send({ code, pressed: true })
  }

  up(code: string): void {
    const { keyboard } = this.host
    if (keyboard === 'mac' && code === 'CapsLock') return this.tap([code])
    // Windows tells its release only.
    if (keyboard === 'windows' && code === 'PrintScreen' && !this.held.has(code)) this.down(code)
    if (code === 'AltRight') this.altGraph = false
    // macOS tells no releases while Command is down.
    if (keyboard === 'mac' && isMeta(code)) for (const held of [...this.held]) if (!isModifier(held)) this.up(held)
    if (this.kept.delete(code)) return
    if (this.chord && (isCtrl(code) || isAlt(code))) {
      this.releaseAll()
      return this.host.release()
    }
    // A key that went down before the grab is not the guest's.
    if (this.held.delete(code)) this.host.send({ code, pressed: false })
    if (this.held.size === 0 && this.passing === 'now') this.passing = 'no'
  }

  /** No key stays down in the guest when it loses the keyboard. */
  releaseAll(): void {
    this.letGo()
    this.kept.clear()
    this.passing = 'no'
    this.altGraph = false
  }

  /** Pressed and let go, in this order and back. */
  tap(codes: readonly string[]): void {
    for (const code of codes) this.host.send({ code, pressed: true })
    for (const code of [...codes].reverse()) this.host.send({ code, pressed: false })
  }

  /** Windows makes AltGr of Ctrl and Alt: the Ctrl that it presses before is not the guest's. */
  private isAdded(code: string, key: string): boolean {
    if (code === 'ControlLeft') return this.altGraph
    if (code !== 'AltRight' || key !== 'AltGraph') return false
    if (!this.altGraph && this.last === 'ControlLeft' && this.held.delete('ControlLeft')) this.host.send({ code: 'ControlLeft', pressed: false })
    this.altGraph = true
    return false
  }

  private keeps(code: string): boolean {
    if (code === PASS_NEXT) {
      // Ctrl and Alt stay down in the guest: the combination may go on from there.
      this.passing = 'next'
      this.chord = false
      this.kept.add(code)
      return true
    }
    if (isCtrl(code) || isAlt(code)) return false
    const run = this.host.takes(code)
    if (!run) return false
    for (const held of [...this.held, code]) this.kept.add(held)
    // Let go in the guest first: the window may press keys of its own, or give the keyboard back.
    this.letGo()
    run()
    return true
  }

  private letGo(): void {
    for (const code of this.held) this.host.send({ code, pressed: false })
    this.held.clear()
    this.chord = false
  }
}
