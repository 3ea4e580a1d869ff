/** Memory balloon device. OASIS VIRTIO 1.2, 5.5. */

/** Feature bits (5.5.3). */
export const STATS_VQ: bigint = 1n << 1n
export const DEFLATE_ON_OOM: bigint = 1n << 2n
export const PAGE_POISON: bigint = 1n << 4n
export const PAGE_REPORTING: bigint = 1n << 5n

/** Virtqueues (5.5.2). 3 is for free page hints, which this device does not offer: Linux gives the number to the next queue that there is. */
export const INFLATE = 0
export const DEFLATE = 1
export const STATS = 2
export const REPORTING_OF_LINUX = 3
export const REPORTING = 4

/** Configuration space (5.5.4). */
export const CONFIG_NUM_PAGES = 0
export const CONFIG_ACTUAL = 4
export const CONFIG_POISON = 12
export const CONFIG_BYTES = 16

/** Of addresses and counts of pages, whatever the guest's own are. */
export const PAGE_BYTES = 4096

/** A statistic: tag of 16 bits, value of 64 bits, packed (5.5.6.3). */
export const STATISTIC_BYTES = 10
/** By tag. */
export const STATISTICS = ['swapInBytes', 'swapOutBytes', 'majorFaults', 'minorFaults', 'freeBytes', 'totalBytes', 'availableBytes', 'cacheBytes', 'hugePagesAllocated', 'hugePagesFailed'] as const
export type StatisticName = (typeof STATISTICS)[number]
