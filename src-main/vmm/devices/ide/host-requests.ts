import type { CompletionGate, Outcome } from '../../backends/completion-gate'

/**
 * A drive's requests to the host, one at a time. A guest can abandon a command by a reset and start the next at once, over and over; what it
 * abandoned still occupies the host, so the next request waits for it, and a newer one takes the place of one that waits. Completions of abandoned
 * requests are not delivered. No request outlives a saved state (Machine.settle), so nothing here is saved.
 */
export class HostRequests {
  private generation = 0
  private busy = false
  private waiting: (() => void) | undefined

  constructor(private readonly gate: CompletionGate) {}

  /** The outcome of whatever is under way is of no interest any more. */
  abandon(): void {
    this.generation++
    this.waiting = undefined
  }

  /** `work` makes its buffers when it starts, so that what waits holds no memory. */
  submit<T>(label: string, bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void {
    const { generation } = this
    const start = (): void => {
      this.busy = true
      this.gate.submit(label, bytes, work, (outcome) => {
        this.busy = false
        const next = this.waiting
        this.waiting = undefined
        if (next) next()
        else if (generation === this.generation) done(outcome)
      })
    }
    if (this.busy) this.waiting = start
    else start()
  }
}
