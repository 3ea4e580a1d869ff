import type { CompletionGate, Outcome } from '../backends/completion-gate'
import { vmTime } from '../support/branded'
import type { TimerService } from '../time/clock'

interface Pending {
  /** Set when the host is done: delivers the outcome to the device. */
  deliver: (() => void) | undefined
}

/** Modelled cost of a request under InstructionClock: a fast disk. */
const LATENCY_NS = 100_000
const NS_PER_KIB = 500

/**
 * Completions under HostClock: delivered as soon as the host is done, at the next turn of the run loop, in order of completion.
 */
export class HostGate implements CompletionGate {
  readonly needsTime = false
  private readonly finished: (() => void)[] = []
  private running = 0

  constructor(private readonly wake: () => void) {}

  submit<T>(_label: string, _bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void {
    this.running++
    settle(work, (outcome) => {
      this.finished.push(() => done(outcome))
      this.wake()
    })
  }

  /** Requests that the guest has not seen completed. */
  get pending(): number {
    return this.running
  }

  /** Delivers what has finished. */
  deliver(): void {
    for (let next = this.finished.shift(); next; next = this.finished.shift()) {
      this.running--
      next()
    }
  }

  /** Resolves when something is there to deliver. */
  blocked(): Promise<void> | undefined {
    return undefined
  }
}

/**
 * Completions under InstructionClock: each is due at a virtual time that depends only on the request; when the host is not done by then, the
 * machine waits for it.
 */
export class DeterministicGate implements CompletionGate {
  /** Nothing completes while virtual time stands still. */
  readonly needsTime = true
  private readonly requests = new Set<Pending>()
  private readonly due: Pending[] = []

  constructor(
    private readonly timers: TimerService,
    private readonly wake: () => void,
  ) {}

  submit<T>(label: string, bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void {
    const pending: Pending = { deliver: undefined }
    this.requests.add(pending)
    settle(work, (outcome) => {
      pending.deliver = (): void => done(outcome)
      this.wake()
    })
    const timer = this.timers.createTimer(`completion: ${label}`, () => this.due.push(pending))
    timer.arm(vmTime(this.timers.now() + LATENCY_NS + Math.ceil(bytes / 1024) * NS_PER_KIB))
  }

  get pending(): number {
    return this.requests.size
  }

  deliver(): void {
    for (let next = this.due[0]; next?.deliver; next = this.due[0]) {
      this.due.shift()
      this.requests.delete(next)
      next.deliver()
    }
  }

  /** While a due request is not done, not one further instruction may run. */
  blocked(): Promise<void> | undefined {
    const first = this.due[0]
    if (!first || first.deliver) return undefined
    return new Promise((resolve) => {
      const look = (): void => {
        if (first.deliver) resolve()
        else setTimeout(look, 0)
      }
      look()
    })
  }
}

export type MachineGate = HostGate | DeterministicGate

function settle<T>(work: () => Promise<T>, then: (outcome: Outcome<T>) => void): void {
  Promise.resolve()
    .then(work)
    .then(
      (value) => then({ ok: true, value }),
      (error: unknown) => then({ ok: false, error: error instanceof Error ? error : new Error(String(error)) }),
    )
    .catch((error: unknown) => {
      // A device's completion handler threw: that is a bug of ours, not of the host's I/O.
      throw error
    })
}
