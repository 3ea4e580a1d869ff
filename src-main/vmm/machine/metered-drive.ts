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
    const countRead = (targets: readonly Uint8Array[]): void => {
      this.reads++
      this.readBytes += bytesOf(targets)
    }
    const countWrite = (bytes: number): void => {
      this.writes++
      this.writtenBytes += bytes
    }
    const { readNow, writeNow, writeZeroes, discard } = medium
    return {
      name: medium.name,
      get bytes() {
        return medium.bytes
      },
      readOnly: medium.readOnly,
      read: (offset, targets) => {
        countRead(targets)
        return medium.read(offset, targets)
      },
      write: (offset, sources) => {
        countWrite(bytesOf(sources))
        return medium.write(offset, sources)
      },
      ...(readNow && {
        readNow: (offset: number, targets: readonly Uint8Array[]) => {
          const done = readNow.call(medium, offset, targets)
          if (done) countRead(targets)
          return done
        },
      }),
      ...(writeNow && {
        writeNow: (offset: number, sources: readonly Uint8Array[]) => {
          const done = writeNow.call(medium, offset, sources)
          if (done) countWrite(bytesOf(sources))
          return done
        },
      }),
      ...(writeZeroes && {
        writeZeroes: (offset: number, bytes: number) => {
          countWrite(bytes)
          return writeZeroes.call(medium, offset, bytes)
        },
      }),
      ...(discard && { discard: (offset: number, bytes: number) => discard.call(medium, offset, bytes) }),
      flush: () => medium.flush(),
      close: () => medium.close(),
    }
  }
}
