/** ATAPI CD-ROM drive: the packet protocol of ATA/ATAPI-6 (section 9.8, 9.9) around the commands in ../scsi/scsi-cd.ts. */
import type { BlockBackend } from '../../backends/block/block-backend'
import type { CompletionGate } from '../../backends/completion-gate'
import type { SavedState } from '../device'
import { expectSchema } from '../saved-state'
import { emptyTaskFile, type Drive, type DriveHost, type TaskFile } from './drive'
import { HostRequests } from './host-requests'
import { identifyPacket, transferMode } from './identify'
import { PioBuffer, type PioBufferState } from './pio-buffer'
import * as R from './registers'
import { executeCd, INVALID_FIELD, MEDIUM_ERROR_READ, NO_SENSE, type CdDrive, type Sense } from '../scsi/scsi-cd'

const PACKET_BYTES = 12
const READY = R.STATUS_DRDY | R.STATUS_DSC
/** Sectors read from the host at a time for PIO. */
const PIO_CHUNK_SECTORS = 32
/** The most that one DMA command may read: it is buffered whole, and a guest may ask for the whole disc (READ (12)). */
const MAX_DMA_SECTORS = 0x4000
const DEFAULT_ULTRA_MODE = 1 << 5

type Phase = 'idle' | 'identify' | 'packet' | 'data-in'

export interface AtapiCdromState extends SavedState {
  readonly taskFile: TaskFile
  readonly buffer: PioBufferState
  readonly phase: Phase
  readonly byteLimit: number
  readonly useDma: boolean
  /** Data of the current command that the host has not taken yet. */
  readonly queued: Uint8Array
  readonly queuedAt: number
  readonly readLba: number
  readonly readCount: number
  readonly sense: Sense
  readonly locked: boolean
  readonly trayOpen: boolean
  readonly unitAttention: boolean
  readonly mediaEvent: number
  readonly multiwordMode: number
  readonly ultraMode: number
}

export class AtapiCdrom implements Drive, CdDrive {
  readonly model: string = 'Vitrine CD-ROM'
  // volatile state
  taskFile: TaskFile = emptyTaskFile()
  locked = false
  trayOpen = false
  private readonly buffer: PioBuffer = new PioBuffer((data) => this.drained(data))
  private phase: Phase = 'idle'
  private byteLimit = 0
  private useDma = false
  private queued: Uint8Array = new Uint8Array()
  private queuedAt = 0
  private readLba = 0
  private readCount = 0
  private sense: Sense = NO_SENSE
  private unitAttention = false
  private mediaEvent = 0
  private multiwordMode = 0
  private ultraMode = DEFAULT_ULTRA_MODE

  // bookkeeping
  private readonly requests: HostRequests

  constructor(
    private readonly host: DriveHost,
    private medium: BlockBackend | undefined,
    gate: CompletionGate,
    private readonly serial: string,
  ) {
    this.requests = new HostRequests(gate)
  }

  get sectors(): number | undefined {
    return this.medium && !this.trayOpen ? Math.floor(this.medium.bytes / R.CD_SECTOR_BYTES) : undefined
  }

  /** The user changes the disc (undefined: takes it out). Returns the old one. */
  changeMedium(medium: BlockBackend | undefined): BlockBackend | undefined {
    const old = this.medium
    this.medium = medium
    this.trayOpen = false
    this.unitAttention = medium !== undefined
    this.mediaEvent = medium ? 2 : 3
    return old
  }

  /** The button at the drive. A guest that has locked the tray sees it as an event (MMC-3 6.6: eject request), and may unlock and eject. */
  pressEject(): void {
    if (this.locked) this.mediaEvent = 1
    else this.openTray()
  }

  takeMediaEvent(): number {
    const event = this.mediaEvent
    this.mediaEvent = 0
    return event
  }

  takeSense(): Sense {
    const sense = this.sense
    this.sense = NO_SENSE
    return sense
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
    if (this.medium) {
      this.unitAttention = true
      this.mediaEvent = 2
    }
  }

  reset(kind: 'software' | 'hardware'): void {
    if (kind === 'hardware') {
      // The tray stays where it is.
      this.locked = false
      this.sense = NO_SENSE
      this.multiwordMode = 0
      this.ultraMode = DEFAULT_ULTRA_MODE
    }
    this.requests.abandon()
    this.endTransfer()
    const file = emptyTaskFile()
    this.signature(file)
    file.error = 1
    this.taskFile = file
  }

  /** A packet device shows DRDY = 0 and EB14h until its first command. */
  private signature(file: TaskFile): void {
    file.sectorCount = 1
    file.lbaLow = 1
    file.lbaMid = 0x14
    file.lbaHigh = 0xeb
  }

  readData(width: 1 | 2 | 4): number {
    return this.buffer.read(width)
  }

  writeData(width: 1 | 2 | 4, value: number): void {
    this.buffer.write(width, value)
  }

  command(code: number): void {
    const file = this.taskFile
    this.endTransfer()
    file.error = 0
    switch (code) {
      case R.CMD_PACKET:
        this.useDma = (file.features & 1) !== 0
        this.byteLimit = file.lbaMid | (file.lbaHigh << 8)
        this.phase = 'packet'
        file.sectorCount = R.REASON_COMMAND
        file.status = READY | R.STATUS_DRQ
        this.buffer.expect(PACKET_BYTES)
        return
      case R.CMD_IDENTIFY_PACKET:
        this.phase = 'identify'
        file.status = READY | R.STATUS_DRQ
        this.buffer.offer(identifyPacket(this.model, this.serial, '1.0', this.multiwordMode, this.ultraMode))
        return this.host.raiseInterrupt()
      case R.CMD_DEVICE_RESET:
        this.reset('software')
        return
      case R.CMD_EXECUTE_DIAGNOSTIC:
        this.reset('software')
        return this.host.raiseInterrupt()
      case R.CMD_SET_FEATURES:
        return this.setFeatures()
      case R.CMD_STANDBY_IMMEDIATE:
      case R.CMD_IDLE_IMMEDIATE:
      case R.CMD_SLEEP:
        return this.finish()
      case R.CMD_CHECK_POWER_MODE:
        file.sectorCount = 0xff
        return this.finish()
      case R.CMD_IDENTIFY:
      case R.CMD_READ_SECTORS:
        this.signature(file) // tells probing hosts what this is
        return this.abort()
      default:
        return this.abort()
    }
  }

  private setFeatures(): void {
    const file = this.taskFile
    if (file.features !== 0x03) return file.features === 0x66 || file.features === 0xcc ? this.finish() : this.abort()
    const mode = transferMode(file.sectorCount)
    if (!mode) return this.abort()
    this.multiwordMode = mode.multiword ?? this.multiwordMode
    this.ultraMode = mode.ultra ?? this.ultraMode
    this.finish()
  }

  private abort(): void {
    this.taskFile.status = READY | R.STATUS_ERR
    this.taskFile.error = R.ERROR_ABRT
    this.host.raiseInterrupt()
  }

  private finish(): void {
    this.taskFile.status = READY
    this.host.raiseInterrupt()
  }

  private endTransfer(): void {
    this.buffer.clear()
    this.host.cancelDma()
    this.phase = 'idle'
    this.queued = new Uint8Array()
    this.queuedAt = 0
    this.readCount = 0
  }

  /** The host supplied the packet, or has read a chunk of data. */
  private drained(data: Uint8Array): void {
    if (this.phase === 'identify') {
      this.phase = 'idle'
      this.taskFile.status = READY
    } else if (this.phase === 'packet') this.execute(data)
    else if (this.phase === 'data-in') this.sendMore()
  }

  private execute(packet: Uint8Array): void {
    this.phase = 'data-in'
    const action = executeCd(this, packet)
    if (action.kind === 'sense') return this.checkCondition(action.sense)
    if (action.kind === 'done') return this.complete()
    if (action.kind === 'read') {
      this.readLba = action.lba
      this.readCount = action.count
    } else if (action.data.length === 0) return this.complete()
    else this.queued = action.data.slice()
    if (this.useDma) {
      if (this.readCount > MAX_DMA_SECTORS) return this.checkCondition(INVALID_FIELD)
      this.taskFile.status = R.STATUS_BSY | R.STATUS_DRDY
      return this.host.requestDma('to-memory', action.kind === 'read' ? action.count * R.CD_SECTOR_BYTES : action.data.length)
    }
    this.sendMore()
  }

  // ---- PIO: data in chunks of at most the host's byte count ----

  private sendMore(): void {
    if (this.queuedAt < this.queued.length) return this.offerChunk()
    if (this.readCount === 0) return this.complete()
    const count = Math.min(this.readCount, PIO_CHUNK_SECTORS)
    this.readSectors(count, (data) => {
      this.queued = data
      this.queuedAt = 0
      this.offerChunk()
    })
  }

  private offerChunk(): void {
    // An odd limit is rounded down, 0 and FFFFh mean FFFEh (section 9.8).
    const limit = this.byteLimit === 0 || this.byteLimit === 0xffff ? 0xfffe : Math.max(2, this.byteLimit & ~1)
    const chunk = this.queued.slice(this.queuedAt, this.queuedAt + limit)
    this.queuedAt += chunk.length
    const file = this.taskFile
    file.lbaMid = chunk.length & 0xff
    file.lbaHigh = chunk.length >> 8
    file.sectorCount = R.REASON_TO_HOST
    file.status = READY | R.STATUS_DRQ
    this.buffer.offer(chunk)
    this.host.raiseInterrupt()
  }

  private readSectors(count: number, done: (data: Uint8Array) => void, failed?: () => void): void {
    const medium = this.medium
    if (!medium || this.sectors === undefined || this.readLba + count > this.sectors) {
      failed?.()
      return this.checkCondition({ key: 2, code: 0x3a, qualifier: 0 })
    }
    const bytes = count * R.CD_SECTOR_BYTES
    const offset = this.readLba * R.CD_SECTOR_BYTES
    this.taskFile.status = R.STATUS_BSY | R.STATUS_DRDY
    const read = async (): Promise<Uint8Array> => {
      const data = new Uint8Array(bytes)
      await medium.read(offset, [data])
      return data
    }
    this.requests.submit('cd read', bytes, read, (outcome) => {
      if (!outcome.ok) {
        failed?.()
        return this.checkCondition(MEDIUM_ERROR_READ)
      }
      this.readLba += count
      this.readCount -= count
      done(outcome.value)
    })
  }

  // ---- DMA ----

  dmaRead(done: (data: Uint8Array | undefined) => void): void {
    // The bus master may have been started for a command of the other drive.
    if (!this.useDma || this.phase !== 'data-in' || this.readCount > MAX_DMA_SECTORS) return done(undefined)
    if (this.readCount === 0) return done(this.queued)
    this.readSectors(this.readCount, done, () => done(undefined))
  }

  /** No command of a CD-ROM drive takes data by DMA. */
  dmaWrite(): void {
    this.dmaFinished(false)
  }

  dmaFinished(ok: boolean): void {
    if (this.phase !== 'data-in') return
    if (ok) this.complete()
    else this.checkCondition({ key: 0x0b, code: 0, qualifier: 0 })
  }

  // ---- ends ----

  private complete(): void {
    this.endTransfer()
    this.taskFile.sectorCount = R.REASON_COMMAND | R.REASON_TO_HOST
    this.finish()
  }

  private checkCondition(sense: Sense): void {
    this.endTransfer()
    this.sense = sense
    this.taskFile.sectorCount = R.REASON_COMMAND | R.REASON_TO_HOST
    this.taskFile.error = sense.key << 4
    this.taskFile.status = READY | R.STATUS_ERR
    this.host.raiseInterrupt()
  }

  save(): AtapiCdromState {
    return {
      schema: ['atapi-cdrom', 1],
      taskFile: { ...this.taskFile },
      buffer: this.buffer.save(),
      phase: this.phase,
      byteLimit: this.byteLimit,
      useDma: this.useDma,
      queued: this.queued.slice(),
      queuedAt: this.queuedAt,
      readLba: this.readLba,
      readCount: this.readCount,
      sense: { ...this.sense },
      locked: this.locked,
      trayOpen: this.trayOpen,
      unitAttention: this.unitAttention,
      mediaEvent: this.mediaEvent,
      multiwordMode: this.multiwordMode,
      ultraMode: this.ultraMode,
    }
  }

  load(state: AtapiCdromState): void {
    expectSchema('atapi-cdrom', state, ['atapi-cdrom', 1])
    this.requests.abandon()
    this.taskFile = { ...state.taskFile }
    this.buffer.load(state.buffer)
    this.phase = state.phase
    this.byteLimit = state.byteLimit
    this.useDma = state.useDma
    this.queued = state.queued.slice()
    this.queuedAt = state.queuedAt
    this.readLba = state.readLba
    this.readCount = state.readCount
    this.sense = { ...state.sense }
    this.locked = state.locked
    this.trayOpen = state.trayOpen
    this.unitAttention = state.unitAttention
    this.mediaEvent = state.mediaEvent
    this.multiwordMode = state.multiwordMode
    this.ultraMode = state.ultraMode
  }
}
