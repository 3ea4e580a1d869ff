/** Split virtqueues in guest memory. OASIS VIRTIO 1.2, 2.7. */

export const MAX_QUEUE_SIZE = 1024

/** Descriptor, 16 bytes (2.7.5). */
export const DESCRIPTOR_BYTES = 16
export const DESC_LENGTH = 8
export const DESC_FLAGS = 12
export const DESC_NEXT = 14
export const DESC_F_NEXT = 1
export const DESC_F_WRITE = 2
export const DESC_F_INDIRECT = 4

/** Available ring: flags, index, ring, used_event (2.7.6). */
export const AVAIL_INDEX = 2
export const AVAIL_RING = 4
export const AVAIL_F_NO_INTERRUPT = 1

/** Used ring: flags, index, ring of 8 bytes each, avail_event (2.7.8). */
export const USED_INDEX = 2
export const USED_RING = 4
export const USED_ELEMENT_BYTES = 8
export const USED_F_NO_NOTIFY = 1

/** Where used_event stands in the available ring. */
export const usedEventAt = (size: number): number => AVAIL_RING + 2 * size
/** Where avail_event stands in the used ring. */
export const availEventAt = (size: number): number => USED_RING + USED_ELEMENT_BYTES * size

/** Feature bits of rings (6). */
export const RING_INDIRECT_DESC: bigint = 1n << 28n
export const RING_EVENT_IDX: bigint = 1n << 29n
