/** Raw disk images and ISO files: bytes as they are, through the host's page cache; flush is fdatasync, and so is the end of each write to a disk without a write cache. */
import { readvSync, writevSync } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { VmmError } from '../../errors/vmm-error'
import type { BlockBackend } from './block-backend'
import { PromptHost } from './prompt-host'

const SECTOR_BYTES = 512
const CD_SECTOR_BYTES = 2048
/** Of one readv() or writev(): POSIX's IOV_MAX on Linux and macOS. */
const MAX_PIECES = 1024
/** More than that is moved by the thread pool, which takes its time beside the machine. */
const MAX_PROMPT_BYTES = 0x100000

export interface RawFileOptions {
  readonly readOnly: boolean
  /** A write is done when it is on the host's disk. */
  readonly writeThrough?: boolean
  /** The command-line option or setting that named the file, for messages. */
  readonly option: string
}

export class RawFile implements BlockBackend {
  private readonly prompt: PromptHost = new PromptHost()

  private constructor(
    readonly name: string,
    private size: number,
    readonly readOnly: boolean,
    private readonly file: FileHandle,
    private readonly writeThrough = false,
  ) {}

  get bytes(): number {
    return this.size
  }

  /** The file was made larger or smaller by its owner: takes the new size, in whole sectors. */
  async refresh(): Promise<void> {
    const { size } = await this.file.stat()
    this.size = Math.floor(size / SECTOR_BYTES) * SECTOR_BYTES
  }

  /** Opens a disk image; its size must be a whole number of sectors. */
  static async openDisk(path: string, options: RawFileOptions): Promise<RawFile> {
    const { file, bytes } = await openFile(path, options)
    if (bytes < SECTOR_BYTES || bytes % SECTOR_BYTES !== 0) {
      await file.close()
      throw new VmmError('file/too-small', `${options.option} ${path}: ${bytes} bytes is no whole number of ${SECTOR_BYTES}-byte sectors; is it a raw disk image, and complete?`)
    }
    return new RawFile(path, bytes, options.readOnly, file, options.writeThrough)
  }

  /** Opens a CD image (ISO 9660 or other); always read-only. A volume that is longer than its file is refused as truncated. */
  static async openCd(path: string, option: string): Promise<RawFile> {
    const { file, bytes } = await openFile(path, { readOnly: true, option })
    try {
      if (bytes < CD_SECTOR_BYTES) throw new VmmError('file/too-small', `${option} ${path}: ${bytes} bytes is less than one CD sector; give an ISO file`)
      await checkVolume(file, bytes, path, option)
    } catch (error) {
      await file.close()
      throw error
    }
    return new RawFile(path, Math.floor(bytes / CD_SECTOR_BYTES) * CD_SECTOR_BYTES, true, file)
  }

  async read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    let at = offset
    for (const pieces of batches(targets)) {
      for (let left = pieces; left.length > 0; ) {
        const { bytesRead } = await this.file.readv(left, at)
        if (bytesRead === 0) throw this.endedAt(at)
        at += bytesRead
        left = after(left, bytesRead)
      }
    }
  }

  async write(offset: number, sources: readonly Uint8Array[]): Promise<void> {
    this.checkWrite(offset, sources)
    let at = offset
    for (const pieces of batches(sources)) {
      for (let left = pieces; left.length > 0; ) {
        const { bytesWritten } = await this.file.writev(left, at)
        at += bytesWritten
        left = after(left, bytesWritten)
      }
    }
    if (this.writeThrough) await this.file.datasync()
  }

  readNow(offset: number, targets: readonly Uint8Array[]): boolean {
    if (bytesOf(targets) > MAX_PROMPT_BYTES) return false
    return this.prompt.attempt(() => {
      let at = offset
      for (const pieces of batches(targets)) {
        for (let left = pieces; left.length > 0; ) {
          const bytes = readvSync(this.file.fd, left, at)
          if (bytes === 0) throw this.endedAt(at)
          at += bytes
          left = after(left, bytes)
        }
      }
    })
  }

  writeNow(offset: number, sources: readonly Uint8Array[]): boolean {
    this.checkWrite(offset, sources)
    // Bringing it to the disk takes its time.
    if (this.writeThrough || bytesOf(sources) > MAX_PROMPT_BYTES) return false
    return this.prompt.attempt(() => {
      let at = offset
      for (const pieces of batches(sources)) {
        for (let left = pieces; left.length > 0; ) {
          const bytes = writevSync(this.file.fd, left, at)
          at += bytes
          left = after(left, bytes)
        }
      }
    })
  }

  /** Whatever a device's registers say: the host's file does not grow. */
  private checkWrite(offset: number, sources: readonly Uint8Array[]): void {
    if (this.readOnly) throw new Error(`${this.name} is read-only`)
    const bytes = bytesOf(sources)
    if (!(offset >= 0 && offset + bytes <= this.bytes)) throw new Error(`${this.name}: a write of ${bytes} bytes at ${offset} lies outside of its ${this.bytes} bytes`)
  }

  private endedAt(at: number): Error {
    return new Error(`${this.name}: the file ends at ${at}, it was ${this.bytes} bytes when it was opened`)
  }

  async flush(): Promise<void> {
    if (!this.readOnly) await this.file.datasync()
  }

  async close(): Promise<void> {
    await this.flush()
    await this.file.close()
  }
}

const bytesOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0)

/** As many pieces at once as the system takes. */
function batches(pieces: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const filled = pieces.some((piece) => piece.length === 0) ? pieces.filter((piece) => piece.length > 0) : pieces
  if (filled.length <= MAX_PIECES) return [filled]
  return Array.from({ length: Math.ceil(filled.length / MAX_PIECES) }, (_, i) => filled.slice(i * MAX_PIECES, (i + 1) * MAX_PIECES))
}

/** What is left of the pieces when `bytes` bytes have been moved. */
function after(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let done = bytes
  for (const [i, piece] of pieces.entries()) {
    if (done < piece.length) return [piece.subarray(done), ...pieces.slice(i + 1)]
    done -= piece.length
  }
  return []
}

async function openFile(path: string, options: RawFileOptions): Promise<{ readonly file: FileHandle; readonly bytes: number }> {
  const { option } = options
  try {
    const info = await stat(path)
    if (info.isDirectory()) throw new VmmError('file/not-a-file', `${option} ${path}: is a directory; give a file`)
    if (!info.isFile()) throw new VmmError('file/not-a-file', `${option} ${path}: is not a regular file; give a disk image`)
    return { file: await open(path, options.readOnly ? 'r' : 'r+'), bytes: info.size }
  } catch (error) {
    throw fileError(error, option, path)
  }
}

/** The system's error as one clear line. */
export function fileError(error: unknown, option: string, path: string): VmmError {
  if (error instanceof VmmError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return new VmmError('file/not-found', `${option} ${path}: no such file; check the path`)
  if (code === 'EISDIR') return new VmmError('file/not-a-file', `${option} ${path}: is a directory; give a file`)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new VmmError('file/unreadable', `${option} ${path}: permission denied; change its permissions, or add ",ro" to open a disk read-only`)
  }
  return new VmmError('file/unreadable', `${option} ${path}: ${error instanceof Error ? error.message : String(error)}`)
}

/** ECMA-119 8.4: the primary volume descriptor, at sector 16, tells the size of the volume. */
async function checkVolume(file: FileHandle, bytes: number, path: string, option: string): Promise<void> {
  const descriptor = Buffer.alloc(CD_SECTOR_BYTES)
  const { bytesRead } = await file.read(descriptor, 0, CD_SECTOR_BYTES, 16 * CD_SECTOR_BYTES)
  if (bytesRead < CD_SECTOR_BYTES || descriptor.toString('latin1', 1, 6) !== 'CD001' || descriptor[0] !== 1) return
  const volumeBytes = descriptor.readUInt32LE(80) * descriptor.readUInt16LE(128)
  if (volumeBytes > bytes) {
    throw new VmmError('file/too-small', `${option} ${path}: truncated: the volume has ${volumeBytes} bytes, the file ${bytes}; fetch it again`)
  }
}
