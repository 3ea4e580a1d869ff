/** Feeds key events to the guest at a pace that its keyboard driver and buffers can follow, in virtual time. */
import type { TimerService } from '../time/clock'
import { vmTime } from '../support/branded'

export interface KeyEvent {
  readonly code: string
  readonly pressed: boolean
}

const INTERVAL_NS = 8_000_000

export class KeyTypist {
  private readonly queue: KeyEvent[] = []
  private readonly timer

  constructor(
    private readonly time: TimerService,
    private readonly press: (event: KeyEvent) => void,
  ) {
    this.timer = time.createTimer('key-typist', () => this.next())
  }

  type(events: readonly KeyEvent[]): void {
    const idle = this.queue.length === 0
    this.queue.push(...events)
    if (idle) this.next()
  }

  get pending(): number {
    return this.queue.length
  }

  private next(): void {
    const event = this.queue.shift()
    if (!event) return
    this.press(event)
    if (this.queue.length > 0) this.timer.arm(vmTime(this.time.now() + INTERVAL_NS))
  }
}
