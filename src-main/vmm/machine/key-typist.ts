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
    for (const event of events) this.queue.push(event)
    // The timer also runs after the last event: what is typed next keeps its distance.
    if (this.timer.deadline === undefined) this.next()
  }

  /** What has not been typed yet is forgotten: the guest starts anew. */
  clear(): void {
    this.queue.length = 0
  }

  get pending(): number {
    return this.queue.length
  }

  private next(): void {
    const event = this.queue.shift()
    if (!event) return
    this.press(event)
    this.timer.arm(vmTime(this.time.now() + INTERVAL_NS))
  }
}
