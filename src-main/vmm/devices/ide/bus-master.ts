/** Bus-master DMA of one IDE channel: Intel PIIX3 (290550), section 2.7, and the SFF-8038i physical region descriptors. */
import { gpa } from '../../support/branded'
import type { GuestMemory } from '../../memory/guest-memory'
import * as R from './registers'

export interface BusMasterState {
  readonly command: number
  readonly status: number
  readonly prdTable: number
}

interface Region {
  readonly address: number
  readonly bytes: number
}

/** A descriptor table has at most 64 KiB, 8 bytes each. */
const MAX_DESCRIPTORS = 8192

export class BusMaster {
  // volatile state
  private command = 0
  private status = 0
  private prdTable = 0

  constructor(
    private readonly memory: GuestMemory,
    private readonly onStart: () => void,
    private readonly onStop: () => void,
  ) {}

  get started(): boolean {
    return (this.command & R.BM_COMMAND_START) !== 0
  }

  get direction(): 'to-memory' | 'from-memory' {
    return this.command & R.BM_COMMAND_TO_MEMORY ? 'to-memory' : 'from-memory'
  }

  reset(): void {
    this.command = 0
    this.status = 0
    this.prdTable = 0
  }

  readByte(offset: number): number {
    if (offset === R.BM_COMMAND) return this.command
    if (offset === R.BM_STATUS) return this.status
    if (offset >= R.BM_PRD_TABLE) return (this.prdTable >>> (8 * (offset - R.BM_PRD_TABLE))) & 0xff
    return 0
  }

  writeByte(offset: number, value: number): void {
    if (offset === R.BM_COMMAND) {
      const before = this.started
      // The direction must not change while the engine runs.
      this.command = before ? (this.command & ~R.BM_COMMAND_START) | (value & R.BM_COMMAND_START) : value & (R.BM_COMMAND_START | R.BM_COMMAND_TO_MEMORY)
      if (!before && this.started) {
        this.status |= R.BM_STATUS_ACTIVE
        this.onStart()
      } else if (before && !this.started) {
        this.status &= ~R.BM_STATUS_ACTIVE
        this.onStop()
      }
    } else if (offset === R.BM_STATUS) {
      this.status = (this.status & R.BM_STATUS_ACTIVE) | (value & R.BM_STATUS_CAPABLE) | (this.status & ~value & (R.BM_STATUS_ERROR | R.BM_STATUS_INTERRUPT))
    } else if (offset >= R.BM_PRD_TABLE) {
      const shift = 8 * (offset - R.BM_PRD_TABLE)
      this.prdTable = ((this.prdTable & ~(0xff << shift)) | (value << shift)) & ~3
      this.prdTable >>>= 0
    }
  }

  /** INTRQ of a drive rose. */
  interrupted(): void {
    this.status |= R.BM_STATUS_INTERRUPT
  }

  /** Moves `data` into the guest's regions; false when they are shorter, or are no memory. */
  toMemory(data: Uint8Array): boolean {
    const regions = this.regions(data.length)
    let at = 0
    for (const region of regions) {
      const bytes = Math.min(region.bytes, data.length - at)
      this.memory.write(gpa(region.address), data.subarray(at, at + bytes))
      at += bytes
      if (at === data.length) break
    }
    return this.finish(at === data.length, regions, data.length)
  }

  fromMemory(bytes: number): Uint8Array | undefined {
    const regions = this.regions(bytes)
    const data = new Uint8Array(bytes)
    let at = 0
    for (const region of regions) {
      const count = Math.min(region.bytes, bytes - at)
      this.memory.read(gpa(region.address), data.subarray(at, at + count))
      at += count
      if (at === bytes) break
    }
    return this.finish(at === bytes, regions, bytes) ? data : undefined
  }

  private finish(ok: boolean, regions: readonly Region[], bytes: number): boolean {
    const offered = regions.reduce((sum, region) => sum + region.bytes, 0)
    // ACTIVE stays set when the regions are larger than the transfer (SFF-8038i, table of interrupt/active states).
    if (!ok) this.status = (this.status & ~R.BM_STATUS_ACTIVE) | R.BM_STATUS_ERROR
    else if (offered === bytes) this.status &= ~R.BM_STATUS_ACTIVE
    return ok
  }

  /** Walks the descriptor table no further than needed, so that a table without end stops too. */
  private regions(bytes: number): Region[] {
    const regions: Region[] = []
    let offered = 0
    for (let i = 0; i < MAX_DESCRIPTORS && offered < bytes; i++) {
      const at = this.prdTable + i * 8
      const address = this.memory.readU32(gpa(at)) & ~1
      const control = this.memory.readU32(gpa(at + 4))
      const length = control & 0xfffe || 0x10000
      regions.push({ address: address >>> 0, bytes: length })
      offered += length
      if ((control >>> 16) & R.PRD_END) break
    }
    return regions
  }

  save(): BusMasterState {
    return { command: this.command, status: this.status, prdTable: this.prdTable }
  }

  load(state: BusMasterState): void {
    this.command = state.command
    this.status = state.status
    this.prdTable = state.prdTable
  }
}
