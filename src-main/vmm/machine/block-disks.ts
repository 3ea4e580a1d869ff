/** The built-in BIOS's view of the board's disks: the same back ends that the IDE drives use, through the same gate. */
import type { BlockBackend } from '../backends/block/block-backend'
import type { CompletionGate } from '../backends/completion-gate'
import type { BiosDisk, BiosDiskRequest } from '../firmware/bios/host'

/** A guest can start a request and leave it behind for the next: the host takes no more than this many at a time. */
const MAX_UNDER_WAY = 16

class Request implements BiosDiskRequest {
  state: 'pending' | 'done' | 'failed' = 'pending'
}

export class BlockBiosDisk implements BiosDisk {
  private underWay = 0

  constructor(
    readonly kind: 'disk' | 'cdrom',
    readonly model: string,
    /** Asked each time: media change. */
    private readonly medium: () => BlockBackend | undefined,
    private readonly gate: CompletionGate,
  ) {}

  get sectorBytes(): 512 | 2048 {
    return this.kind === 'disk' ? 512 : 2048
  }

  get sectors(): number {
    return Math.floor((this.medium()?.bytes ?? 0) / this.sectorBytes)
  }

  get readOnly(): boolean {
    return this.medium()?.readOnly ?? true
  }

  read(lba: number, target: readonly Uint8Array[]): BiosDiskRequest {
    return this.submit('bios read', bytesOf(target), (medium) => medium.read(lba * this.sectorBytes, target))
  }

  write(lba: number, source: readonly Uint8Array[]): BiosDiskRequest {
    return this.submit('bios write', bytesOf(source), (medium) => medium.write(lba * this.sectorBytes, source))
  }

  flush(): BiosDiskRequest {
    return this.submit('bios flush', 0, (medium) => medium.flush())
  }

  private submit(label: string, bytes: number, work: (medium: BlockBackend) => Promise<void>): BiosDiskRequest {
    const request = new Request()
    const medium = this.medium()
    if (!medium || this.underWay >= MAX_UNDER_WAY) {
      request.state = 'failed'
      return request
    }
    this.underWay++
    this.gate.submit(label, bytes, () => work(medium), (outcome) => {
      this.underWay--
      request.state = outcome.ok ? 'done' : 'failed'
    })
    return request
  }
}

function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
