/** Status bits and transport features. OASIS VIRTIO 1.2, 2.1 and 6. */
export const STATUS_ACKNOWLEDGE = 1
export const STATUS_DRIVER = 2
export const STATUS_DRIVER_OK = 4
export const STATUS_FEATURES_OK = 8
export const STATUS_NEEDS_RESET = 64
export const STATUS_FAILED = 128
export const STATUS_OF_DRIVER: number = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED

export const VERSION_1: bigint = 1n << 32n

/** Interrupt status: buffers used, configuration changed (4.1.4.5, 4.2.2). */
export const ISR_QUEUE = 1
export const ISR_CONFIG = 2

export const NO_VECTOR = 0xffff
