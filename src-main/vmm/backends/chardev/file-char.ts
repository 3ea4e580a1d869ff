/** A serial port that goes into a file: what the guest writes is added at its end, nothing ever comes back. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileError } from '../block/raw-file'
import type { CharBackend } from './char-backend'

const PIECE_BYTES = 4096

export class FileCharBackend implements CharBackend {
  onReadable: (() => void) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  private readonly piece: Uint8Array = new Uint8Array(PIECE_BYTES)
  private used = 0

  private constructor(
    private readonly file: number,
    private readonly path: string,
    /** Called once for a row of failures: the disk is full, say. What the guest writes meanwhile is lost. */
    private readonly failed: (message: string) => void,
    private failing = false,
  ) {}

  static open(path: string, failed: (message: string) => void): FileCharBackend {
    try {
      return new FileCharBackend(openSync(path, 'a', 0o600), path, failed)
    } catch (error) {
      throw fileError(error, 'serial port', path)
    }
  }

  write(byte: number): boolean {
    this.piece[this.used++] = byte
    if (this.used === PIECE_BYTES) this.flush()
    return true
  }

  read(): number | undefined {
    return undefined
  }

  /** Between slices: what the guest has written since. */
  flush(): void {
    const bytes = this.piece.subarray(0, this.used)
    this.used = 0
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done)
      if (bytes.length > 0) this.failing = false
    } catch (error) {
      if (!this.failing) this.failed(fileError(error, 'serial port', this.path).message)
      this.failing = true
    }
  }

  close(): void {
    this.flush()
    closeSync(this.file)
  }
}
