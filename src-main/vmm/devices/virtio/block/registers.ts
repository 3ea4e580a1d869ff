/** Block device. OASIS VIRTIO 1.2, 5.2. */

export const F_SEG_MAX: bigint = 1n << 2n
export const F_GEOMETRY: bigint = 1n << 4n
export const F_RO: bigint = 1n << 5n
export const F_BLK_SIZE: bigint = 1n << 6n
export const F_FLUSH: bigint = 1n << 9n
export const F_TOPOLOGY: bigint = 1n << 10n
export const F_CONFIG_WCE: bigint = 1n << 11n
export const F_MQ: bigint = 1n << 12n
export const F_DISCARD: bigint = 1n << 13n
export const F_WRITE_ZEROES: bigint = 1n << 14n

export const SECTOR_BYTES = 512

/** Device configuration layout: 5.2.4. */
export const CONFIG_BYTES = 60
export const CFG_CAPACITY = 0
export const CFG_SEG_MAX = 12
export const CFG_CYLINDERS = 16
export const CFG_HEADS = 18
export const CFG_SECTORS = 19
export const CFG_BLK_SIZE = 20
/** Physical block exponent, alignment offset, minimum and optimum size of I/O in logical blocks. */
export const CFG_PHYSICAL_BLOCK_EXP = 24
export const CFG_MIN_IO_SIZE = 26
export const CFG_OPT_IO_SIZE = 28
export const CFG_WRITEBACK = 32
export const CFG_NUM_QUEUES = 34
export const CFG_MAX_DISCARD_SECTORS = 36
export const CFG_MAX_DISCARD_SEG = 40
export const CFG_DISCARD_ALIGNMENT = 44
export const CFG_MAX_WRITE_ZEROES_SECTORS = 48
export const CFG_MAX_WRITE_ZEROES_SEG = 52
export const CFG_WRITE_ZEROES_MAY_UNMAP = 56

/** Request: type, reserved, sector; then data; then one byte of status (5.2.6). */
export const HEADER_BYTES = 16
export const T_IN = 0
export const T_OUT = 1
export const T_FLUSH = 4
export const T_GET_ID = 8
export const T_DISCARD = 11
export const T_WRITE_ZEROES = 13

export const S_OK = 0
export const S_IOERR = 1
export const S_UNSUPP = 2

/** Of the answer to T_GET_ID: the serial number, filled up with zeros. */
export const ID_BYTES = 20

/** A range of T_DISCARD and T_WRITE_ZEROES: sector (64 bits), sectors, flags (5.2.6, struct virtio_blk_discard_write_zeroes). */
export const RANGE_BYTES = 16
export const RANGE_F_UNMAP = 1
