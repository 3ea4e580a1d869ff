/** A device's requests to the host: what a reset abandoned finds nobody when it is done. */
import type { CompletionGate, Outcome } from '../../backends/completion-gate'

export class LiveRequests {
  private epoch = 0
  /** Requests under way, abandoned ones too: they still occupy the host. */
  pending = 0

  constructor(private readonly gate: CompletionGate) {}

  /** By a reset: outcomes of what is under way are of no interest any more. */
  abandon(): void {
    this.epoch++
  }

  /** `settled` is called in any case, `done` only if the device was not reset meanwhile. */
  submit<T>(label: string, bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void, settled: () => void = () => undefined): void {
    const { epoch } = this
    this.pending++
    this.gate.submit(label, bytes, work, (outcome) => {
      this.pending--
      if (epoch === this.epoch) done(outcome)
      settled()
    })
  }
}
