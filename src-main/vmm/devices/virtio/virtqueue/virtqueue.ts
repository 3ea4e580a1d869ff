/** A virtqueue as a device uses it. OASIS VIRTIO 1.2, 2.6 and 2.7. Everything in the rings is the guest's word, and checked. */

/** A piece of a buffer: guest-physical, inside RAM, not empty. */
export interface Segment {
  readonly address: number
  readonly bytes: number
}

/** A buffer that the driver made available: what the device may read, then what it may write (2.6.4.2). */
export interface DescriptorChain {
  /** Index of its first descriptor: its name in the used ring. */
  readonly head: number
  readonly readable: readonly Segment[]
  readonly writable: readonly Segment[]
  readonly readableBytes: number
  readonly writableBytes: number
}

export interface Virtqueue {
  readonly index: number
  /** As the driver chose it; 0: the queue is not in use. */
  readonly size: number
  /** The driver has enabled it, and neither it nor the device has failed. */
  readonly ready: boolean
  /**
   * The next available chain. A chain that breaks the rules (a loop, an index or address out of range, more than the queue's size, a readable part
   * after a writable one) fails the device and is not returned.
   */
  pop(): DescriptorChain | undefined
  /** Puts back the chain popped last, for the next pop (no buffer was large enough, nothing to put into it yet). */
  unpop(): void
  /** Whether pop() would return something or fail. */
  readonly available: boolean
  /** Gives a chain back, with how many bytes were written into its writable part from its start on. Order is free. */
  push(chain: DescriptorChain, written: number): void
  /** Interrupts the driver if it wants to hear of what was pushed since the last call (2.6.7). Call once after a batch of push(). */
  signal(): void
  /** Tells the driver whether to notify (2.6.10). On after reset; a device that works through a queue turns it off meanwhile, turns it on, and looks again. */
  setNotifications(wanted: boolean): void
  /** After load(): the chain with that head, popped before the machine was saved; undefined (and failed): the ring no longer has it. */
  resume(head: number): DescriptorChain | undefined
}
