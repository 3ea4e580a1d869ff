/** A file of which nobody knows what it is: read in pieces, never more than a budget, whatever its contents ask for. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** Of all reads for one description. Directories of an ISO and the ends of a firmware image are the most that is needed. */
const BUDGET_BYTES = 16 << 20

export class MediaFile {
  private left = BUDGET_BYTES

  private constructor(
    private readonly handle: FileHandle,
    readonly path: string,
    readonly bytes: number,
  ) {}

  /** undefined: no regular file. A pipe or device in a file's place would never end. */
  static async open(path: string): Promise<MediaFile | undefined> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const info = await handle.stat()
      if (info.isFile()) return new MediaFile(handle, path, info.size)
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
    return undefined
  }

  /** What is there of [offset, offset + length): shorter at the end of the file, and when the budget is used up. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.bytes) return new Uint8Array(0)
    const wanted = Math.min(length, this.bytes - offset, this.left)
    if (wanted <= 0) return new Uint8Array(0)
    this.left -= wanted
    const buffer = new Uint8Array(wanted)
    let done = 0
    while (done < wanted) {
      const { bytesRead } = await this.handle.read(buffer, done, wanted - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return buffer.subarray(0, done)
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/** Little-endian view of bytes that may be too few: what is not there reads as 0. */
export class Fields {
  private readonly view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(at: number): number {
    return this.bytes[at] ?? 0
  }

  u16(at: number): number {
    return at >= 0 && at + 2 <= this.bytes.length ? this.view.getUint16(at, true) : 0
  }

  u32(at: number): number {
    return at >= 0 && at + 4 <= this.bytes.length ? this.view.getUint32(at, true) : 0
  }

  /** Numbers beyond 2^53 are no place in any file: Infinity. */
  u64(at: number): number {
    const value = this.u32(at) + this.u32(at + 4) * 0x1_0000_0000
    return Number.isSafeInteger(value) ? value : Infinity
  }

  /** Bytes as Latin-1. */
  text(at: number, length: number): string {
    return Buffer.from(this.bytes.subarray(at, at + length)).toString('latin1')
  }

  /** Up to a 0. */
  asciiz(at: number, most: number): string {
    return /^[^\0]*/.exec(this.text(at, most))?.[0] ?? ''
  }

  matches(at: number, magic: string | readonly number[]): boolean {
    const wanted = typeof magic === 'string' ? [...Buffer.from(magic, 'latin1')] : magic
    return at + wanted.length <= this.bytes.length && wanted.every((byte, i) => this.bytes[at + i] === byte)
  }
}
