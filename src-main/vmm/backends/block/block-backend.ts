/** What a disk or CD drive stores its sectors in. Offsets and lengths in bytes, multiples of 512, inside [0, bytes). */
export interface BlockBackend {
  /** For messages: the file. */
  readonly name: string
  readonly bytes: number
  readonly readOnly: boolean
  /** Fills the targets, one after the other, from `offset` on. Rejects with an Error on I/O trouble. */
  read(offset: number, targets: readonly Uint8Array[]): Promise<void>
  /** Done when the host has the data (not necessarily on stable storage: that is what flush is for). */
  write(offset: number, sources: readonly Uint8Array[]): Promise<void>
  /** Everything written so far is on stable storage when this resolves. */
  flush(): Promise<void>
  /** Absent: cannot. The contents of the range are of no interest any more; what it reads as from now on is not said. */
  discard?(offset: number, bytes: number): Promise<void>
  /** Absent: no better way than writing zeros. */
  writeZeroes?(offset: number, bytes: number): Promise<void>
  /** Flushes and lets go of the file. */
  close(): Promise<void>
}
