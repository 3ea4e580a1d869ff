/** What a disk or CD drive stores its sectors in. Offsets and lengths in bytes, multiples of 512, inside [0, bytes). */
export interface BlockBackend {
  /** For messages: the file. */
  readonly name: string
  /** May grow or shrink while it is open: whoever sees that tells the drive. */
  readonly bytes: number
  readonly readOnly: boolean
  /** Fills the targets, one after the other, from `offset` on. Rejects with an Error on I/O trouble. */
  read(offset: number, targets: readonly Uint8Array[]): Promise<void>
  /** Done when the host has the data (not necessarily on stable storage: that is what flush is for). */
  write(offset: number, sources: readonly Uint8Array[]): Promise<void>
  /**
   * The same, done when it returns true. False: nothing has happened, since the host has lately been slow and would hold the thread; take the promise.
   * Throws on I/O trouble. For callers only whose guest may see the host's speed.
   */
  readNow?(offset: number, targets: readonly Uint8Array[]): boolean
  writeNow?(offset: number, sources: readonly Uint8Array[]): boolean
  /** Zeroes by a quicker way than writing them. Absent: writeZeroes() in zeroes.ts writes them. */
  writeZeroes?(offset: number, bytes: number): Promise<void>
  /** The contents are of no use any more; what is read there afterwards may be anything that was there, or zeroes. Absent: the drive does not offer it. */
  discard?(offset: number, bytes: number): Promise<void>
  /** Everything written so far is on stable storage when this resolves. */
  flush(): Promise<void>
  /** Flushes and lets go of the file. */
  close(): Promise<void>
}
