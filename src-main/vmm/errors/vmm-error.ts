/** Errors the user sees: what went wrong, with which file or option, and what to do about it. */
export type VmmErrorCode =
  | 'config/bad-option'
  | 'config/contradiction'
  | 'file/not-found'
  | 'file/not-a-file'
  | 'file/unreadable'
  | 'file/too-small'
  | 'file/wrong-format'
  | 'memory/too-much'
  | 'memory/initrd-does-not-fit'
  | 'state/wrong-format'
  | 'state/mismatch'
  | 'machine/triple-fault'
  /** A file that comes with the program is missing or cannot be read. */
  | 'installation/incomplete'
  | 'internal/bug'

export class VmmError extends Error {
  constructor(
    readonly code: VmmErrorCode,
    /** One line: what, where, what to do. */
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'VmmError'
  }
}
