/** Block device: what the guest reads and writes goes between its memory and the back end without a copy. OASIS VIRTIO 1.2, 5.2. */
import type { BlockBackend } from '../../../backends/block/block-backend'
import type { CompletionGate, Outcome } from '../../../backends/completion-gate'
import type { IoFault, SavedState, Width } from '../../device'
import { expectSchema } from '../../saved-state'
import { ConfigSpace } from '../config-space'
import { finishViews, readBuffers, viewsOf, writeBuffers } from '../guest-buffers'
import { LiveRequests } from '../live-requests'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import type { DescriptorChain, Virtqueue } from '../virtqueue/virtqueue'
import * as blk from './registers'

const QUEUE_SIZE = 256
/** One descriptor each for header and status are not data. */
const SEG_MAX = QUEUE_SIZE - 2
const QUEUES = 4
/** Requests that the host has at a time, of all queues. */
const MAX_UNDER_WAY = 64
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

export interface VirtioBlockOptions {
  /** Among the virtio disks: part of the name. */
  readonly index: number
  /** At most 20 characters. */
  readonly serial: string
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
  private readonly requests: LiveRequests
  private host: VirtioHost | undefined

  // volatile state
  /** The guest's say (5.2.5): false: a write is on stable storage before it is answered. */
  private writeback = true
  /** A driver that cannot flush gets every write flushed (5.2.6.2). */
  private agreedFlush = false

  constructor(
    private readonly medium: BlockBackend,
    gate: CompletionGate,
    private readonly options: VirtioBlockOptions,
  ) {
    this.name = `virtio-block.${options.index}`
    this.requests = new LiveRequests(gate)
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
    this.requests.abandon()
    this.writeback = true
    this.agreedFlush = false
    this.describe()
  }

  queueNotified(index: number): void {
    const queue = this.host?.queue(index)
    if (!queue) return
    while (this.requests.pending < MAX_UNDER_WAY) {
      const chain = queue.pop()
      if (!chain) break
      this.start(queue, chain)
    }
    queue.signal()
  }

  /** What waited because the host had enough to do. */
  private goOn(): void {
    for (let index = 0; index < QUEUES; index++) this.queueNotified(index)
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
    const { chain, offset, inBytes } = request
    const memory = this.host?.memory
    const targets = memory && this.inRange(offset, inBytes) ? viewsOf(memory, chain.writable, 0, inBytes) : undefined
    if (!memory || !targets) return this.finish(request, blk.S_IOERR)
    this.submit(request, inBytes, () => this.medium.read(offset, targets), () => {
      finishViews(memory, chain.writable, 0, inBytes)
      return inBytes
    })
  }

  private write(request: Request): void {
    const { chain, offset, outBytes } = request
    const memory = this.host?.memory
    const sources = memory && !this.medium.readOnly && this.inRange(offset, outBytes) ? viewsOf(memory, chain.readable, blk.HEADER_BYTES, outBytes) : undefined
    if (!sources) return this.finish(request, blk.S_IOERR)
    this.submit(request, outBytes, () => this.durably(this.medium.write(offset, sources)))
  }

  private async durably(work: Promise<void>): Promise<void> {
    await work
    if (!this.writeback || !this.agreedFlush) await this.medium.flush()
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
    this.submit(request, bytes, async () => {
      for (const range of ranges) await (isDiscard ? medium.discard?.(range.offset, range.bytes) : writeZeroes(medium, range.offset, range.bytes))
      await this.durably(Promise.resolve())
    })
  }

  private submit(request: Request, bytes: number, work: () => Promise<void>, written: () => number = () => 0): void {
    const label = `${this.name} request ${request.type}`
    const done = (outcome: Outcome<void>): void => {
      this.finish(request, outcome.ok ? blk.S_OK : blk.S_IOERR, outcome.ok ? written() : 0)
      request.queue.signal()
    }
    this.requests.submit(label, bytes, work, done, () => this.goOn())
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
    this.writeback = state.writeback
    this.agreedFlush = state.agreedFlush
    this.describe()
  }
}

const ZEROES = new Uint8Array(0x10000)

async function writeZeroes(medium: BlockBackend, offset: number, bytes: number): Promise<void> {
  if (medium.writeZeroes) return medium.writeZeroes(offset, bytes)
  const sources: Uint8Array[] = []
  for (let left = bytes; left > 0; left -= ZEROES.length) sources.push(left < ZEROES.length ? ZEROES.subarray(0, left) : ZEROES)
  await medium.write(offset, sources)
}
