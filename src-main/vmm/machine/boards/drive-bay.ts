/** A machine's drives as its configuration lists them, whatever bus they hang on: media, their traffic, and discs that are changed. */
import type { BlockBackend } from '../../backends/block/block-backend'
import { RawFile } from '../../backends/block/raw-file'
import { VmmError } from '../../errors/vmm-error'
import type { CdromBus, DiskBus } from '../config'
import { DriveMeter, type DriveFigures } from '../metered-drive'

export type OpenDisk =
  | { readonly kind: 'disk'; readonly bus: DiskBus; readonly backend: BlockBackend }
  /** undefined: no disc is in the drive. */
  | { readonly kind: 'cdrom'; readonly bus: CdromBus; readonly backend: BlockBackend | undefined }

/** A CD drive as its owner sees it, behind whatever bus. */
export interface CdDrive {
  readonly trayOpen: boolean
  /** The guest keeps the disc in (PREVENT MEDIUM REMOVAL). */
  readonly locked: boolean
  /** 2048-byte sectors of the disc; undefined: none is in. */
  readonly sectors: number | undefined
  changeMedium(medium: BlockBackend | undefined): void
  /** Tells the guest that the eject button was pressed. */
  pressEject(): void
}

/** One drive of a bus. `medium`: what is in it when the machine is made, with its traffic counted. */
export type BayDrive = {
  /** Among all drives: the firmware's boot order counts so. */
  readonly position: number
  /** Unique in the machine, at most 20 characters. */
  readonly serial: string
} & ({ readonly kind: 'disk'; readonly medium: BlockBackend } | { readonly kind: 'cdrom'; readonly medium: BlockBackend | undefined })

export class DriveBay {
  private readonly meters: readonly DriveMeter[]
  private readonly media: (BlockBackend | undefined)[]
  private readonly cdDrives = new Map<number, CdDrive>()

  constructor(private readonly drives: readonly OpenDisk[]) {
    const counts = new Map<string, number>()
    this.meters = drives.map(({ kind, bus }) => {
      const index = counts.get(bus) ?? 0
      counts.set(bus, index + 1)
      return new DriveMeter(driveName(bus, index), kind)
    })
    this.media = drives.map(({ backend }, position) => backend && this.meters[position]?.over(backend))
  }

  /** The drives of a bus, in their order. */
  on(bus: DiskBus): readonly BayDrive[] {
    return this.drives.flatMap((drive, position): readonly BayDrive[] => {
      if (drive.bus !== bus) return []
      const serial = `VT${String(position + 1).padStart(5, '0')}`
      const metered = this.media[position]
      if (drive.kind === 'cdrom') return [{ position, serial, kind: 'cdrom', medium: metered }]
      return [{ position, serial, kind: 'disk', medium: metered ?? drive.backend }]
    })
  }

  /** Said by the board, once it has made the drive. */
  isCdDrive(position: number, drive: CdDrive): void {
    this.cdDrives.set(position, drive)
  }

  /** What the firmware may read at a position; nothing while the tray is out. */
  medium(position: number): BlockBackend | undefined {
    return this.cdDrives.get(position)?.trayOpen === true ? undefined : this.media[position]
  }

  /** Puts a disc into the `index`th CD drive, whatever the guest thinks of it. */
  async changeCdrom(index: number, path: string | undefined): Promise<void> {
    const position = this.cdPosition(index)
    const cdrom = position === undefined ? undefined : this.cdDrives.get(position)
    if (position === undefined || !cdrom) throw new VmmError('config/bad-option', `cdrom: the machine has no CD-ROM drive ${index}; give it one with --cdrom`)
    const file = path === undefined ? undefined : await RawFile.openCd(path, 'cdrom')
    const medium = file && (this.meters[position]?.over(file) ?? file)
    const old = this.media[position]
    cdrom.changeMedium(medium)
    this.media[position] = medium
    await old?.close()
  }

  isCdromLocked(index: number): boolean {
    const position = this.cdPosition(index)
    const cdrom = position === undefined ? undefined : this.cdDrives.get(position)
    if (cdrom?.locked !== true || cdrom.sectors === undefined) return false
    cdrom.pressEject()
    return true
  }

  get figures(): readonly DriveFigures[] {
    return this.meters.map((meter) => meter.figures)
  }

  async close(): Promise<void> {
    for (const medium of this.media) await medium?.close()
  }

  private cdPosition(index: number): number | undefined {
    return this.drives.flatMap(({ kind }, position) => (kind === 'cdrom' ? [position] : []))[index]
  }
}

/** As the address map and the statistics call it. */
function driveName(bus: DiskBus, index: number): string {
  return bus === 'ide' ? `ide${index < 2 ? 0 : 1}-${index % 2 === 0 ? 'master' : 'slave'}` : `${bus}-${index}`
}
