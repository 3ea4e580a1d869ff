/** Intel SDM volume 3, chapter 11 "Advanced Programmable Interrupt Controller", table 11-1. */

export const LAPIC_DEFAULT_BASE = 0xfee00000
export const LAPIC_BYTES = 0x1000

export const APIC_ID = 0x020
export const APIC_VERSION = 0x030
export const APIC_TPR = 0x080
export const APIC_APR = 0x090
export const APIC_PPR = 0x0a0
export const APIC_EOI = 0x0b0
export const APIC_RRD = 0x0c0
export const APIC_LDR = 0x0d0
export const APIC_DFR = 0x0e0
export const APIC_SVR = 0x0f0
export const APIC_ISR = 0x100
export const APIC_TMR = 0x180
export const APIC_IRR = 0x200
export const APIC_ESR = 0x280
export const APIC_ICR_LOW = 0x300
export const APIC_ICR_HIGH = 0x310
export const APIC_LVT_TIMER = 0x320
export const APIC_LVT_ERROR = 0x370
export const APIC_TIMER_INITIAL = 0x380
export const APIC_TIMER_CURRENT = 0x390
export const APIC_TIMER_DIVIDE = 0x3e0

/** Integrated APIC, six LVT entries. */
export const VERSION = 0x00050014

// LVT entries in the order of their registers
export const LVT_TIMER = 0
export const LVT_THERMAL = 1
export const LVT_PERFORMANCE = 2
export const LVT_LINT0 = 3
export const LVT_LINT1 = 4
export const LVT_ERROR = 5
export const LVT_COUNT = 6

export const LVT_VECTOR = 0xff
export const LVT_MODE_SHIFT = 8
export const LVT_REMOTE_IRR = 0x4000
export const LVT_LEVEL = 0x8000
export const LVT_MASKED = 0x10000
export const LVT_TIMER_MODE = 0x60000
export const LVT_TIMER_ONESHOT = 0x00000
export const LVT_TIMER_PERIODIC = 0x20000
export const LVT_TIMER_TSC_DEADLINE = 0x40000
/** Writable bits of each entry. Delivery status (bit 12) is read-only and always idle. */
export const LVT_WRITABLE: readonly number[] = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff]

export const SVR_ENABLED = 0x100
export const SVR_WRITABLE = 0x3ff

export const DFR_FLAT = 0xf0000000

export const ESR_SEND_ILLEGAL = 0x20
export const ESR_RECEIVE_ILLEGAL = 0x40
export const ESR_ILLEGAL_REGISTER = 0x80

// Interrupt command register, low dword
export const ICR_WRITABLE = 0xccfff
export const ICR_MODE_SHIFT = 8
export const ICR_LOGICAL = 0x800
export const ICR_ASSERT = 0x4000
export const ICR_LEVEL = 0x8000
export const ICR_SHORTHAND_SHIFT = 18
export const SHORTHAND_NONE = 0
export const SHORTHAND_SELF = 1
export const SHORTHAND_ALL = 2

export const MSR_APIC_BASE = 0x1b
export const MSR_TSC_DEADLINE = 0x6e0
export const BASE_BSP = 0x100
export const BASE_X2APIC = 0x400
export const BASE_ENABLED = 0x800
/** Address bits above the page, low half. */
export const BASE_ADDRESS = 0xfffff000
/** Upper half: 40 bits of physical address. */
export const BASE_HIGH_MASK = 0xff

/** Input clock of the timer: a nanosecond a tick. */
export const TIMER_TICK_NS = 1
/** A periodic timer does not wake the machine's thread more often than this, whatever the guest asks for. */
export const MIN_PERIOD_NS = 20_000
