/** What every transport does: features, status, queues, configuration. OASIS VIRTIO 1.2, 2.1 to 2.6 and 3.1. */
import type { GuestMemory } from '../../../memory/guest-memory'
import type { IoFault, SavedState, Width } from '../../device'
import { RING_EVENT_IDX, RING_INDIRECT_DESC } from '../virtqueue/layout'
import { SplitVirtqueue, type QueueOwner, type QueueState } from '../virtqueue/split-virtqueue'
import type { Virtqueue } from '../virtqueue/virtqueue'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import * as reg from './registers'

/** How a transport tells the driver. */
export interface TransportSignals {
  /** Buffers of the queue were used. */
  queueInterrupt(queue: number): void
  configInterrupt(): void
}

export interface VirtioCoreState {
  readonly status: number
  /** What driver and device agreed on: bits 0..31 and 32..63. */
  readonly agreed: readonly [number, number]
  readonly generation: number
  readonly failure: string | null
  readonly queues: readonly QueueState[]
  readonly device: SavedState
}

export class VirtioCore implements VirtioHost, QueueOwner {
  readonly queues: readonly SplitVirtqueue[]
  readonly offered: bigint
  /** Why the device has failed since its last reset; for the inspector. */
  failure: string | undefined
  /** The transport lets the device at memory (PCI: bus master enable). */
  mayAccessMemory = true

  // volatile state
  private deviceStatus = 0
  private driverFeatures = 0n
  /** Changes with the configuration, so that the driver sees a torn read (2.5.1). */
  generation = 0

  constructor(
    readonly device: VirtioDevice,
    readonly memory: GuestMemory,
    private readonly signals: TransportSignals,
  ) {
    this.offered = device.features | reg.VERSION_1 | RING_INDIRECT_DESC | RING_EVENT_IDX
    this.queues = device.queueSizes.map((size, index) => new SplitVirtqueue(index, size, this))
    device.connect(this)
  }

  // ---- the device's side -----------------------------------------------------------------------------------------------------------

  queue(index: number): Virtqueue {
    const queue = this.queues[index]
    if (!queue) throw new RangeError(`${this.device.name} has no queue ${index}`)
    return queue
  }

  configChanged(): void {
    this.generation = (this.generation + 1) & 0xff
    if ((this.deviceStatus & reg.STATUS_DRIVER_OK) !== 0) this.signals.configInterrupt()
  }

  fail(reason: string): void {
    if (this.failure !== undefined) return
    this.failure = reason
    const wasLive = (this.deviceStatus & reg.STATUS_DRIVER_OK) !== 0
    this.deviceStatus |= reg.STATUS_NEEDS_RESET
    if (wasLive) this.signals.configInterrupt()
  }

  // ---- a queue's side ----------------------------------------------------------------------------------------------------------------

  get running(): boolean {
    return this.mayAccessMemory && (this.deviceStatus & (reg.STATUS_DRIVER_OK | reg.STATUS_NEEDS_RESET)) === reg.STATUS_DRIVER_OK
  }

  interrupt(queue: number): void {
    this.signals.queueInterrupt(queue)
  }

  // ---- the driver's side -------------------------------------------------------------------------------------------------------------

  get status(): number {
    return this.deviceStatus === 0 && this.device.busy === true ? reg.STATUS_NEEDS_RESET : this.deviceStatus
  }

  /** 0 resets. A driver cannot take a bit back otherwise (2.1.1), nor agree to what is not offered (2.2.1). */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset()
      return
    }
    const wasLive = (this.deviceStatus & reg.STATUS_DRIVER_OK) !== 0
    let wanted = this.deviceStatus | (value & reg.STATUS_OF_DRIVER)
    if ((this.driverFeatures & ~this.offered) !== 0n || (this.driverFeatures & reg.VERSION_1) === 0n) wanted &= ~reg.STATUS_FEATURES_OK
    if ((wanted & reg.STATUS_FEATURES_OK) === 0) wanted &= ~reg.STATUS_DRIVER_OK
    this.deviceStatus = wanted
    if (wasLive || (wanted & reg.STATUS_DRIVER_OK) === 0) return
    for (const queue of this.queues) queue.negotiated(this.driverFeatures)
    this.device.activate(this.driverFeatures)
    // What was put there before counts too.
    for (const queue of this.queues) this.notify(queue.index)
  }

  notify(queue: number): void {
    if (this.queues[queue]?.ready === true) this.device.queueNotified(queue)
  }

  /** 32 bits of what is offered, from bit 32 * `select` on. */
  offeredWord(select: number): number {
    return select < 2 ? Number(BigInt.asUintN(32, this.offered >> BigInt(32 * select))) : 0
  }

  agreedWord(select: number): number {
    return select < 2 ? Number(BigInt.asUintN(32, this.driverFeatures >> BigInt(32 * select))) : 0
  }

  agree(select: number, word: number): void {
    if (select >= 2 || (this.deviceStatus & reg.STATUS_FEATURES_OK) !== 0) return
    const shift = BigInt(32 * select)
    this.driverFeatures = (this.driverFeatures & ~(0xffffffffn << shift)) | (BigInt(word >>> 0) << shift)
  }

  /** Beyond the device's configuration space reads 0 and writes are lost. */
  configRead(offset: number, width: Width): number | IoFault {
    return offset + width <= this.device.configBytes ? this.device.configRead(offset, width) : 0
  }

  configWrite(offset: number, width: Width, value: number): IoFault | undefined {
    return offset + width <= this.device.configBytes ? this.device.configWrite(offset, width, value) : undefined
  }

  // ---- state ---------------------------------------------------------------------------------------------------------------------------

  reset(): void {
    this.deviceStatus = 0
    this.driverFeatures = 0n
    this.failure = undefined
    for (const queue of this.queues) queue.reset()
    this.device.reset()
  }

  save(): VirtioCoreState {
    const { deviceStatus: status, generation, failure } = this
    return { status, agreed: [this.agreedWord(0), this.agreedWord(1)], generation, failure: failure ?? null, queues: this.queues.map((queue) => queue.save()), device: this.device.save() }
  }

  load(state: VirtioCoreState): void {
    this.deviceStatus = state.status
    this.driverFeatures = BigInt(state.agreed[0]) | (BigInt(state.agreed[1]) << 32n)
    this.generation = state.generation
    this.failure = state.failure ?? undefined
    state.queues.forEach((saved, i) => this.queues[i]?.load(saved))
    for (const queue of this.queues) queue.negotiated(this.driverFeatures)
    this.device.load(state.device)
  }
}
