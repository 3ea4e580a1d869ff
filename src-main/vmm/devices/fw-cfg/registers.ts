/** fw_cfg's ports and keys: QEMU docs/specs/fw_cfg.rst. */
export const PORT_SELECTOR = 0x510
export const PORT_DATA = 0x511
/** 64-bit big-endian address of a DMA descriptor; writing the low half starts it. */
export const PORT_DMA = 0x514
export const PORT_DMA_LAST = 0x51b

export const KEY_SIGNATURE = 0x00
export const KEY_ID = 0x01
export const KEY_UUID = 0x02
export const KEY_RAM_SIZE = 0x03
export const KEY_CPUS = 0x05
export const KEY_MAX_CPUS = 0x0f
export const KEY_FILE_DIRECTORY = 0x19
export const KEY_FIRST_FILE = 0x20

export const ID_TRADITIONAL = 1
export const ID_DMA = 2

export const DMA_ERROR = 1
export const DMA_READ = 2
export const DMA_SKIP = 4
export const DMA_SELECT = 8
export const DMA_WRITE = 16
export const DMA_SIGNATURE = [0x51, 0x45, 0x4d, 0x55, 0x20, 0x43, 0x46, 0x47] as const // "QEMU CFG"
