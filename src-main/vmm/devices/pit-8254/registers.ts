/** Intel 82C54 data sheet (231244-006). */

/** 105/88 MHz, rounded. */
export const PIT_HZ = 1_193_182

export const PORT_CHANNEL0 = 0x40
export const PORT_CONTROL = 0x43
/** System control port B (AT technical reference; PIIX3 data sheet 2.5.9 "NMISC"). */
export const PORT_SYSTEM_CONTROL = 0x61

// Control word
export const CW_BCD = 0x01
export const CW_MODE_SHIFT = 1
export const CW_RW_SHIFT = 4
export const CW_CHANNEL_SHIFT = 6
export const RW_LATCH = 0
export const RW_LSB = 1
export const RW_MSB = 2
export const RW_BOTH = 3

// Read-back command: channel field = 3; the two latch bits are active low
export const READBACK = 3
export const READBACK_NO_COUNT = 0x20
export const READBACK_NO_STATUS = 0x10

// Status byte
export const STATUS_OUT = 0x80
export const STATUS_NULL_COUNT = 0x40

// Port 61h
export const NMISC_GATE2 = 0x01
export const NMISC_SPEAKER = 0x02
export const NMISC_WRITABLE = 0x0f
export const NMISC_REFRESH = 0x10
export const NMISC_OUT2 = 0x20
/** The refresh request toggles every 15.085 microseconds. */
export const REFRESH_NS = 15_085

/** A periodic output does not wake the machine's thread more often than this. */
export const MIN_PERIOD_NS = 20_000
