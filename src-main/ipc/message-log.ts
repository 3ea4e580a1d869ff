/** The message log of this run of the app. */
import type { LogMessage } from './contract'

const KEPT = 500

export type NewMessage = Omit<LogMessage, 'number' | 'at' | 'values'> & { readonly values?: LogMessage['values'] }

export class MessageLog {
  private readonly kept: LogMessage[] = []
  private count = 0

  constructor(
    private readonly tell: (message: LogMessage) => void,
    private readonly now: () => number = Date.now,
  ) {}

  add(message: NewMessage): void {
    const entry: LogMessage = { values: {}, ...message, number: ++this.count, at: this.now() }
    this.kept.push(entry)
    if (this.kept.length > KEPT) this.kept.shift()
    this.tell(entry)
  }

  /** Oldest first. */
  get latest(): LogMessage[] {
    return [...this.kept]
  }
}
