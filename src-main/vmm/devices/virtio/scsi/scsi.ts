/** SCSI host device: disks and CD-ROM drives as targets 0, 1, ... with LUN 0 each. OASIS VIRTIO 1.2, 5.6. */
import type { BlockBackend } from '../../../backends/block/block-backend'
import { writeZeroes } from '../../../backends/block/zeroes'
import type { Outcome } from '../../../backends/completion-gate'
import type { IoFault, SavedState, Width } from '../../device'
import { CD_SECTOR_BYTES } from '../../ide/registers'
import { CdTray, type CdTrayState } from '../../scsi/cd-tray'
import { executeCd, MEDIUM_ERROR_READ, senseData, type Sense } from '../../scsi/scsi-cd'
import { BLOCK_BYTES, executeDisk, type DiskAction } from '../../scsi/scsi-disk'
import { expectSchema } from '../../saved-state'
import { ConfigSpace } from '../config-space'
import { readBuffers, writeBuffers } from '../guest-buffers'
import { GuestTransfer, type TransferOptions } from '../guest-transfer'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import type { DescriptorChain, Virtqueue } from '../virtqueue/virtqueue'
import * as scsi from './registers'

const QUEUE_SIZE = 256
const REQUEST_QUEUES = 4
const SEG_MAX = QUEUE_SIZE - 2
const MAX_SECTORS = 0x10000
const MAX_UNDER_WAY = 64
const MAX_BYTES_UNDER_WAY = 0x4000000
const PORTION_REQUESTS = 64
const PORTION_BYTES = 0x400000
const MAX_SENSE_BYTES = 252
const MAX_CDB_BYTES = 260
const MAX_WARNINGS = 20
/** Peripheral qualifier 011b: no such logical unit at a target that is there (SPC-4 6.6.2). */
const NO_UNIT = 0x7f
const INVALID_LUN: Sense = { key: 5, code: 0x25, qualifier: 0 }
const WRITE_ERROR: Sense = { key: 3, code: 0x0c, qualifier: 0 }

export type ScsiUnit =
  | { readonly kind: 'disk'; readonly medium: BlockBackend; readonly serial: string }
  | { readonly kind: 'cdrom'; readonly medium: BlockBackend | undefined }

export interface VirtioScsiOptions extends TransferOptions {
  readonly warn?: (message: string) => void
}

export interface VirtioScsiState extends SavedState {
  readonly schema: readonly ['virtio-scsi', 1]
  readonly senseBytes: number
  readonly cdbBytes: number
  readonly eventsMissed: boolean
  readonly agreed: number
  readonly trays: readonly CdTrayState[]
}

type Target = { readonly kind: 'disk'; readonly medium: BlockBackend; readonly serial: string } | { readonly kind: 'cdrom'; readonly tray: CdTray }

interface Command {
  readonly queue: Virtqueue
  readonly chain: DescriptorChain
  /** Where the data begin, and how many there is room for. */
  readonly outAt: number
  readonly outBytes: number
  readonly inAt: number
  readonly inBytes: number
}

export class VirtioScsi implements VirtioDevice<VirtioScsiState> {
  readonly name: string = 'virtio-scsi.0'
  readonly type = 8
  readonly pciClass = 0x010000
  readonly features: bigint = scsi.F_HOTPLUG | scsi.F_CHANGE
  readonly queueSizes: readonly number[] = new Array<number>(scsi.FIRST_REQUEST_QUEUE + REQUEST_QUEUES).fill(QUEUE_SIZE)
  readonly configBytes: number = scsi.CONFIG_BYTES
  /** CD drives in the order of the units. */
  readonly cdDrives: readonly CdTray[]
  private readonly targets: readonly Target[]
  private readonly transfer: GuestTransfer
  private readonly config: ConfigSpace = new ConfigSpace(scsi.CONFIG_BYTES)
  private readonly postponed = new Set<number>()
  /** Task management that waits until the commands before it are done: the host cannot take them back. */
  private readonly waiting: (() => void)[] = []
  private host: VirtioHost | undefined
  private agreed = 0n
  private warnings = 0

  // volatile state
  private senseBytes = scsi.DEFAULT_SENSE_BYTES
  private cdbBytes = scsi.DEFAULT_CDB_BYTES
  private eventsMissed = false

  constructor(
    units: readonly ScsiUnit[],
    private readonly options: VirtioScsiOptions,
  ) {
    this.transfer = new GuestTransfer(options)
    this.targets = units.map((unit, target) => (unit.kind === 'disk' ? unit : { kind: 'cdrom', tray: new CdTray(unit.medium, () => this.report(target, scsi.T_PARAM_CHANGE, scsi.MEDIUM_CHANGED)) }))
    this.cdDrives = this.targets.flatMap((target) => (target.kind === 'cdrom' ? [target.tray] : []))
    this.describe()
  }

  private describe(): void {
    const { config } = this
    config.set32(scsi.CFG_NUM_QUEUES, REQUEST_QUEUES)
    config.set32(scsi.CFG_SEG_MAX, SEG_MAX)
    config.set32(scsi.CFG_MAX_SECTORS, MAX_SECTORS)
    config.set32(scsi.CFG_CMD_PER_LUN, MAX_UNDER_WAY)
    config.set32(scsi.CFG_EVENT_INFO_SIZE, scsi.EVENT_BYTES)
    config.set32(scsi.CFG_SENSE_SIZE, this.senseBytes)
    config.set32(scsi.CFG_CDB_SIZE, this.cdbBytes)
    config.set16(scsi.CFG_MAX_TARGET, Math.max(0, this.targets.length - 1))
  }

  connect(host: VirtioHost): void {
    this.host = host
  }

  configRead(offset: number, width: Width): number | IoFault {
    return this.config.read(offset, width)
  }

  /** Sizes of sense and CDB are the driver's choice (5.6.4). */
  configWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (width !== 4) return undefined
    if (offset === scsi.CFG_SENSE_SIZE) this.senseBytes = Math.min(value, MAX_SENSE_BYTES)
    if (offset === scsi.CFG_CDB_SIZE) this.cdbBytes = Math.max(1, Math.min(value, MAX_CDB_BYTES))
    this.describe()
    return undefined
  }

  activate(features: bigint): void {
    this.agreed = features
  }

  reset(): void {
    this.transfer.requests.abandon()
    this.postponed.clear()
    this.waiting.length = 0
    this.agreed = 0n
    this.senseBytes = scsi.DEFAULT_SENSE_BYTES
    this.cdbBytes = scsi.DEFAULT_CDB_BYTES
    this.eventsMissed = false
    for (const tray of this.cdDrives) tray.reset()
    this.describe()
  }

  get busy(): boolean {
    return this.transfer.busy
  }

  queueNotified(index: number): void {
    const queue = this.host?.queue(index)
    if (!queue || this.postponed.has(index)) return
    if (index === scsi.EVENT_QUEUE) return this.reportMissed()
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
      if (index === scsi.CONTROL_QUEUE) this.control(queue, chain)
      else this.request(queue, chain)
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

  private readonly settled = (): void => {
    if (this.transfer.requests.pending === 0) for (const work of this.waiting.splice(0)) work()
    for (const index of this.queueSizes.keys()) if (index !== scsi.EVENT_QUEUE && this.host?.queue(index).available === true) this.queueNotified(index)
  }

  // ---- commands (5.6.6.1) ------------------------------------------------------------------------------------------------------------

  private request(queue: Virtqueue, chain: DescriptorChain): void {
    const { host, senseBytes, cdbBytes } = this
    if (!host) return
    const outAt = scsi.REQUEST_BYTES + cdbBytes
    const inAt = scsi.RESPONSE_BYTES + senseBytes
    if (chain.readableBytes < outAt || chain.writableBytes < inAt) return host.fail(`queue ${queue.index}: a SCSI request of ${chain.readableBytes} bytes with room for ${chain.writableBytes}; ${outAt} and ${inAt} are the least`)
    const bytes = readBuffers(host.memory, chain.readable, outAt)
    const command = { queue, chain, outAt, outBytes: chain.readableBytes - outAt, inAt, inBytes: chain.writableBytes - inAt }
    const cdb = new Uint8Array(MAX_CDB_BYTES)
    cdb.set(bytes.subarray(scsi.REQUEST_BYTES))
    const target = this.targetOf(bytes)
    if (!target) return this.respond(command, scsi.S_BAD_TARGET)
    if (cdb[0] === 0xa0) return this.send(command, reportLuns(cdb))
    if (unitOf(bytes) !== 0) return cdb[0] === 0x12 ? this.send(command, Uint8Array.of(NO_UNIT, 0, 5, 2, 31, ...new Uint8Array(31)).subarray(0, cdb[4])) : this.check(command, INVALID_LUN)
    if (target.kind === 'disk') this.disk(command, target.medium, executeDisk({ blocks: Math.floor(target.medium.bytes / BLOCK_BYTES), readOnly: target.medium.readOnly, serial: target.serial }, new DataView(cdb.buffer)))
    else this.cd(command, target.tray, cdb)
  }

  private disk(command: Command, medium: BlockBackend, action: DiskAction): void {
    switch (action.kind) {
      case 'data':
        return this.send(command, action.data)
      case 'done':
        return this.respond(command, scsi.S_OK)
      case 'sense':
        return this.check(command, action.sense)
      case 'flush':
        return this.work(command, 'disk flush', 0, () => medium.flush())
      case 'zeroes':
        return this.work(command, 'disk zeroes', action.count * BLOCK_BYTES, () => writeZeroes(medium, action.lba * BLOCK_BYTES, action.count * BLOCK_BYTES))
      default:
        return this.move(command, medium, action.kind, action.lba * BLOCK_BYTES, action.count * BLOCK_BYTES, action.durable)
    }
  }

  private cd(command: Command, tray: CdTray, cdb: Uint8Array): void {
    const action = executeCd(tray, cdb)
    if (action.kind === 'data') return this.send(command, action.data)
    if (action.kind === 'sense') return this.check(command, action.sense)
    const { medium } = tray
    if (action.kind === 'done' || !medium) return this.respond(command, scsi.S_OK)
    this.move(command, medium, 'read', action.lba * CD_SECTOR_BYTES, action.count * CD_SECTOR_BYTES, false)
  }

  private move(command: Command, backend: BlockBackend, direction: 'read' | 'write', offset: number, bytes: number, durable: boolean): void {
    const { host } = this
    const { chain, inAt, inBytes, outAt, outBytes } = command
    const reads = direction === 'read'
    if (!host) return
    if (bytes > (reads ? inBytes : outBytes)) return this.respond(command, scsi.S_OVERRUN)
    const done = (outcome: Outcome<void>, atOnce: boolean): void => {
      if (outcome.ok) this.respond(command, scsi.S_OK, reads ? bytes : 0, bytes)
      else this.failed(command, outcome.error, reads ? MEDIUM_ERROR_READ : WRITE_ERROR)
      if (!atOnce) command.queue.signal()
    }
    const part = reads ? { segments: chain.writable, skip: inAt, bytes } : { segments: chain.readable, skip: outAt, bytes }
    this.transfer[direction]({ memory: host.memory, backend, offset, part, durable, done, settled: this.settled })
  }

  private work(command: Command, label: string, bytes: number, work: () => Promise<void>): void {
    this.transfer.submit(label, bytes, work, (outcome) => {
      if (outcome.ok) this.respond(command, scsi.S_OK)
      else this.failed(command, outcome.error, WRITE_ERROR)
      command.queue.signal()
    }, this.settled)
  }

  private failed(command: Command, error: Error, sense: Sense): void {
    if (this.warnings++ < MAX_WARNINGS) this.options.warn?.(`${this.name}: ${error.message}`)
    this.check(command, sense)
  }

  private send(command: Command, data: Uint8Array): void {
    const { host } = this
    if (!host) return
    const part = data.subarray(0, command.inBytes)
    writeBuffers(host.memory, command.chain.writable, part, command.inAt)
    this.respond(command, scsi.S_OK, part.length, part.length)
  }

  private check(command: Command, sense: Sense): void {
    this.respond(command, scsi.S_OK, 0, 0, sense)
  }

  /** `written` bytes of data went into the guest, `moved` in either direction: what remains is the residual. */
  private respond({ queue, chain, inAt, inBytes, outBytes }: Command, response: number, written: number = 0, moved: number = written, sense?: Sense): void {
    const { host } = this
    if (!host) return
    const bytes = new Uint8Array(inAt)
    const view = new DataView(bytes.buffer)
    if (sense) {
      const data = senseData(sense).subarray(0, this.senseBytes)
      view.setUint32(0, data.length, true)
      bytes.set(data, scsi.RESPONSE_BYTES)
    }
    view.setUint32(4, Math.max(0, Math.max(inBytes, outBytes) - moved), true)
    bytes[10] = sense ? scsi.CHECK_CONDITION : scsi.GOOD
    bytes[11] = response
    writeBuffers(host.memory, chain.writable, bytes)
    queue.push(chain, inAt + written)
  }

  private targetOf(lun: Uint8Array, at: number = 0): Target | undefined {
    return lun[at] === 1 ? this.targets[lun[at + 1] ?? -1] : undefined
  }

  // ---- control queue (5.6.6.2) -------------------------------------------------------------------------------------------------------

  private control(queue: Virtqueue, chain: DescriptorChain): void {
    const { host } = this
    if (!host) return
    const bytes = new Uint8Array(scsi.TMF_BYTES)
    bytes.set(readBuffers(host.memory, chain.readable, Math.min(scsi.TMF_BYTES, chain.readableBytes)))
    const view = new DataView(bytes.buffer)
    const answer = (response: Uint8Array): void => {
      queue.push(chain, writeBuffers(host.memory, chain.writable, response))
      queue.signal()
    }
    const type = view.getUint32(0, true)
    if (type === scsi.T_TMF && chain.readableBytes >= scsi.TMF_BYTES) return this.manage(view.getUint32(4, true), this.targetOf(bytes, 8) !== undefined, (response) => answer(Uint8Array.of(response)))
    // No unit has asynchronous events of its own.
    if ((type === scsi.T_AN_QUERY || type === scsi.T_AN_SUBSCRIBE) && chain.readableBytes >= scsi.AN_BYTES) return answer(Uint8Array.of(0, 0, 0, 0, scsi.S_OK))
    host.fail(`queue ${queue.index}: a control request of type ${type} with ${chain.readableBytes} bytes`)
  }

  /** What is under way is let end: an aborted command has been done in full or not been begun. */
  private manage(subtype: number, known: boolean, answer: (response: number) => void): void {
    const idle = this.transfer.requests.pending === 0
    if (!known) return answer(scsi.S_INCORRECT_LUN)
    if (subtype > scsi.TMF_QUERY_TASK_SET) return answer(scsi.S_FUNCTION_REJECTED)
    if (subtype === scsi.TMF_QUERY_TASK || subtype === scsi.TMF_QUERY_TASK_SET) return answer(idle ? scsi.S_OK : scsi.S_FUNCTION_SUCCEEDED)
    if (idle || this.waiting.length >= QUEUE_SIZE) return answer(scsi.S_OK)
    this.waiting.push(() => answer(scsi.S_OK))
  }

  // ---- event queue (5.6.6.3) ---------------------------------------------------------------------------------------------------------

  /** The size of a unit's back end has changed. */
  resized(target: number): void {
    this.report(target, scsi.T_PARAM_CHANGE, scsi.CAPACITY_CHANGED)
  }

  /** A unit is there, or no longer, as far as the guest is to know. */
  plugged(target: number, there: boolean): void {
    this.report(target, scsi.T_TRANSPORT_RESET, there ? scsi.RESET_RESCAN : scsi.RESET_REMOVED)
  }

  private report(target: number, event: number, reason: number): void {
    const feature = event === scsi.T_PARAM_CHANGE ? scsi.F_CHANGE : scsi.F_HOTPLUG
    const queue = this.host?.queue(scsi.EVENT_QUEUE)
    if (!queue?.ready || (this.agreed & feature) === 0n) return
    this.eventsMissed = !this.tell(queue, event, target, reason)
  }

  private reportMissed(): void {
    const queue = this.host?.queue(scsi.EVENT_QUEUE)
    if (this.eventsMissed && queue?.ready === true) this.eventsMissed = !this.tell(queue, 0, 0, 0)
  }

  private tell(queue: Virtqueue, event: number, target: number, reason: number): boolean {
    const chain = queue.pop()
    if (!chain || !this.host) return false
    const bytes = new Uint8Array(scsi.EVENT_BYTES)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, (event | (this.eventsMissed ? scsi.EVENTS_MISSED : 0)) >>> 0, true)
    if (event !== 0) bytes.set([1, target, 0x40, 0], 4)
    view.setUint32(12, reason, true)
    queue.push(chain, writeBuffers(this.host.memory, chain.writable, bytes))
    queue.signal()
    return true
  }

  // ---- state -------------------------------------------------------------------------------------------------------------------------

  save(): VirtioScsiState {
    const { senseBytes, cdbBytes, eventsMissed, agreed } = this
    return { schema: ['virtio-scsi', 1], senseBytes, cdbBytes, eventsMissed, agreed: Number(agreed & 0xffffffn), trays: this.cdDrives.map((tray) => tray.save()) }
  }

  load(state: VirtioScsiState): void {
    expectSchema(this.name, state, ['virtio-scsi', 1])
    this.transfer.requests.abandon()
    this.postponed.clear()
    this.waiting.length = 0
    this.senseBytes = state.senseBytes
    this.cdbBytes = state.cdbBytes
    this.eventsMissed = state.eventsMissed
    this.agreed = BigInt(state.agreed)
    this.cdDrives.forEach((tray, i) => {
      const saved = state.trays[i]
      if (saved) tray.load(saved)
    })
    this.describe()
  }
}

/** Bytes 2 and 3: flat addressing, or 0. */
function unitOf(lun: Uint8Array): number {
  return (((lun[2] ?? 0) << 8) | (lun[3] ?? 0)) & 0x3fff
}

/** One: LUN 0. */
function reportLuns(cdb: Uint8Array): Uint8Array {
  const limit = new DataView(cdb.buffer).getUint32(6)
  return Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 0, ...new Uint8Array(8)).subarray(0, limit)
}
