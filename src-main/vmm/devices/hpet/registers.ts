/** IA-PC HPET specification 1.0a (October 2004), section 2.3. */

export const HPET_BASE = 0xfed00000
export const HPET_BYTES = 0x400

export const HPET_CAPABILITIES = 0x000
export const HPET_PERIOD = 0x004
export const HPET_CONFIG = 0x010
export const HPET_STATUS = 0x020
export const HPET_COUNTER = 0x0f0
export const HPET_TIMER0 = 0x100
export const HPET_TIMER_STRIDE = 0x20
export const HPET_TIMERS = 3
// Within a timer
export const TN_CONFIG = 0x00
export const TN_ROUTES = 0x04
export const TN_COMPARATOR = 0x08

/** 10 ns = 100 MHz. */
export const TICK_NS = 10
export const PERIOD_FS = 10_000_000
/** Vendor 8086h, legacy replacement, 64-bit counter, three timers, revision 1. */
export const CAPABILITIES = 0x8086a201

export const CONFIG_ENABLE = 1
export const CONFIG_LEGACY = 2

export const TN_LEVEL = 0x0002
export const TN_ENABLE = 0x0004
export const TN_PERIODIC = 0x0008
export const TN_PERIODIC_CAPABLE = 0x0010
export const TN_SIZE_64 = 0x0020
export const TN_VALUE_SET = 0x0040
export const TN_32BIT = 0x0100
export const TN_ROUTE_SHIFT = 9
/** Writable: level, enable, periodic, 32-bit mode, route. TN_VALUE_SET acts and reads 0. */
export const TN_WRITABLE = 0x3f0e
/** GSIs that a timer may use: I/O APIC pin 2 (shared with the PIT's place), 8, and 16..23. */
export const ROUTES = 0x00ff0104

/** A periodic timer does not wake the machine's thread more often than this. */
export const MIN_PERIOD_NS = 20_000
