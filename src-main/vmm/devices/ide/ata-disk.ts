/** ATA hard disk. ATA/ATAPI-6 (T13/1410D), general feature set with 48-bit addressing, READ/WRITE MULTIPLE, DMA, flush. */
import type { BlockBackend } from '../../backends/block/block-backend'
import type { CompletionGate } from '../../backends/completion-gate'
import type { SavedState } from '../device'
import { VmmError } from '../../errors/vmm-error'
import { expectSchema } from '../saved-state'
import { emptyTaskFile, type Drive, type DriveHost, type TaskFile } from './drive'
import { HostRequests } from './host-requests'
import { cylindersOf, identifyDisk, transferMode } from './identify'
import { PioBuffer, type PioBufferState } from './pio-buffer'
import * as R from './registers'

const MAXIMUM_MULTIPLE = 16
/** Of one command: a count of 0 in 16 bits. */
const MAXIMUM_SECTORS = 0x10000
const DEFAULT_HEADS = 16
const DEFAULT_SECTORS_PER_TRACK = 63
const DEFAULT_ULTRA_MODE = 1 << 5
const READY = R.STATUS_DRDY | R.STATUS_DSC

/** A data command on its way: where it goes on, and how many sectors remain. */
interface Transfer {
  readonly direction: 'read' | 'write'
  lba: number
  remaining: number
  /** Sectors for each DRQ block. */
  readonly block: number
  readonly extended: boolean
}

export interface AtaDiskState extends SavedState {
  readonly taskFile: TaskFile
  readonly buffer: PioBufferState
  readonly transfer: Transfer | null
  readonly dma: Transfer | null
  readonly heads: number
  readonly sectorsPerTrack: number
  readonly multiple: number
  readonly multiwordMode: number
  readonly ultraMode: number
  readonly writeCache: boolean
}

export interface AtaDiskOptions {
  readonly model: string
  readonly serial: string
}

export class AtaDisk implements Drive {
  // volatile state
  taskFile: TaskFile = emptyTaskFile()
  private readonly buffer: PioBuffer = new PioBuffer((data) => this.drained(data))
  private transfer: Transfer | null = null
  private dma: Transfer | null = null
  private heads = DEFAULT_HEADS
  private sectorsPerTrack = DEFAULT_SECTORS_PER_TRACK
  private multiple = MAXIMUM_MULTIPLE
  private multiwordMode = 0
  private ultraMode = DEFAULT_ULTRA_MODE
  private writeCache = true

  // bookkeeping
  private readonly requests: HostRequests

  constructor(
    private readonly host: DriveHost,
    private readonly backend: BlockBackend,
    gate: CompletionGate,
    private readonly options: AtaDiskOptions,
  ) {
    this.requests = new HostRequests(gate)
  }

  private get sectors(): number {
    return Math.floor(this.backend.bytes / R.SECTOR_BYTES)
  }

  reset(kind: 'software' | 'hardware'): void {
    if (kind === 'hardware') {
      this.heads = DEFAULT_HEADS
      this.sectorsPerTrack = DEFAULT_SECTORS_PER_TRACK
      this.multiwordMode = 0
      this.ultraMode = DEFAULT_ULTRA_MODE
      this.writeCache = true
    }
    this.requests.abandon()
    this.buffer.clear()
    this.transfer = null
    this.dma = null
    this.host.cancelDma()
    this.multiple = MAXIMUM_MULTIPLE
    const file = emptyTaskFile()
    file.sectorCount = 1
    file.lbaLow = 1
    file.status = READY
    file.error = 1
    this.taskFile = file
  }

  readData(width: 1 | 2 | 4): number {
    return this.buffer.read(width)
  }

  writeData(width: 1 | 2 | 4, value: number): void {
    this.buffer.write(width, value)
  }

  command(code: number): void {
    const file = this.taskFile
    this.requests.abandon()
    this.buffer.clear()
    this.transfer = null
    this.dma = null
    this.host.cancelDma()
    file.error = 0
    file.status = READY
    if ((code & 0xf0) === 0x10 || (code & 0xf0) === 0x70) return this.finish() // RECALIBRATE, SEEK
    switch (code) {
      case R.CMD_IDENTIFY:
        file.status = READY | R.STATUS_DRQ
        this.buffer.offer(identifyDisk({ ...this.options, firmware: '1.0', sectors: this.sectors, heads: this.heads, sectorsPerTrack: this.sectorsPerTrack, multiple: this.multiple, maximumMultiple: MAXIMUM_MULTIPLE, multiwordMode: this.multiwordMode, ultraMode: this.ultraMode, writeCache: this.writeCache }))
        return this.host.raiseInterrupt()
      case R.CMD_READ_SECTORS:
      case R.CMD_READ_SECTORS_NO_RETRY:
        return this.startPio('read', false, 1)
      case R.CMD_READ_SECTORS_EXT:
        return this.startPio('read', true, 1)
      case R.CMD_READ_MULTIPLE:
        return this.startPio('read', false, this.multiple)
      case R.CMD_READ_MULTIPLE_EXT:
        return this.startPio('read', true, this.multiple)
      case R.CMD_WRITE_SECTORS:
      case R.CMD_WRITE_SECTORS_NO_RETRY:
        return this.startPio('write', false, 1)
      case R.CMD_WRITE_SECTORS_EXT:
        return this.startPio('write', true, 1)
      case R.CMD_WRITE_MULTIPLE:
        return this.startPio('write', false, this.multiple)
      case R.CMD_WRITE_MULTIPLE_EXT:
        return this.startPio('write', true, this.multiple)
      case R.CMD_READ_DMA:
      case R.CMD_READ_DMA_NO_RETRY:
        return this.startDma('read', false)
      case R.CMD_READ_DMA_EXT:
        return this.startDma('read', true)
      case R.CMD_WRITE_DMA:
      case R.CMD_WRITE_DMA_NO_RETRY:
        return this.startDma('write', false)
      case R.CMD_WRITE_DMA_EXT:
        return this.startDma('write', true)
      case R.CMD_READ_VERIFY:
      case R.CMD_READ_VERIFY_NO_RETRY:
        return this.addressed(false) ? this.finish() : this.fail(R.ERROR_IDNF)
      case R.CMD_READ_VERIFY_EXT:
        return this.addressed(true) ? this.finish() : this.fail(R.ERROR_IDNF)
      case R.CMD_SET_MULTIPLE: {
        const count = file.sectorCount
        if (count > MAXIMUM_MULTIPLE || (count & (count - 1)) !== 0) return this.fail(R.ERROR_ABRT)
        this.multiple = count
        return this.finish()
      }
      case R.CMD_INITIALIZE_PARAMETERS:
        if (file.sectorCount === 0) return this.fail(R.ERROR_ABRT)
        this.heads = (file.device & 0x0f) + 1
        this.sectorsPerTrack = file.sectorCount
        return this.finish()
      case R.CMD_SET_FEATURES:
        return this.setFeatures()
      case R.CMD_FLUSH_CACHE:
      case R.CMD_FLUSH_CACHE_EXT:
        return this.background('flush', 0, () => this.backend.flush(), () => this.finish())
      case R.CMD_READ_NATIVE_MAX:
      case R.CMD_READ_NATIVE_MAX_EXT:
        this.reportAddress(this.sectors - 1, code === R.CMD_READ_NATIVE_MAX_EXT)
        return this.finish()
      case R.CMD_CHECK_POWER_MODE:
        file.sectorCount = 0xff // active
        return this.finish()
      case R.CMD_STANDBY_IMMEDIATE:
      case R.CMD_IDLE_IMMEDIATE:
      case R.CMD_STANDBY:
      case R.CMD_IDLE:
      case R.CMD_SLEEP:
        return this.finish()
      case R.CMD_EXECUTE_DIAGNOSTIC:
        this.reset('software')
        return this.host.raiseInterrupt()
      default:
        return this.fail(R.ERROR_ABRT)
    }
  }

  // ---- data commands -------------------------------------------------------------------------------------------------------

  /** First sector and count from the registers, or undefined when outside the disk. */
  private addressed(extended: boolean): { readonly lba: number; readonly count: number } | undefined {
    const file = this.taskFile
    const low = file.lbaLow | (file.lbaMid << 8) | (file.lbaHigh << 16)
    let lba: number
    let count: number
    if (extended) {
      lba = low + (file.previousLbaLow + file.previousLbaMid * 0x100 + file.previousLbaHigh * 0x10000) * 0x1000000
      count = file.sectorCount | (file.previousSectorCount << 8) || 0x10000
    } else {
      count = file.sectorCount || 0x100
      if (file.device & R.DEVICE_LBA) lba = low + (file.device & 0x0f) * 0x1000000
      else {
        const sector = file.lbaLow
        const cylinder = file.lbaMid | (file.lbaHigh << 8)
        const head = file.device & 0x0f
        if (sector === 0 || sector > this.sectorsPerTrack || head >= this.heads) return undefined
        lba = (cylinder * this.heads + head) * this.sectorsPerTrack + sector - 1
      }
    }
    return lba + count <= this.sectors ? { lba, count } : undefined
  }

  private startPio(direction: 'read' | 'write', extended: boolean, block: number): void {
    const where = this.addressed(extended)
    if (block === 0) return this.fail(R.ERROR_ABRT)
    if (!where) return this.fail(R.ERROR_IDNF)
    if (direction === 'write' && this.backend.readOnly) return this.fail(R.ERROR_ABRT)
    this.transfer = { direction, lba: where.lba, remaining: where.count, block, extended }
    if (direction === 'read') return this.readBlock(this.transfer)
    this.expectBlock(this.transfer)
  }

  private readBlock(transfer: Transfer): void {
    const count = Math.min(transfer.block, transfer.remaining)
    this.background('read', count * R.SECTOR_BYTES, () => this.read(transfer.lba, count), (data) => {
      this.advance(transfer, count)
      this.taskFile.status = READY | R.STATUS_DRQ
      this.buffer.offer(data)
      this.host.raiseInterrupt()
    })
  }

  private expectBlock(transfer: Transfer): void {
    this.taskFile.status = READY | R.STATUS_DRQ
    this.buffer.expect(Math.min(transfer.block, transfer.remaining) * R.SECTOR_BYTES)
  }

  /** The host has read a block, or supplied one. */
  private drained(data: Uint8Array): void {
    const transfer = this.transfer
    this.taskFile.status = READY
    if (!transfer) return // IDENTIFY
    if (transfer.direction === 'read') {
      if (transfer.remaining > 0) this.readBlock(transfer)
      else this.transfer = null
      return
    }
    const count = data.length / R.SECTOR_BYTES
    this.background('write', data.length, () => this.backend.write(transfer.lba * R.SECTOR_BYTES, [data]), () => {
      this.advance(transfer, count)
      if (transfer.remaining > 0) {
        this.expectBlock(transfer)
        this.host.raiseInterrupt()
      } else {
        this.transfer = null
        this.finish()
      }
    })
  }

  private startDma(direction: 'read' | 'write', extended: boolean): void {
    const where = this.addressed(extended)
    if (!where) return this.fail(R.ERROR_IDNF)
    if (direction === 'write' && this.backend.readOnly) return this.fail(R.ERROR_ABRT)
    this.dma = { direction, lba: where.lba, remaining: where.count, block: where.count, extended }
    this.taskFile.status = R.STATUS_BSY | R.STATUS_DRDY
    this.host.requestDma(direction === 'read' ? 'to-memory' : 'from-memory', where.count * R.SECTOR_BYTES)
  }

  dmaRead(done: (data: Uint8Array | undefined) => void): void {
    const dma = this.dma
    if (dma?.direction !== 'read') return done(undefined)
    this.background('read', dma.remaining * R.SECTOR_BYTES, () => this.read(dma.lba, dma.remaining), done, () => done(undefined))
  }

  dmaWrite(data: Uint8Array): void {
    const dma = this.dma
    if (dma?.direction !== 'write') return
    if (data.length !== dma.remaining * R.SECTOR_BYTES) return this.dmaFinished(false)
    this.background('write', data.length, () => this.backend.write(dma.lba * R.SECTOR_BYTES, [data]), () => this.dmaFinished(true))
  }

  dmaFinished(ok: boolean): void {
    const dma = this.dma
    if (!dma) return
    this.dma = null
    if (!ok) return this.fail(R.ERROR_ABRT)
    this.advance(dma, dma.remaining)
    this.finish()
  }

  /** Registers show the last sector moved, and how many remain. */
  private advance(transfer: Transfer, count: number): void {
    transfer.lba += count
    transfer.remaining -= count
    const file = this.taskFile
    file.sectorCount = transfer.remaining & 0xff
    const last = transfer.lba - 1
    if (transfer.extended) this.reportAddress(last, true)
    else if (file.device & R.DEVICE_LBA) this.reportAddress(last, false)
    else {
      const cylinder = Math.floor(last / (this.heads * this.sectorsPerTrack))
      file.lbaLow = (last % this.sectorsPerTrack) + 1
      file.lbaMid = cylinder & 0xff
      file.lbaHigh = (cylinder >> 8) & 0xff
      file.device = (file.device & 0xf0) | (Math.floor(last / this.sectorsPerTrack) % this.heads)
    }
  }

  private reportAddress(lba: number, extended: boolean): void {
    const file = this.taskFile
    const shown = extended ? lba : Math.min(lba, 0x0fffffff)
    file.lbaLow = shown & 0xff
    file.lbaMid = (shown >>> 8) & 0xff
    file.lbaHigh = (shown >>> 16) & 0xff
    const high = Math.floor(shown / 0x1000000)
    if (extended) {
      file.previousLbaLow = high & 0xff
      file.previousLbaMid = (high >>> 8) & 0xff
      file.previousLbaHigh = (high >>> 16) & 0xff
    } else file.device = (file.device & 0xf0) | (high & 0x0f)
  }

  private setFeatures(): void {
    const file = this.taskFile
    switch (file.features) {
      case 0x02:
      case 0x82:
        this.writeCache = file.features === 0x02
        return this.writeCache ? this.finish() : this.background('flush', 0, () => this.backend.flush(), () => this.finish())
      case 0x03: {
        const mode = transferMode(file.sectorCount)
        if (!mode) return this.fail(R.ERROR_ABRT)
        this.multiwordMode = mode.multiword ?? this.multiwordMode
        this.ultraMode = mode.ultra ?? this.ultraMode
        return this.finish()
      }
      case 0x55: // look-ahead off, on; power-on defaults
      case 0xaa:
      case 0x66:
      case 0xcc:
        return this.finish()
      default:
        return this.fail(R.ERROR_ABRT)
    }
  }

  // ---- ends ---------------------------------------------------------------------------------------------------------------------

  private finish(): void {
    this.taskFile.status = READY
    this.taskFile.error = 0
    this.host.raiseInterrupt()
  }

  private fail(error: number): void {
    this.transfer = null
    this.dma = null
    this.host.cancelDma()
    this.buffer.clear()
    this.taskFile.status = READY | R.STATUS_ERR
    this.taskFile.error = error
    this.host.raiseInterrupt()
  }

  private async read(lba: number, count: number): Promise<Uint8Array> {
    const data = new Uint8Array(count * R.SECTOR_BYTES)
    await this.backend.read(lba * R.SECTOR_BYTES, [data])
    return data
  }

  /** Host I/O with BSY set; with the write cache off, writes are followed by a flush. */
  private background<T>(label: string, bytes: number, work: () => Promise<T>, done: (result: T) => void, failed?: () => void): void {
    this.taskFile.status = R.STATUS_BSY | R.STATUS_DRDY
    const durable = label === 'write' && !this.writeCache
    const whole = async (): Promise<T> => {
      const result = await work()
      if (durable) await this.backend.flush()
      return result
    }
    this.requests.submit(`disk ${label}`, bytes, whole, (outcome) => {
      this.taskFile.status = READY
      if (outcome.ok) return done(outcome.value)
      failed?.()
      this.fail(label === 'read' ? R.ERROR_UNC : R.ERROR_ABRT)
    })
  }

  save(): AtaDiskState {
    return {
      schema: ['ata-disk', 1],
      taskFile: { ...this.taskFile },
      buffer: this.buffer.save(),
      transfer: this.transfer && { ...this.transfer },
      dma: this.dma && { ...this.dma },
      heads: this.heads,
      sectorsPerTrack: this.sectorsPerTrack,
      multiple: this.multiple,
      multiwordMode: this.multiwordMode,
      ultraMode: this.ultraMode,
      writeCache: this.writeCache,
    }
  }

  load(state: AtaDiskState): void {
    expectSchema('ata-disk', state, ['ata-disk', 1])
    this.requests.abandon()
    this.taskFile = { ...state.taskFile }
    this.buffer.load(state.buffer)
    this.transfer = this.savedTransfer(state.transfer)
    this.dma = this.savedTransfer(state.dma)
    this.heads = state.heads
    this.sectorsPerTrack = state.sectorsPerTrack
    this.multiple = state.multiple
    this.multiwordMode = state.multiwordMode
    this.ultraMode = state.ultraMode
    this.writeCache = state.writeCache
  }

  /** A saved state is a file like any other: sectors that this disk does not have are not moved. */
  private savedTransfer(saved: Transfer | null): Transfer | null {
    if (saved === null) return null
    const whole = [saved.lba, saved.remaining, saved.block].every((n) => Number.isSafeInteger(n) && n >= 0)
    if (!whole || saved.remaining > MAXIMUM_SECTORS || saved.lba + saved.remaining > this.sectors) throw new VmmError('state/mismatch', 'ata-disk: the saved command reaches beyond the disk')
    return { ...saved }
  }
}

/** Default translation, for firmware. */
export function defaultGeometry(sectors: number): { readonly cylinders: number; readonly heads: number; readonly sectorsPerTrack: number } {
  return { cylinders: cylindersOf(sectors, 16, 63), heads: 16, sectorsPerTrack: 63 }
}
