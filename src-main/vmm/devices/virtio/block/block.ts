/**
 * Block device: what the guest reads and writes goes between its memory and the back end without a copy. Requests complete in any order; a flush covers
 * what was completed before it was asked for, which the host has by then. OASIS VIRTIO 1.2, 5.2.
 */
import type { BlockBackend } from '../../../backends/block/block-backend'
import { writeZeroes } from '../../../backends/block/zeroes'
import type { Outcome } from '../../../backends/completion-gate'
import type { IoFault, SavedState, Width } from '../../device'
import { expectSchema } from '../../saved-state'
import { ConfigSpace } from '../config-space'
import { readBuffers, writeBuffers } from '../guest-buffers'
import { GuestTransfer, type TransferOptions } from '../guest-transfer'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import type { DescriptorChain, Virtqueue } from '../virtqueue/virtqueue'
import * as blk from './registers'

const QUEUE_SIZE = 256
/** One descriptor each for header and status are not data. */
const SEG_MAX = QUEUE_SIZE - 2
const QUEUES = 4
/** Requests that the host has at a time, of all queues, and their bytes: a driver may offer far more. */
const MAX_UNDER_WAY = 64
const MAX_BYTES_UNDER_WAY = 0x4000000
/** What is done at once, before the guest goes on: some 2 milliseconds. */
const PORTION_REQUESTS = 64
const PORTION_BYTES = 0x400000
/** Of one request's ranges. */
const MAX_ZEROES_BYTES = 0x400000
const MAX_RANGES = 16
const MAX_REQUEST_BYTES = 0x4000000
/** The guest shall write in pages: what is smaller makes the host read first. */
const PHYSICAL_BLOCK_EXP = 3
const OPTIMAL_IO_BLOCKS = 256
const BIOS_HEADS = 16
const BIOS_SECTORS = 63
const MAX_CYLINDERS = 16383
/** Of the log: a guest may ask for a bad sector as often as it likes. */
const MAX_WARNINGS = 20

export interface VirtioBlockOptions extends TransferOptions {
  /** Among the virtio disks: part of the name. */
  readonly index: number
  /** At most 20 characters. */
  readonly serial: string
  /** Takes what goes wrong with the host's file. */
  readonly warn?: (message: string) => void
}

export interface VirtioBlockState extends SavedState {
  readonly schema: readonly ['virtio-block', 1]
  readonly writeback: boolean
  readonly agreedFlush: boolean
}

interface Request {
  readonly queue: Virtqueue
  readonly chain: DescriptorChain
  readonly type: number
  readonly offset: number
  /** Of data: without header and status. */
  readonly outBytes: number
  readonly inBytes: number
}

export class VirtioBlock implements VirtioDevice<VirtioBlockState> {
  readonly name: string
  readonly type = 2
  readonly pciClass = 0x018000
  readonly features: bigint
  readonly queueSizes: readonly number[] = new Array<number>(QUEUES).fill(QUEUE_SIZE)
  readonly configBytes: number = blk.CONFIG_BYTES
  private readonly config: ConfigSpace
  private readonly transfer: GuestTransfer
  /** Queues that go on between slices. */
  private readonly postponed = new Set<number>()
  private host: VirtioHost | undefined

  private warnings = 0

  // volatile state
  /** The guest's say (5.2.5): false: a write is on stable storage before it is answered. */
  private writeback = true
  /** A driver that cannot flush gets every write flushed (5.2.6.2). */
  private agreedFlush = false

  constructor(
    private readonly medium: BlockBackend,
    private readonly options: VirtioBlockOptions,
  ) {
    this.name = `virtio-block.${options.index}`
    this.transfer = new GuestTransfer(options)
    const always = blk.F_SEG_MAX | blk.F_GEOMETRY | blk.F_BLK_SIZE | blk.F_TOPOLOGY | blk.F_FLUSH | blk.F_CONFIG_WCE | blk.F_MQ
    this.features = always | (medium.readOnly ? blk.F_RO : blk.F_WRITE_ZEROES | (medium.discard ? blk.F_DISCARD : 0n))
    this.config = new ConfigSpace(blk.CONFIG_BYTES)
    this.describe()
  }

  private describe(): void {
    const { config, medium } = this
    const sectors = Math.floor(medium.bytes / blk.SECTOR_BYTES)
    config.set64(blk.CFG_CAPACITY, sectors)
    config.set32(blk.CFG_SEG_MAX, SEG_MAX)
    config.set16(blk.CFG_CYLINDERS, Math.min(Math.floor(sectors / (BIOS_HEADS * BIOS_SECTORS)), MAX_CYLINDERS))
    config.set8(blk.CFG_HEADS, BIOS_HEADS)
    config.set8(blk.CFG_SECTORS, BIOS_SECTORS)
    config.set32(blk.CFG_BLK_SIZE, blk.SECTOR_BYTES)
    config.set8(blk.CFG_PHYSICAL_BLOCK_EXP, PHYSICAL_BLOCK_EXP)
    config.set16(blk.CFG_MIN_IO_SIZE, 1)
    config.set32(blk.CFG_OPT_IO_SIZE, OPTIMAL_IO_BLOCKS)
    config.set8(blk.CFG_WRITEBACK, this.writeback ? 1 : 0)
    config.set16(blk.CFG_NUM_QUEUES, QUEUES)
    config.set32(blk.CFG_MAX_DISCARD_SECTORS, MAX_REQUEST_BYTES / blk.SECTOR_BYTES)
    config.set32(blk.CFG_MAX_DISCARD_SEG, MAX_RANGES)
    config.set32(blk.CFG_DISCARD_ALIGNMENT, 1 << PHYSICAL_BLOCK_EXP)
    config.set32(blk.CFG_MAX_WRITE_ZEROES_SECTORS, MAX_ZEROES_BYTES / blk.SECTOR_BYTES)
    config.set32(blk.CFG_MAX_WRITE_ZEROES_SEG, 1)
    config.set8(blk.CFG_WRITE_ZEROES_MAY_UNMAP, medium.discard ? 1 : 0)
  }

  /** The back end has another size than before: the guest hears of it. */
  resized(): void {
    this.describe()
    this.host?.configChanged()
  }

  connect(host: VirtioHost): void {
    this.host = host
  }

  configRead(offset: number, width: Width): number | IoFault {
    return this.config.read(offset, width)
  }

  configWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (offset !== blk.CFG_WRITEBACK || width !== 1) return undefined
    this.writeback = (value & 1) !== 0
    this.config.set8(blk.CFG_WRITEBACK, value & 1)
    return undefined
  }

  activate(features: bigint): void {
    this.agreedFlush = (features & blk.F_FLUSH) !== 0n
    // A driver that can switch finds it on; one that can flush, but not switch, too (5.2.5).
    this.writeback = true
    this.config.set8(blk.CFG_WRITEBACK, 1)
  }

  reset(): void {
    this.transfer.requests.abandon()
    this.postponed.clear()
    this.writeback = true
    this.agreedFlush = false
    this.describe()
  }

  get busy(): boolean {
    return this.transfer.busy
  }

  queueNotified(index: number): void {
    const queue = this.host?.queue(index)
    if (!queue || this.postponed.has(index)) return
    const { transfer } = this
    let bytes = 0
    for (let count = 0; transfer.requests.pending < MAX_UNDER_WAY && transfer.bytesUnderWay < MAX_BYTES_UNDER_WAY; count++) {
      if (count === PORTION_REQUESTS || bytes >= PORTION_BYTES) {
        if (queue.available) this.postpone(index)
        break
      }
      const chain = queue.pop()
      if (!chain) break
      bytes += chain.readableBytes + chain.writableBytes
      this.start(queue, chain)
    }
    queue.signal()
  }

  private postpone(index: number): void {
    this.postponed.add(index)
    this.transfer.betweenSlices(() => {
      this.postponed.delete(index)
      this.queueNotified(index)
    })
  }

  /** What waited because the host had enough to do. */
  private readonly goOn = (): void => {
    for (let index = 0; index < QUEUES; index++) if (this.host?.queue(index).available === true) this.queueNotified(index)
  }

  private start(queue: Virtqueue, chain: DescriptorChain): void {
    const { host } = this
    if (!host) return
    if (chain.readableBytes < blk.HEADER_BYTES || chain.writableBytes < 1) {
      host.fail('a block request without header or room for its status')
      return
    }
    const header = new DataView(readBuffers(host.memory, chain.readable, blk.HEADER_BYTES).buffer)
    const sector = header.getUint32(8, true) + header.getUint32(12, true) * 0x100000000
    this.carryOut({
      queue,
      chain,
      type: header.getUint32(0, true),
      offset: sector * blk.SECTOR_BYTES,
      outBytes: chain.readableBytes - blk.HEADER_BYTES,
      inBytes: chain.writableBytes - 1,
    })
  }

  private carryOut(request: Request): void {
    switch (request.type) {
      case blk.T_IN:
        return this.read(request)
      case blk.T_OUT:
        return this.write(request)
      case blk.T_FLUSH:
        return this.submit(request, 0, () => this.medium.flush())
      case blk.T_GET_ID:
        return this.identify(request)
      case blk.T_DISCARD:
      case blk.T_WRITE_ZEROES:
        return this.changeRanges(request)
      default:
        return this.finish(request, blk.S_UNSUPP)
    }
  }

  private inRange(offset: number, bytes: number): boolean {
    return bytes % blk.SECTOR_BYTES === 0 && bytes <= MAX_REQUEST_BYTES && offset + bytes <= this.medium.bytes
  }

  private read(request: Request): void {
    const { host, medium } = this
    const { chain, offset, inBytes } = request
    if (!host || !this.inRange(offset, inBytes)) return this.finish(request, blk.S_IOERR)
    const part = { segments: chain.writable, skip: 0, bytes: inBytes }
    this.transfer.read({ memory: host.memory, backend: medium, offset, part, done: this.finisher(request, inBytes), settled: this.goOn })
  }

  private write(request: Request): void {
    const { host, medium } = this
    const { chain, offset, outBytes } = request
    if (!host || medium.readOnly || !this.inRange(offset, outBytes)) return this.finish(request, blk.S_IOERR)
    const part = { segments: chain.readable, skip: blk.HEADER_BYTES, bytes: outBytes }
    this.transfer.write({ memory: host.memory, backend: medium, offset, part, done: this.finisher(request, 0), settled: this.goOn, durable: this.writesThrough })
  }

  private get writesThrough(): boolean {
    return !this.writeback || !this.agreedFlush
  }

  private identify(request: Request): void {
    const id = new Uint8Array(blk.ID_BYTES)
    id.set(new TextEncoder().encode(this.options.serial).subarray(0, blk.ID_BYTES))
    const written = this.host && request.inBytes > 0 ? writeBuffers(this.host.memory, request.chain.writable, id.subarray(0, request.inBytes)) : 0
    this.finish(request, blk.S_OK, written)
  }

  private changeRanges(request: Request): void {
    const { chain, outBytes, type } = request
    const { medium, host } = this
    const isDiscard = type === blk.T_DISCARD
    const most = isDiscard ? MAX_RANGES : 1
    if (medium.readOnly || !host || (isDiscard && !medium.discard)) return this.finish(request, isDiscard && !medium.readOnly ? blk.S_UNSUPP : blk.S_IOERR)
    if (outBytes === 0 || outBytes % blk.RANGE_BYTES !== 0 || outBytes > most * blk.RANGE_BYTES) return this.finish(request, blk.S_IOERR)
    const view = new DataView(readBuffers(host.memory, chain.readable, outBytes, blk.HEADER_BYTES).buffer)
    const ranges: { readonly offset: number; readonly bytes: number; readonly flags: number }[] = []
    for (let at = 0; at < outBytes; at += blk.RANGE_BYTES) {
      const sector = view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000
      ranges.push({ offset: sector * blk.SECTOR_BYTES, bytes: view.getUint32(at + 8, true) * blk.SECTOR_BYTES, flags: view.getUint32(at + 12, true) })
    }
    const mostBytes = isDiscard ? MAX_REQUEST_BYTES : MAX_ZEROES_BYTES
    if (!ranges.every(({ offset, bytes }) => bytes <= mostBytes && this.inRange(offset, bytes))) return this.finish(request, blk.S_IOERR)
    // A flag in a discard, or one that is not known: 5.2.6.2.
    if (ranges.some(({ flags }) => (flags & ~(isDiscard ? 0 : blk.RANGE_F_UNMAP)) !== 0)) return this.finish(request, blk.S_UNSUPP)
    const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0)
    const durable = this.writesThrough
    this.submit(request, bytes, async () => {
      for (const range of ranges) await (isDiscard ? medium.discard?.(range.offset, range.bytes) : writeZeroes(medium, range.offset, range.bytes))
      if (durable) await medium.flush()
    })
  }

  private submit(request: Request, bytes: number, work: () => Promise<void>): void {
    this.transfer.submit(`${this.name} request ${request.type}`, bytes, work, this.finisher(request, 0), this.goOn)
  }

  /** What is to be done with a request's outcome. `atOnce`: whoever started it tells the driver. */
  private finisher(request: Request, written: number): (outcome: Outcome<void>, atOnce?: boolean) => void {
    return (outcome, atOnce = false) => {
      if (!outcome.ok && this.warnings++ < MAX_WARNINGS) this.options.warn?.(`${this.name}: request ${request.type} at byte ${request.offset}: ${outcome.error.message}`)
      this.finish(request, outcome.ok ? blk.S_OK : blk.S_IOERR, outcome.ok ? written : 0)
      if (!atOnce) request.queue.signal()
    }
  }

  /** `written`: bytes of data; the status byte behind them counts too when all before it was written. */
  private finish({ queue, chain, inBytes }: Request, status: number, written: number = 0): void {
    const { host } = this
    if (!host) return
    writeBuffers(host.memory, chain.writable, Uint8Array.of(status), inBytes)
    queue.push(chain, written === inBytes ? inBytes + 1 : written)
  }

  save(): VirtioBlockState {
    return { schema: ['virtio-block', 1], writeback: this.writeback, agreedFlush: this.agreedFlush }
  }

  load(state: VirtioBlockState): void {
    expectSchema(this.name, state, ['virtio-block', 1])
    this.transfer.requests.abandon()
    this.postponed.clear()
    this.writeback = state.writeback
    this.agreedFlush = state.agreedFlush
    this.describe()
  }
}
