/** What goes in and out of a drive, counted: for statistics and activity lights. Drives and firmware read through it; closing is for whoever opened. */
import type { BlockBackend } from '../backends/block/block-backend'

export interface DriveFigures {
  /** As the address map and the statistics call it: "ide0-master". */
  readonly name: string
  readonly kind: 'disk' | 'cdrom'
  readonly readBytes: number
  readonly writtenBytes: number
  readonly reads: number
  readonly writes: number
}

const bytesOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0)

/** Of one drive, whatever medium is in it. */
export class DriveMeter implements DriveFigures {
  readBytes = 0
  writtenBytes = 0
  reads = 0
  writes = 0

  constructor(
    readonly name: string,
    readonly kind: 'disk' | 'cdrom',
  ) {}

  get figures(): DriveFigures {
    const { name, kind, readBytes, writtenBytes, reads, writes } = this
    return { name, kind, readBytes, writtenBytes, reads, writes }
  }

  /** The medium with its traffic counted here. */
  over(medium: BlockBackend): BlockBackend {
    return {
      name: medium.name,
      bytes: medium.bytes,
      readOnly: medium.readOnly,
      read: (offset, targets) => {
        this.reads++
        this.readBytes += bytesOf(targets)
        return medium.read(offset, targets)
      },
      write: (offset, sources) => {
        this.writes++
        this.writtenBytes += bytesOf(sources)
        return medium.write(offset, sources)
      },
      ...(medium.discard ? { discard: (offset: number, bytes: number): Promise<void> => medium.discard?.(offset, bytes) ?? Promise.resolve() } : {}),
      ...(medium.writeZeroes ? { writeZeroes: (offset: number, bytes: number): Promise<void> => medium.writeZeroes?.(offset, bytes) ?? Promise.resolve() } : {}),
      flush: () => medium.flush(),
      close: () => medium.close(),
    }
  }
}
