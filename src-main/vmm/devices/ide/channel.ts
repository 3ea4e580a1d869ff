/** One IDE channel: two drives behind one task file, the interrupt line, and the bus master. */
import type { GuestMemory } from '../../memory/guest-memory'
import type { IrqLine } from '../../irq/line'
import { BAD_WIDTH, NO_REGISTER, type IoFault, type PioHandler, type SavedState, type Width } from '../device'
import { BusMaster, type BusMasterState } from './bus-master'
import type { Drive, DriveHost } from './drive'
import * as R from './registers'

interface DmaRequest {
  /** The drive that asked. */
  readonly position: 0 | 1
  readonly direction: 'to-memory' | 'from-memory'
  readonly bytes: number
}

export interface ChannelState {
  readonly selected: 0 | 1
  readonly control: number
  readonly interrupt: boolean
  readonly dmaRequest: DmaRequest | null
  readonly busMaster: BusMasterState
  readonly drives: readonly (SavedState | null)[]
}

export class Channel implements PioHandler {
  readonly busMaster: BusMaster
  private readonly drives: (Drive | undefined)[] = [undefined, undefined]

  // volatile state
  private selected: 0 | 1 = 0
  private control = 0
  private interrupt = false
  private dmaRequest: DmaRequest | null = null

  /** Sectors moved, for activity lights and statistics. */
  onActivity: () => void = () => undefined

  constructor(
    memory: GuestMemory,
    private readonly line: IrqLine,
    /** First port of the command block; the control port is at +206h. */
    private readonly base: number,
  ) {
    this.busMaster = new BusMaster(
      memory,
      () => this.tryDma(),
      () => undefined,
    )
  }

  /** `make` gets what the drive may do with this channel. */
  attach<D extends Drive>(position: 0 | 1, make: (host: DriveHost) => D): D {
    const drive = make({
      raiseInterrupt: () => this.driveInterrupt(position),
      requestDma: (direction, bytes) => {
        this.dmaRequest = { position, direction, bytes }
        this.tryDma()
      },
      cancelDma: () => {
        if (this.dmaRequest?.position === position) this.dmaRequest = null
      },
    })
    this.drives[position] = drive
    drive.reset('hardware')
    return drive
  }

  private get drive(): Drive | undefined {
    return this.drives[this.selected]
  }

  reset(): void {
    this.selected = 0
    this.control = 0
    this.dmaRequest = null
    this.busMaster.reset()
    this.setInterrupt(false)
    for (const drive of this.drives) drive?.reset('hardware')
  }

  // ---- interrupt ----

  private driveInterrupt(position: 0 | 1): void {
    if (position !== this.selected) return
    this.busMaster.interrupted()
    this.setInterrupt(true)
  }

  private setInterrupt(level: boolean): void {
    this.interrupt = level
    this.line.setLevel(level && (this.control & R.CONTROL_NIEN) === 0)
  }

  // ---- DMA ----

  /** Both sides ready: the drive has asked, the guest has started the bus master. */
  private tryDma(): void {
    const request = this.dmaRequest
    const drive = this.drive
    if (!request || !drive || request.position !== this.selected || !this.busMaster.started || request.direction !== this.busMaster.direction) return
    this.dmaRequest = null
    this.onActivity()
    if (request.direction === 'to-memory') {
      drive.dmaRead((data) => drive.dmaFinished(data !== undefined && this.busMaster.toMemory(data)))
      return
    }
    const data = this.busMaster.fromMemory(request.bytes)
    if (data) drive.dmaWrite(data)
    else drive.dmaFinished(false)
  }

  // ---- registers ----

  pioRead(port: number, width: Width): number | IoFault {
    const offset = port - this.base
    if (offset === R.REG_DATA) {
      if (width === 1) return BAD_WIDTH
      this.onActivity()
      return this.drive?.readData(width) ?? (width === 4 ? 0xffffffff : 0xffff)
    }
    if (width !== 1) return BAD_WIDTH
    if (offset === 0x206) return this.readStatus(false)
    return this.readRegister(offset)
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    const offset = port - this.base
    if (offset === R.REG_DATA) {
      if (width === 1) return BAD_WIDTH
      this.drive?.writeData(width, value)
      return undefined
    }
    if (width !== 1) return BAD_WIDTH
    if (offset === 0x206) this.writeControl(value)
    else this.writeRegister(offset, value)
    return undefined
  }

  private readStatus(acknowledge: boolean): number {
    if (acknowledge) this.setInterrupt(false)
    return this.drive?.taskFile.status ?? 0
  }

  private readRegister(offset: number): number | IoFault {
    // A channel with one drive: the registers of the absent one read as the present drive's, its status as 0 (ATA-6, 9.16.1).
    const file = (this.drive ?? this.drives[0] ?? this.drives[1])?.taskFile
    if (!file) return offset === R.REG_STATUS_COMMAND ? 0 : 0xff
    const previous = (this.control & R.CONTROL_HOB) !== 0
    switch (offset) {
      case R.REG_ERROR_FEATURES:
        return previous ? file.previousFeatures : file.error
      case R.REG_SECTOR_COUNT:
        return previous ? file.previousSectorCount : file.sectorCount
      case R.REG_LBA_LOW:
        return previous ? file.previousLbaLow : file.lbaLow
      case R.REG_LBA_MID:
        return previous ? file.previousLbaMid : file.lbaMid
      case R.REG_LBA_HIGH:
        return previous ? file.previousLbaHigh : file.lbaHigh
      case R.REG_DEVICE:
        return (file.device & ~R.DEVICE_SELECT) | 0xa0 | (this.selected ? R.DEVICE_SELECT : 0)
      case R.REG_STATUS_COMMAND:
        return this.readStatus(true)
      default:
        return NO_REGISTER
    }
  }

  private writeRegister(offset: number, value: number): void {
    this.control &= ~R.CONTROL_HOB
    if (offset === R.REG_STATUS_COMMAND) return this.writeCommand(value)
    if (offset === R.REG_DEVICE) this.selected = value & R.DEVICE_SELECT ? 1 : 0
    for (const drive of this.drives) {
      const file = drive?.taskFile
      if (!file) continue
      switch (offset) {
        case R.REG_ERROR_FEATURES:
          file.previousFeatures = file.features
          file.features = value
          break
        case R.REG_SECTOR_COUNT:
          file.previousSectorCount = file.sectorCount
          file.sectorCount = value
          break
        case R.REG_LBA_LOW:
          file.previousLbaLow = file.lbaLow
          file.lbaLow = value
          break
        case R.REG_LBA_MID:
          file.previousLbaMid = file.lbaMid
          file.lbaMid = value
          break
        case R.REG_LBA_HIGH:
          file.previousLbaHigh = file.lbaHigh
          file.lbaHigh = value
          break
        case R.REG_DEVICE:
          file.device = value
          break
      }
    }
  }

  private writeCommand(code: number): void {
    this.setInterrupt(false)
    if (code === R.CMD_EXECUTE_DIAGNOSTIC) {
      this.selected = 0
      for (const drive of this.drives) drive?.reset('software')
      this.driveInterrupt(0)
      return
    }
    const drive = this.drive
    // A busy drive takes nothing but DEVICE RESET.
    if (!drive || (drive.taskFile.status & R.STATUS_BSY && code !== R.CMD_DEVICE_RESET)) return
    drive.command(code)
  }

  private writeControl(value: number): void {
    const before = this.control
    this.control = value & (R.CONTROL_NIEN | R.CONTROL_SRST | R.CONTROL_HOB)
    if ((before & R.CONTROL_SRST) === 0 && value & R.CONTROL_SRST) {
      this.dmaRequest = null
      for (const drive of this.drives) {
        drive?.reset('software')
        if (drive) drive.taskFile.status |= R.STATUS_BSY
      }
      this.setInterrupt(false)
      this.selected = 0
    } else if (before & R.CONTROL_SRST && (value & R.CONTROL_SRST) === 0) {
      for (const drive of this.drives) drive?.reset('software')
    }
    this.setInterrupt(this.interrupt)
  }

  save(): ChannelState {
    return {
      selected: this.selected,
      control: this.control,
      interrupt: this.interrupt,
      dmaRequest: this.dmaRequest && { ...this.dmaRequest },
      busMaster: this.busMaster.save(),
      drives: this.drives.map((drive) => drive?.save() ?? null),
    }
  }

  load(state: ChannelState): void {
    this.selected = state.selected
    this.control = state.control
    this.busMaster.load(state.busMaster)
    state.drives.forEach((saved, i) => {
      if (saved) this.drives[i]?.load(saved)
    })
    this.dmaRequest = state.dmaRequest && { ...state.dmaRequest }
    this.setInterrupt(state.interrupt)
  }
}
