import { VmmError } from '../errors/vmm-error'
import { vmTime, type VmTime } from '../support/branded'
import type { Clock } from './clock'

/** Nanoseconds per instruction as a fraction: { numerator: 1, denominator: 1 } is a 1 GHz machine that retires one a cycle. */
export interface InstructionRate {
  readonly numerator: number
  readonly denominator: number
}

/**
 * Virtual time is a function of retired instructions plus the idle time that was skipped: the same inputs give the same run, bit for bit.
 * All arithmetic is on exact integers.
 */
export class InstructionClock implements Clock {
  private skipped = 0

  /** `retired`: instructions retired by the machine so far, the running slice included. */
  constructor(
    private readonly retired: () => number,
    private readonly rate: InstructionRate,
  ) {
    const fits = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= 1_000_000
    if (!fits(rate.numerator) || !fits(rate.denominator))
      throw new VmmError('internal/bug', 'instruction rate must be a fraction of integers from 1 to 10^6')
  }

  now(): VmTime {
    return vmTime(this.skipped + this.executed(this.retired()))
  }

  /** Floor(count * numerator / denominator) without a product beyond 2^53. */
  private executed(count: number): number {
    const { numerator, denominator } = this.rate
    const whole = Math.floor(count / denominator)
    return whole * numerator + Math.floor(((count - whole * denominator) * numerator) / denominator)
  }

  /** Instructions to retire from now until `now() >= deadline`. */
  instructionsUntil(deadline: VmTime): number {
    const count = this.retired()
    const target = deadline - this.skipped
    if (this.executed(count) >= target) return 0
    const { numerator, denominator } = this.rate
    const whole = Math.floor(target / numerator)
    return whole * denominator + Math.ceil(((target - whole * numerator) * denominator) / numerator) - count
  }

  /** Every vCPU is halted: time jumps to the next deadline. Never goes back. */
  skipTo(deadline: VmTime): void {
    const ahead = deadline - this.now()
    if (ahead > 0) this.skipped += ahead
  }

  save(): { readonly skipped: number } {
    return { skipped: this.skipped }
  }

  load(state: { readonly skipped: number }): void {
    this.skipped = state.skipped
  }
}
