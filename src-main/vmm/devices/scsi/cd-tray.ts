/** A CD-ROM drive's disc and tray, behind a SCSI transport: what the commands of scsi-cd.ts need, and what the user does at the drive. */
import type { BlockBackend } from '../../backends/block/block-backend'
import { CD_SECTOR_BYTES } from '../ide/registers'
import { NO_SENSE, type CdDrive, type Sense } from './scsi-cd'

export interface CdTrayState {
  readonly locked: boolean
  readonly trayOpen: boolean
  readonly unitAttention: boolean
  readonly mediaEvent: number
}

export class CdTray implements CdDrive {
  readonly model: string = 'Vitrine CD-ROM'
  locked = false
  trayOpen = false
  private unitAttention = false
  private mediaEvent = 0

  constructor(
    private disc: BlockBackend | undefined,
    private readonly changed: () => void,
  ) {}

  get medium(): BlockBackend | undefined {
    return this.trayOpen ? undefined : this.disc
  }

  get sectors(): number | undefined {
    return this.medium && Math.floor(this.medium.bytes / CD_SECTOR_BYTES)
  }

  changeMedium(medium: BlockBackend | undefined): void {
    this.disc = medium
    this.trayOpen = false
    this.unitAttention = medium !== undefined
    this.mediaEvent = medium ? 2 : 3
    this.changed()
  }

  pressEject(): void {
    if (this.locked) this.mediaEvent = 1
    else this.openTray()
    this.changed()
  }

  takeMediaEvent(): number {
    const event = this.mediaEvent
    this.mediaEvent = 0
    return event
  }

  /** Senses go with the commands. */
  takeSense(): Sense {
    return NO_SENSE
  }

  takeUnitAttention(): boolean {
    const attention = this.unitAttention
    this.unitAttention = false
    return attention
  }

  openTray(): void {
    this.trayOpen = true
    this.mediaEvent = 3
  }

  closeTray(): void {
    if (!this.trayOpen) return
    this.trayOpen = false
    this.unitAttention = this.disc !== undefined
    if (this.disc) this.mediaEvent = 2
  }

  /** The tray stays where it is. */
  reset(): void {
    this.locked = false
  }

  save(): CdTrayState {
    const { locked, trayOpen, unitAttention, mediaEvent } = this
    return { locked, trayOpen, unitAttention, mediaEvent }
  }

  load(state: CdTrayState): void {
    this.locked = state.locked
    this.trayOpen = state.trayOpen
    this.unitAttention = state.unitAttention
    this.mediaEvent = state.mediaEvent
  }
}
