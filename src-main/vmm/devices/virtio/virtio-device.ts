/**
 * A virtio device and its transport, as they see each other. The device knows queues, features and its configuration; how the driver reaches them
 * (PCI, MMIO) is the transport's. OASIS Virtual I/O Device (VIRTIO) 1.2, chapters 2 and 3.
 */
import type { GuestMemory } from '../../memory/guest-memory'
import type { IoFault, SavedState, Width } from '../device'
import type { Virtqueue } from './virtqueue/virtqueue'

/** What a device does, whatever transport it sits behind. */
export interface VirtioDevice<S extends SavedState = SavedState> {
  /** Stable: the key in a saved state, e.g. 'virtio-block.0'. */
  readonly name: string
  /** Device ID, chapter 5: 1 net, 2 block, 3 console, 4 entropy, 5 balloon, 8 SCSI, 9 9P, 16 GPU, 18 input, 19 socket. */
  readonly type: number
  /** Class, subclass and programming interface (24 bits), for PCI. */
  readonly pciClass: number
  /** Device-specific feature bits that are offered (0..23 and 50..63, 2.2); those of rings and transport are the transport's. */
  readonly features: bigint
  /** The largest size of each queue: powers of two up to 1024. */
  readonly queueSizes: readonly number[]
  /** Bytes of the device-specific configuration space. */
  readonly configBytes: number
  configRead(offset: number, width: Width): number | IoFault
  configWrite(offset: number, width: Width, value: number): IoFault | undefined
  /** Called once, before anything else. */
  connect(host: VirtioHost): void
  /** The driver has set DRIVER_OK; `features` is what both understand. Queues that it uses are ready. */
  activate(features: bigint): void
  /** By the driver, or with the whole machine. What is under way is forgotten: its completion must find nobody. */
  reset(): void
  /** Host I/O that a reset abandoned still reads or writes guest memory: the driver sees the reset as not done (2.4.1, 4.1.4.3.2: status is not 0 yet). */
  readonly busy?: boolean
  /** The driver has put buffers into a queue that is in use. Also called for every such queue after activate(). */
  queueNotified(index: number): void
  /**
   * No chain is held by host I/O then (a machine is saved when none is pending); a device that keeps chains for other reasons saves their heads,
   * and takes them again by Virtqueue.resume().
   */
  save(): S
  load(state: S): void
}

/** What a device may ask of its transport. */
export interface VirtioHost {
  readonly memory: GuestMemory
  queue(index: number): Virtqueue
  /** The configuration space has changed: an interrupt, and a new generation. */
  configChanged(): void
  /**
   * The driver broke the rules, or the device cannot go on: DEVICE_NEEDS_RESET is set, the driver is told, the queues are dead until it resets.
   * `reason` is shown in the log and the inspector.
   */
  fail(reason: string): void
}
