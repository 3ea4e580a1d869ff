/**
 * A virtio device by MMIO, version 2. OASIS VIRTIO 1.2, 4.2. Boards: `new VirtioMmio(device, { memory, base, irq })`; the range is 200h bytes, the line is
 * level-triggered and may be shared.
 */
import type { IrqLine } from '../../../irq/line'
import type { GuestMemory } from '../../../memory/guest-memory'
import { BAD_WIDTH, NO_REGISTER, type Claim, type Device, type IoFault, type MmioHandler, type SavedState, type Width } from '../../device'
import { expectSchema } from '../../saved-state'
import type { VirtioDevice } from '../virtio-device'
import { setHalf } from './queue-addresses'
import * as reg from './registers'
import { VirtioCore, type VirtioCoreState } from './virtio-core'

export const VIRTIO_MMIO_BYTES = 0x200

/** Table 4.1 (4.2.2). */
const MAGIC = 0x000
const MAGIC_VALUE = 0x74726976
const VERSION = 0x004
const DEVICE_ID = 0x008
const VENDOR_ID = 0x00c
const VENDOR = 0x4e525456 // "VTRN"
const DEVICE_FEATURES = 0x010
const DEVICE_FEATURES_SELECT = 0x014
const DRIVER_FEATURES = 0x020
const DRIVER_FEATURES_SELECT = 0x024
const QUEUE_SELECT = 0x030
const QUEUE_SIZE_MAX = 0x034
const QUEUE_SIZE = 0x038
const QUEUE_READY = 0x044
const QUEUE_NOTIFY = 0x050
const INTERRUPT_STATUS = 0x060
const INTERRUPT_ACK = 0x064
const STATUS = 0x070
const QUEUE_DESC_LOW = 0x080
const QUEUE_DESC_HIGH = 0x084
const QUEUE_DRIVER_LOW = 0x090
const QUEUE_DRIVER_HIGH = 0x094
const QUEUE_DEVICE_LOW = 0x0a0
const QUEUE_DEVICE_HIGH = 0x0a4
const SHARED_MEMORY_FIRST = 0x0ac
const SHARED_MEMORY_LAST = 0x0bc
const CONFIG_GENERATION = 0x0fc
const CONFIG = 0x100

export interface VirtioMmioOptions {
  readonly memory: GuestMemory
  readonly base: number
  readonly irq: IrqLine
}

export interface VirtioMmioState extends SavedState {
  readonly schema: readonly ['virtio-mmio', 1]
  readonly core: VirtioCoreState
  readonly isr: number
  readonly selects: readonly [device: number, driver: number, queue: number]
}

export class VirtioMmio implements Device<VirtioMmioState>, MmioHandler {
  readonly name: string
  readonly claims: readonly Claim[]
  readonly core: VirtioCore

  // volatile state (with the core's)
  private isr = 0
  private deviceSelect = 0
  private driverSelect = 0
  private queueSelect = 0

  constructor(
    device: VirtioDevice,
    private readonly options: VirtioMmioOptions,
  ) {
    this.name = device.name
    this.claims = [{ kind: 'mmio', name: 'registers', first: options.base, last: options.base + VIRTIO_MMIO_BYTES - 1, handler: this }]
    this.core = new VirtioCore(device, options.memory, { queueInterrupt: () => this.raise(reg.ISR_QUEUE), configInterrupt: () => this.raise(reg.ISR_CONFIG) })
  }

  private raise(cause: number): void {
    this.isr |= cause
    this.options.irq.setLevel(true)
  }

  private lower(causes: number): void {
    this.isr &= ~causes
    if (this.isr === 0) this.options.irq.setLevel(false)
  }

  mmioRead(offset: number, width: Width): number | IoFault {
    if (offset >= CONFIG) return this.core.configRead(offset - CONFIG, width)
    if (width !== 4) return BAD_WIDTH
    const { core } = this
    const queue = core.queues[this.queueSelect]
    switch (offset) {
      case MAGIC:
        return MAGIC_VALUE
      case VERSION:
        return 2
      case DEVICE_ID:
        return core.device.type
      case VENDOR_ID:
        return VENDOR
      case DEVICE_FEATURES:
        return core.offeredWord(this.deviceSelect)
      case QUEUE_SIZE_MAX:
        return queue?.maxSize ?? 0
      case QUEUE_READY:
        return queue?.isEnabled === true ? 1 : 0
      case INTERRUPT_STATUS:
        return this.isr
      case STATUS:
        return core.status
      case CONFIG_GENERATION:
        return core.generation
      default:
        // A region of shared memory that is not there has all ones as its length and base.
        return offset >= SHARED_MEMORY_FIRST && offset <= SHARED_MEMORY_LAST ? 0xffffffff : NO_REGISTER
    }
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (offset >= CONFIG) return this.core.configWrite(offset - CONFIG, width, value)
    if (width !== 4) return BAD_WIDTH
    const { core } = this
    const queue = core.queues[this.queueSelect]
    switch (offset) {
      case DEVICE_FEATURES_SELECT:
        this.deviceSelect = value
        break
      case DRIVER_FEATURES:
        core.agree(this.driverSelect, value)
        break
      case DRIVER_FEATURES_SELECT:
        this.driverSelect = value
        break
      case QUEUE_SELECT:
        this.queueSelect = value
        break
      case QUEUE_SIZE:
        queue?.chooseSize(value)
        break
      case QUEUE_READY:
        if (value === 1) queue?.enable()
        else if (value === 0) queue?.disable()
        break
      case QUEUE_NOTIFY:
        core.notify(value)
        break
      case INTERRUPT_ACK:
        this.lower(value)
        break
      case STATUS:
        if (value === 0) this.lower(this.isr)
        core.writeStatus(value)
        break
      case SHARED_MEMORY_FIRST:
        break
      default:
        return this.writeAddress(offset, value)
    }
    return undefined
  }

  private writeAddress(offset: number, value: number): IoFault | undefined {
    const target = ADDRESSES.get(offset)
    if (!target) return NO_REGISTER
    const queue = this.core.queues[this.queueSelect]
    if (queue && !queue.isEnabled) setHalf(queue.addresses, target.part, target.half, value)
    return undefined
  }

  reset(): void {
    this.lower(this.isr)
    this.core.reset()
    this.deviceSelect = 0
    this.driverSelect = 0
    this.queueSelect = 0
  }

  save(): VirtioMmioState {
    const { core, isr, deviceSelect, driverSelect, queueSelect } = this
    return { schema: ['virtio-mmio', 1], core: core.save(), isr, selects: [deviceSelect, driverSelect, queueSelect] }
  }

  load(state: VirtioMmioState): void {
    expectSchema(this.name, state, ['virtio-mmio', 1])
    this.isr = state.isr
    ;[this.deviceSelect, this.driverSelect, this.queueSelect] = state.selects
    this.core.load(state.core)
    this.options.irq.setLevel(this.isr !== 0)
  }
}

const ADDRESSES: ReadonlyMap<number, { readonly part: 'descriptors' | 'available' | 'used'; readonly half: 'low' | 'high' }> = new Map([
  [QUEUE_DESC_LOW, { part: 'descriptors', half: 'low' }],
  [QUEUE_DESC_HIGH, { part: 'descriptors', half: 'high' }],
  [QUEUE_DRIVER_LOW, { part: 'available', half: 'low' }],
  [QUEUE_DRIVER_HIGH, { part: 'available', half: 'high' }],
  [QUEUE_DEVICE_LOW, { part: 'used', half: 'low' }],
  [QUEUE_DEVICE_HIGH, { part: 'used', half: 'high' }],
])
