import { NullCharBackend, QueueCharBackend, type CharBackend } from './char-backend'

/** A terminal with a size, as paravirtual consoles know it. */
export interface ConsoleBackend extends CharBackend {
  /** In characters; 0: not known. */
  readonly columns: number
  readonly rows: number
  /** Set by the device; called on the machine's thread. */
  onResized: (() => void) | undefined
}

/** Swallows everything, never says anything. */
export class NullConsole extends NullCharBackend implements ConsoleBackend {
  readonly columns = 0
  readonly rows = 0
  onResized: (() => void) | undefined = undefined
}

/** In memory, as QueueCharBackend, with a size that whoever shows it sets. */
export class QueueConsole extends QueueCharBackend implements ConsoleBackend {
  columns = 0
  rows = 0
  onResized: (() => void) | undefined = undefined

  resize(columns: number, rows: number): void {
    if (columns === this.columns && rows === this.rows) return
    this.columns = columns
    this.rows = rows
    this.onResized?.()
  }
}
