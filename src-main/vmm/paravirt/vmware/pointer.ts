/** The absolute pointer (vmmouse): packets of four words in a queue; the PS/2 mouse's interrupt tells the guest to look. */
import type { CallingProcessor } from '../hypervisor-interface'
import * as reg from './registers'
import type { VmwareState } from './state'

const WORDS_OF_PACKET = 4
const MAX_WORDS = 1024
/** Buttons as everywhere in the machine: bit 0 left, 1 right, 2 middle. */
const BUTTONS: readonly number[] = [reg.BUTTON_LEFT, reg.BUTTON_RIGHT, reg.BUTTON_MIDDLE]

export class Pointer {
  constructor(private readonly state: VmwareState) {}

  /** The guest follows places on the screen. */
  get absolute(): boolean {
    const { enabled, absolute } = this.state.pointer
    return enabled && absolute
  }

  /** x, y: 0..65535 of the screen; `wheel`: notches, down positive. What the guest does not fetch is lost, newest first. */
  move(x: number, y: number, wheel: number, buttons: number): void {
    const { pointer } = this.state
    if (pointer.queue.length + WORDS_OF_PACKET > MAX_WORDS) return
    const bits = BUTTONS.reduce((all, bit, i) => (((buttons >> i) & 1) === 0 ? all : all | bit), 0)
    pointer.queue.push(bits, x & 0xffff, y & 0xffff, wheel >>> 0)
  }

  /** EBX: what to do. */
  command(what: number): void {
    const { pointer } = this.state
    switch (what) {
      case reg.POINTER_ENABLE:
        pointer.enabled = true
        pointer.queue = [reg.POINTER_VERSION]
        break
      case reg.POINTER_DISABLE:
        pointer.enabled = false
        pointer.absolute = false
        pointer.queue = []
        break
      case reg.POINTER_ABSOLUTE:
        pointer.absolute = true
        break
      case reg.POINTER_RELATIVE:
        pointer.absolute = false
        break
    }
  }

  /** Words in the queue. */
  status(): number {
    const { enabled, queue } = this.state.pointer
    return enabled ? queue.length : reg.POINTER_ERROR
  }

  /** Hands out up to four words; the first is the answer, the others are put into registers. */
  take(words: number, processor: CallingProcessor): number {
    const { queue } = this.state.pointer
    if (words < 1 || words > WORDS_OF_PACKET || words > queue.length) return reg.UNKNOWN
    const [first = 0, ...others] = queue.splice(0, words)
    const places = ['rbx', 'rcx', 'rdx'] as const
    others.forEach((word, i) => processor.setGpr32(places[i] ?? 'rdx', word))
    return first
  }
}
