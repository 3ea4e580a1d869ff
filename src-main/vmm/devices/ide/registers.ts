/** ATA/ATAPI-6 (T13/1410D) task-file registers, bits and command codes; bus-master registers of the PIIX3 (Intel 290550, section 2.7). */

// Command block, offsets from 1F0h/170h.
export const REG_DATA = 0
export const REG_ERROR_FEATURES = 1
export const REG_SECTOR_COUNT = 2
export const REG_LBA_LOW = 3
export const REG_LBA_MID = 4
export const REG_LBA_HIGH = 5
export const REG_DEVICE = 6
export const REG_STATUS_COMMAND = 7

export const STATUS_ERR = 0x01
export const STATUS_DRQ = 0x08
export const STATUS_DSC = 0x10
export const STATUS_DF = 0x20
export const STATUS_DRDY = 0x40
export const STATUS_BSY = 0x80

export const ERROR_ABRT = 0x04
export const ERROR_IDNF = 0x10
export const ERROR_UNC = 0x40

export const DEVICE_LBA = 0x40
export const DEVICE_SELECT = 0x10

export const CONTROL_NIEN = 0x02
export const CONTROL_SRST = 0x04
export const CONTROL_HOB = 0x80

/** Interrupt reason in the sector count register of a packet device. */
export const REASON_COMMAND = 0x01
export const REASON_TO_HOST = 0x02

export const CMD_NOP = 0x00
export const CMD_DEVICE_RESET = 0x08
export const CMD_READ_SECTORS = 0x20
export const CMD_READ_SECTORS_NO_RETRY = 0x21
export const CMD_READ_SECTORS_EXT = 0x24
export const CMD_READ_DMA_EXT = 0x25
export const CMD_READ_NATIVE_MAX_EXT = 0x27
export const CMD_READ_MULTIPLE_EXT = 0x29
export const CMD_WRITE_SECTORS = 0x30
export const CMD_WRITE_SECTORS_NO_RETRY = 0x31
export const CMD_WRITE_SECTORS_EXT = 0x34
export const CMD_WRITE_DMA_EXT = 0x35
export const CMD_WRITE_MULTIPLE_EXT = 0x39
export const CMD_READ_VERIFY = 0x40
export const CMD_READ_VERIFY_NO_RETRY = 0x41
export const CMD_READ_VERIFY_EXT = 0x42
export const CMD_EXECUTE_DIAGNOSTIC = 0x90
export const CMD_INITIALIZE_PARAMETERS = 0x91
export const CMD_PACKET = 0xa0
export const CMD_IDENTIFY_PACKET = 0xa1
export const CMD_READ_MULTIPLE = 0xc4
export const CMD_WRITE_MULTIPLE = 0xc5
export const CMD_SET_MULTIPLE = 0xc6
export const CMD_READ_DMA = 0xc8
export const CMD_READ_DMA_NO_RETRY = 0xc9
export const CMD_WRITE_DMA = 0xca
export const CMD_WRITE_DMA_NO_RETRY = 0xcb
export const CMD_STANDBY_IMMEDIATE = 0xe0
export const CMD_IDLE_IMMEDIATE = 0xe1
export const CMD_STANDBY = 0xe2
export const CMD_IDLE = 0xe3
export const CMD_CHECK_POWER_MODE = 0xe5
export const CMD_SLEEP = 0xe6
export const CMD_FLUSH_CACHE = 0xe7
export const CMD_FLUSH_CACHE_EXT = 0xea
export const CMD_IDENTIFY = 0xec
export const CMD_SET_FEATURES = 0xef
export const CMD_READ_NATIVE_MAX = 0xf8

// Bus master, offsets in a channel's 8 ports.
export const BM_COMMAND = 0
export const BM_STATUS = 2
export const BM_PRD_TABLE = 4
export const BM_COMMAND_START = 0x01
/** 1: device to memory. */
export const BM_COMMAND_TO_MEMORY = 0x08
export const BM_STATUS_ACTIVE = 0x01
export const BM_STATUS_ERROR = 0x02
export const BM_STATUS_INTERRUPT = 0x04
/** Drive 0/1 DMA capable: plain read-write bits that firmware sets. */
export const BM_STATUS_CAPABLE = 0x60
export const PRD_END = 0x8000

export const SECTOR_BYTES = 512
export const CD_SECTOR_BYTES = 2048
