/** The device's side of a split virtqueue. OASIS VIRTIO 1.2, 2.7. */
import type { GuestMemory } from '../../../memory/guest-memory'
import { gpa } from '../../../support/branded'
import * as ring from './layout'
import { isRam, readChain } from './read-chain'
import type { DescriptorChain, Virtqueue } from './virtqueue'

/** What a queue needs of its transport. */
export interface QueueOwner {
  readonly memory: GuestMemory
  /** The device may read and write guest memory, and has not failed. */
  readonly running: boolean
  interrupt(queue: number): void
  fail(reason: string): void
}

export interface QueueState {
  readonly size: number
  readonly enabled: boolean
  readonly descriptors: number
  readonly available: number
  readonly used: number
  readonly nextAvailable: number
  readonly nextUsed: number
  readonly signalled: number
  readonly notifications: boolean
}

/** Where the driver put the three parts. */
export interface QueueAddresses {
  descriptors: number
  available: number
  used: number
}

export class SplitVirtqueue implements Virtqueue {
  // volatile state
  private chosenSize: number
  private enabled = false
  readonly addresses: QueueAddresses = { descriptors: 0, available: 0, used: 0 }
  /** Free-running 16-bit counts of chains taken and given back. */
  private nextAvailable = 0
  private nextUsed = 0
  /** The used index of which the driver was last told. */
  private signalled = 0
  private notifications = true

  // set when features have been agreed on
  private eventIndex = false
  private indirectAllowed = false

  constructor(
    readonly index: number,
    readonly maxSize: number,
    private readonly owner: QueueOwner,
  ) {
    this.chosenSize = maxSize
  }

  get size(): number {
    return this.enabled ? this.chosenSize : 0
  }

  /** As the driver has set it, in use or not. */
  get wantedSize(): number {
    return this.chosenSize
  }

  /** Ignored when it is no power of two up to the largest size, and once the queue is in use. */
  chooseSize(size: number): void {
    if (!this.enabled && size >= 1 && size <= this.maxSize && (size & (size - 1)) === 0) this.chosenSize = size
  }

  get isEnabled(): boolean {
    return this.enabled
  }

  /** The driver takes the queue into use; fails the device when its parts are not in memory or not aligned (2.7). */
  enable(): void {
    if (this.enabled) return
    const { descriptors, available, used } = this.addresses
    const { memory } = this.owner
    const size = this.chosenSize
    const fits = isRam(memory, descriptors, size * ring.DESCRIPTOR_BYTES) && isRam(memory, available, ring.usedEventAt(size) + 2) && isRam(memory, used, ring.availEventAt(size) + 2)
    if (!fits || descriptors % 16 !== 0 || available % 2 !== 0 || used % 4 !== 0) {
      this.owner.fail(`queue ${this.index}: its parts lie outside of memory or are not aligned`)
      return
    }
    this.enabled = true
  }

  /** By MMIO a driver may take a queue out of use (4.2.2.2); it begins anew then. */
  disable(): void {
    this.enabled = false
    this.nextAvailable = 0
    this.nextUsed = 0
    this.signalled = 0
    this.notifications = true
  }

  negotiated(features: bigint): void {
    this.eventIndex = (features & ring.RING_EVENT_IDX) !== 0n
    this.indirectAllowed = (features & ring.RING_INDIRECT_DESC) !== 0n
  }

  get ready(): boolean {
    return this.enabled && this.owner.running
  }

  get available(): boolean {
    return this.ready && this.offeredIndex() !== this.nextAvailable
  }

  private offeredIndex(): number {
    return this.owner.memory.readU16(gpa(this.addresses.available + ring.AVAIL_INDEX))
  }

  pop(): DescriptorChain | undefined {
    if (!this.available) return undefined
    const offered = (this.offeredIndex() - this.nextAvailable) & 0xffff
    if (offered > this.chosenSize) return this.broken(`${offered} chains at once in a ring of ${this.chosenSize}`)
    const slot = this.nextAvailable & (this.chosenSize - 1)
    const head = this.owner.memory.readU16(gpa(this.addresses.available + ring.AVAIL_RING + 2 * slot))
    const chain = this.read(head)
    if (chain === undefined) return undefined
    this.nextAvailable = (this.nextAvailable + 1) & 0xffff
    if (this.notifications) this.askForNotification()
    return chain
  }

  unpop(): void {
    this.nextAvailable = (this.nextAvailable - 1) & 0xffff
    if (this.notifications) this.askForNotification()
  }

  resume(head: number): DescriptorChain | undefined {
    return this.read(head)
  }

  private read(head: number): DescriptorChain | undefined {
    const { memory } = this.owner
    const chain = readChain({ memory, descriptors: this.addresses.descriptors, size: this.chosenSize, indirectAllowed: this.indirectAllowed }, head)
    return typeof chain === 'string' ? this.broken(chain) : chain
  }

  private broken(what: string): undefined {
    this.owner.fail(`queue ${this.index}: the driver offered ${what}`)
    return undefined
  }

  push(chain: DescriptorChain, written: number): void {
    if (!this.ready) return
    const { memory } = this.owner
    const { used } = this.addresses
    const element = used + ring.USED_RING + ring.USED_ELEMENT_BYTES * (this.nextUsed & (this.chosenSize - 1))
    memory.writeU32(gpa(element), chain.head)
    memory.writeU32(gpa(element + 4), written)
    this.nextUsed = (this.nextUsed + 1) & 0xffff
    memory.writeU16(gpa(used + ring.USED_INDEX), this.nextUsed)
  }

  signal(): void {
    if (!this.ready || this.nextUsed === this.signalled) return
    const before = this.signalled
    this.signalled = this.nextUsed
    if (this.driverWantsInterrupt(before)) this.owner.interrupt(this.index)
  }

  private driverWantsInterrupt(before: number): boolean {
    const { memory } = this.owner
    const { available } = this.addresses
    if (!this.eventIndex) return (memory.readU16(gpa(available)) & ring.AVAIL_F_NO_INTERRUPT) === 0
    const event = memory.readU16(gpa(available + ring.usedEventAt(this.chosenSize)))
    // 2.7.7.1: the index has gone past the event since the last time.
    return ((this.nextUsed - event - 1) & 0xffff) < ((this.nextUsed - before) & 0xffff)
  }

  setNotifications(wanted: boolean): void {
    if (!this.ready) return
    this.notifications = wanted
    // An event index that lies behind is not met again before 65,536 more chains: nothing is to be written to turn them off.
    if (this.eventIndex) {
      if (wanted) this.askForNotification()
    } else this.owner.memory.writeU16(gpa(this.addresses.used), wanted ? 0 : ring.USED_F_NO_NOTIFY)
  }

  /** With event indices: of the next chain (2.7.10). */
  private askForNotification(): void {
    if (this.eventIndex) this.owner.memory.writeU16(gpa(this.addresses.used + ring.availEventAt(this.chosenSize)), this.nextAvailable)
  }

  reset(): void {
    this.chosenSize = this.maxSize
    this.enabled = false
    this.addresses.descriptors = 0
    this.addresses.available = 0
    this.addresses.used = 0
    this.nextAvailable = 0
    this.nextUsed = 0
    this.signalled = 0
    this.notifications = true
    this.eventIndex = false
    this.indirectAllowed = false
  }

  save(): QueueState {
    const { chosenSize: size, enabled, addresses, nextAvailable, nextUsed, signalled, notifications } = this
    return { size, enabled, ...addresses, nextAvailable, nextUsed, signalled, notifications }
  }

  load(state: QueueState): void {
    this.chosenSize = state.size
    this.enabled = state.enabled
    this.addresses.descriptors = state.descriptors
    this.addresses.available = state.available
    this.addresses.used = state.used
    this.nextAvailable = state.nextAvailable
    this.nextUsed = state.nextUsed
    this.signalled = state.signalled
    this.notifications = state.notifications
  }
}
