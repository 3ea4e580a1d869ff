/**
 * Memory balloon. OASIS VIRTIO 1.2, 5.5: the guest gives pages up (inflate) and takes them back (deflate), tells how its memory is used, and reports
 * pages that are free anyway. Pages given up or reported become zeroes; what that saves the host says GuestMemory.discard.
 */
import type { CompletionGate } from '../../../backends/completion-gate'
import { gpa } from '../../../support/branded'
import type { IoFault, Width } from '../../device'
import { expectSchema } from '../../saved-state'
import { readBuffers, sliceSegments } from '../guest-buffers'
import { LiveRequests } from '../live-requests'
import { isRam } from '../virtqueue/read-chain'
import type { DescriptorChain } from '../virtqueue/virtqueue'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import { PageSet } from './page-set'
import * as reg from './registers'
import type { VirtioBalloonState } from './state'

const QUEUE_SIZE = 128
const QUEUES = 5
const FOUR_GIB = 0x100000000
/** Pages that one turn makes zeroes of: some milliseconds of the machine's thread. */
const PAGES_PER_TURN = 4096
/** Page numbers read at a time. */
const NUMBERS_AT_ONCE = 512
const NUMBER_BYTES = 4
/** Longer lists are not of statistics. */
const MAX_STATISTICS = 64

/** Of the balloon and the guest's use of memory; bytes. */
export interface BalloonFigures {
  /** What the host wants the guest to be left with. */
  readonly targetBytes: number
  /** In the balloon now. */
  readonly heldBytes: number
  /** Reported free, since power-on; the same page may have been reported more than once. */
  readonly reportedBytes: number
  /** As the guest told last; empty: it has not yet. */
  readonly guest: Readonly<Partial<Record<reg.StatisticName, number>>>
}

/** A chain that is being worked through, and how far: in bytes of what it lists (page numbers, or free memory itself). */
interface Work {
  readonly queue: number
  readonly chain: DescriptorChain
  position: number
}

export class VirtioBalloon implements VirtioDevice<VirtioBalloonState> {
  readonly name: string = 'virtio-balloon.0'
  readonly type = 5
  readonly pciClass = 0x00ff00
  readonly features: bigint = reg.STATS_VQ | reg.DEFLATE_ON_OOM | reg.PAGE_POISON | reg.PAGE_REPORTING
  readonly queueSizes: readonly number[] = new Array<number>(QUEUES).fill(QUEUE_SIZE)
  readonly configBytes: number = reg.CONFIG_BYTES
  private host: VirtioHost | undefined
  private readonly requests: LiveRequests
  private pages = new PageSet(0)

  // volatile state (with the pages)
  private wantedPages = 0
  private readonly config = new DataView(new ArrayBuffer(reg.CONFIG_BYTES))
  private hasStatistics = false
  private hasPoison = false
  private reportedBytes = 0
  private statisticsHead: number | undefined
  private statistics = new Map<number, number>()
  /** None while the machine is saved: it is gone on with through the gate. */
  private work: Work | undefined

  constructor(gate: CompletionGate) {
    this.requests = new LiveRequests(gate)
  }

  connect(host: VirtioHost): void {
    this.host = host
    this.pages = new PageSet(host.memory.ramBytes / reg.PAGE_BYTES)
  }

  // ---- the host's side -------------------------------------------------------------------------------------------------------------

  /** Asks the guest to give up what is above that; more than there is asks for all of it back. Rounded to pages. */
  setTarget(bytes: number): void {
    const pages = Math.max(0, this.pages.pages - Math.ceil(Math.max(0, bytes) / reg.PAGE_BYTES))
    if (pages === this.wantedPages) return
    this.wantedPages = pages
    this.host?.configChanged()
  }

  /** Asks the guest for new statistics, which come with time. */
  refreshStatistics(): void {
    const queue = this.host?.queue(reg.STATS)
    if (this.statisticsHead === undefined || queue?.ready !== true) return
    const chain = queue.resume(this.statisticsHead)
    this.statisticsHead = undefined
    if (!chain) return
    queue.push(chain, 0)
    queue.signal()
  }

  get figures(): BalloonFigures {
    const { pages, statistics } = this
    const guest = Object.fromEntries(reg.STATISTICS.flatMap((name, tag) => (statistics.has(tag) ? [[name, statistics.get(tag) ?? 0]] : [])))
    return { targetBytes: (pages.pages - this.wantedPages) * reg.PAGE_BYTES, heldBytes: pages.size * reg.PAGE_BYTES, reportedBytes: this.reportedBytes, guest }
  }

  // ---- configuration ---------------------------------------------------------------------------------------------------------------

  configRead(offset: number, width: Width): number {
    const { config } = this
    config.setUint32(reg.CONFIG_NUM_PAGES, this.wantedPages, true)
    let value = 0
    for (let i = 0; i < width; i++) value |= config.getUint8(offset + i) << (8 * i)
    return value >>> 0
  }

  /** How much is in the balloon, and what free pages hold, are the driver's to write; the rest is not. */
  configWrite(offset: number, width: Width, value: number): IoFault | undefined {
    for (let i = 0; i < width; i++) {
      const at = offset + i
      const writable = (at >= reg.CONFIG_ACTUAL && at < reg.CONFIG_ACTUAL + 4) || at >= reg.CONFIG_POISON
      if (writable) this.config.setUint8(at, (value >>> (8 * i)) & 0xff)
    }
    return undefined
  }

  // ---- queues ----------------------------------------------------------------------------------------------------------------------

  activate(features: bigint): void {
    this.hasStatistics = (features & reg.STATS_VQ) !== 0n
    this.hasPoison = (features & reg.PAGE_POISON) !== 0n
  }

  queueNotified(index: number): void {
    if (index === reg.STATS && this.hasStatistics) this.takeStatistics()
    else if (this.requests.pending === 0) this.goOn()
  }

  /** Works until all is done, or enough for one turn. */
  private goOn(): void {
    const { host } = this
    if (!host) return
    let pagesLeft = PAGES_PER_TURN
    while (pagesLeft > 0) {
      this.work ??= this.nextWork(host)
      if (!this.work) return
      const { work } = this
      const queue = host.queue(work.queue)
      if (!queue.ready) {
        this.work = undefined
        return
      }
      pagesLeft -= work.queue === reg.INFLATE || work.queue === reg.DEFLATE ? this.takeNumbers(host, work) : this.takeFree(host, work, pagesLeft)
      if (this.work !== undefined) continue
      queue.push(work.chain, 0)
      queue.signal()
    }
    this.requests.submit('balloon', PAGES_PER_TURN * reg.PAGE_BYTES, () => Promise.resolve(), () => undefined, () => this.goOn())
  }

  private nextWork(host: VirtioHost): Work | undefined {
    for (let queue = 0; queue < QUEUES; queue++) {
      if (queue === reg.STATS && this.hasStatistics) continue
      const chain = host.queue(queue).pop()
      if (!chain) continue
      // What there is of memory, twice over, is no list of pages that a driver would make.
      const most = queue <= reg.DEFLATE ? this.pages.pages * NUMBER_BYTES : host.memory.ramBytes
      const listed = queue <= reg.DEFLATE ? chain.readableBytes : chain.writableBytes
      if (listed <= most) return { queue, chain, position: 0 }
      host.fail(`queue ${queue}: the driver lists more pages than there are`)
    }
    return undefined
  }

  /** Some of a list of page numbers (5.5.6.1); returns how many pages that were. */
  private takeNumbers(host: VirtioHost, work: Work): number {
    const { chain, queue, position } = work
    const bytes = readBuffers(host.memory, chain.readable, Math.min(NUMBERS_AT_ONCE * NUMBER_BYTES, chain.readableBytes - position), position)
    const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % NUMBER_BYTES))
    for (let at = 0; at < numbers.byteLength; at += NUMBER_BYTES) {
      const address = numbers.getUint32(at, true) * reg.PAGE_BYTES
      if (!isRam(host.memory, address, reg.PAGE_BYTES)) {
        host.fail(`queue ${queue}: the driver lists a page outside of memory`)
        break
      }
      const page = this.pageAt(host, address)
      if (queue === reg.DEFLATE) this.pages.delete(page)
      else {
        this.pages.add(page)
        host.memory.discard(gpa(address), reg.PAGE_BYTES)
      }
    }
    work.position += bytes.length
    if (work.position >= chain.readableBytes) this.work = undefined
    return Math.max(1, numbers.byteLength / NUMBER_BYTES)
  }

  /** Some of the free memory that a chain's buffers are (5.5.6.7). With poisoned pages the guest relies on what is in them. */
  private takeFree(host: VirtioHost, work: Work, pagesLeft: number): number {
    const { chain, position } = work
    const bytes = Math.min(pagesLeft * reg.PAGE_BYTES, chain.writableBytes - position)
    const poisoned = this.hasPoison && this.config.getUint32(reg.CONFIG_POISON, true) !== 0
    if (!poisoned) for (const { address, bytes: length } of sliceSegments(chain.writable, position, bytes)) host.memory.discard(gpa(address), length)
    work.position += bytes
    if (!poisoned) this.reportedBytes += bytes
    if (work.position >= chain.writableBytes) this.work = undefined
    return Math.max(1, Math.ceil(bytes / reg.PAGE_BYTES))
  }

  private pageAt({ memory }: VirtioHost, address: number): number {
    return (address < FOUR_GIB ? address : address - FOUR_GIB + memory.lowRamBytes) / reg.PAGE_BYTES
  }

  /** The driver keeps one buffer there, which it fills when it gets it back (5.5.6.3). */
  private takeStatistics(): void {
    const { host } = this
    if (!host) return
    const queue = host.queue(reg.STATS)
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      if (this.statisticsHead !== undefined) {
        host.fail('queue 2: the driver offers a second buffer of statistics')
        return
      }
      const bytes = readBuffers(host.memory, chain.readable, Math.min(chain.readableBytes, MAX_STATISTICS * reg.STATISTIC_BYTES))
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      for (let at = 0; at + reg.STATISTIC_BYTES <= bytes.length; at += reg.STATISTIC_BYTES) {
        const tag = view.getUint16(at, true)
        // A value of all ones: the driver does not know.
        const value = view.getUint32(at + 2, true) + view.getUint32(at + 6, true) * FOUR_GIB
        if (tag < reg.STATISTICS.length && value <= Number.MAX_SAFE_INTEGER) this.statistics.set(tag, value)
      }
      this.statisticsHead = chain.head
    }
  }

  // ---- state -----------------------------------------------------------------------------------------------------------------------

  /** What the host wants stays as it is. */
  reset(): void {
    this.requests.abandon()
    this.work = undefined
    this.pages.clear()
    this.config.setUint32(reg.CONFIG_ACTUAL, 0, true)
    this.config.setUint32(reg.CONFIG_POISON, 0, true)
    this.hasStatistics = false
    this.hasPoison = false
    this.statisticsHead = undefined
    this.statistics.clear()
  }

  save(): VirtioBalloonState {
    const { wantedPages, config, hasStatistics, hasPoison, pages, reportedBytes, statisticsHead, statistics } = this
    return {
      schema: ['virtio-balloon', 1],
      wantedPages,
      actualPages: config.getUint32(reg.CONFIG_ACTUAL, true),
      poison: config.getUint32(reg.CONFIG_POISON, true),
      hasStatistics,
      hasPoison,
      held: pages.save(),
      reportedBytes,
      statisticsHead: statisticsHead ?? null,
      statistics: [...statistics],
    }
  }

  load(state: VirtioBalloonState): void {
    expectSchema(this.name, state, ['virtio-balloon', 1])
    this.work = undefined
    this.wantedPages = Math.min(state.wantedPages, this.pages.pages)
    this.config.setUint32(reg.CONFIG_ACTUAL, state.actualPages, true)
    this.config.setUint32(reg.CONFIG_POISON, state.poison, true)
    this.hasStatistics = state.hasStatistics
    this.hasPoison = state.hasPoison
    this.pages.load(state.held)
    this.reportedBytes = state.reportedBytes
    this.statisticsHead = state.statisticsHead ?? undefined
    this.statistics = new Map(state.statistics)
  }
}
