import type { SavedState } from '../device'

/** The registers that drive and host share (shadowed per drive: the selected one answers). `previous` holds what 48-bit commands wrote first. */
export interface TaskFile {
  features: number
  sectorCount: number
  lbaLow: number
  lbaMid: number
  lbaHigh: number
  device: number
  previousFeatures: number
  previousSectorCount: number
  previousLbaLow: number
  previousLbaMid: number
  previousLbaHigh: number
  status: number
  error: number
}

export function emptyTaskFile(): TaskFile {
  return {
    features: 0,
    sectorCount: 0,
    lbaLow: 0,
    lbaMid: 0,
    lbaHigh: 0,
    device: 0,
    previousFeatures: 0,
    previousSectorCount: 0,
    previousLbaLow: 0,
    previousLbaMid: 0,
    previousLbaHigh: 0,
    status: 0,
    error: 0,
  }
}

/** What a drive may do with the channel that it hangs on. */
export interface DriveHost {
  /** INTRQ of this drive; reading the status register lowers it. */
  raiseInterrupt(): void
  /** The drive is ready for DMA of `bytes`; `run` gets the guest's buffer when the bus master has been started. */
  requestDma(direction: 'to-memory' | 'from-memory', bytes: number): void
  /** Nothing is requested any more. */
  cancelDma(): void
}

/** An ATA or ATAPI drive as its channel sees it. */
export interface Drive {
  readonly taskFile: TaskFile
  /** Software or hardware reset: signature in the registers. A hardware reset also takes back what the guest has set up. */
  reset(kind: 'software' | 'hardware'): void
  command(code: number): void
  /** One word or dword of the PIO data register; all ones / ignored when no data is expected. */
  readData(width: 1 | 2 | 4): number
  writeData(width: 1 | 2 | 4, value: number): void
  /** The bus master moved data for a requested transfer: to memory, the drive supplies it; from memory, the drive gets it. */
  dmaRead(done: (data: Uint8Array | undefined) => void): void
  dmaWrite(data: Uint8Array): void
  /** After dmaRead's data reached memory (or could not). */
  dmaFinished(ok: boolean): void
  save(): SavedState
  load(state: SavedState): void
}
