import type { CharBackend } from './char-backend'

/** A terminal with a size, as paravirtual consoles know it. */
export interface ConsoleBackend extends CharBackend {
  /** In characters; 0: not known. */
  readonly columns: number
  readonly rows: number
  /** Set by the device; called on the machine's thread. */
  onResized: (() => void) | undefined
}
