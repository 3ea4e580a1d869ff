/**
 * The keyboard while the guest has it: what goes to the guest, and the chord that gives it back. Ctrl+Alt pressed and let go without another key
 * releases; Ctrl+Alt+F2 and the like are the guest's.
 */

export interface KeyMessage {
  readonly code: string
  readonly pressed: boolean
}

const isCtrl = (code: string): boolean => code === 'ControlLeft' || code === 'ControlRight'
const isAlt = (code: string): boolean => code === 'AltLeft' || code === 'AltRight'

export class KeyGrab {
  private readonly held = new Set<string>()
  /** Ctrl and Alt are down, and nothing else has been pressed since. */
  private chord = false

  constructor(
    private readonly send: (message: KeyMessage) => void,
    private readonly release: () => void,
  ) {}

  /** A repeated press is passed on: the guest's keyboard takes its repeats from ours. */
  down(code: string): void {
    if (code === '') return
    this.held.add(code)
    const codes = [...this.held]
    this.chord = codes.some(isCtrl) && codes.some(isAlt) && codes.every((held) => isCtrl(held) || isAlt(held))
    this.send({ code, pressed: true })
  }

  up(code: string): void {
    if (this.chord && (isCtrl(code) || isAlt(code))) {
      this.releaseAll()
      return this.release()
    }
    // A key that went down before the grab is not the guest's.
    if (this.held.delete(code)) this.send({ code, pressed: false })
  }

  /** No key stays down in the guest when it loses the keyboard. */
  releaseAll(): void {
    for (const code of this.held) this.send({ code, pressed: false })
    this.held.clear()
    this.chord = false
  }

  /** Pressed and let go, in this order and back. */
  tap(codes: readonly string[]): void {
    for (const code of codes) this.send({ code, pressed: true })
    for (const code of [...codes].reverse()) this.send({ code, pressed: false })
  }
}
