/**
 * KVM's interface for x86 guests: CPUID leaves, MSRs, hypercalls and the records in the guest's memory. Source: Linux's documentation, "KVM CPUID bits",
 * "KVM-specific MSRs" and "Linux KVM Hypercall" (Documentation/virt/kvm/x86).
 */
export const SIGNATURE = 'KVMKVMKVM'
export const LEAF_FEATURES = 0x40000001

// ---- MSRs ---------------------------------------------------------------------------------------------------------------------------
export const MSR_TSC = 0x10
/** The numbers of old, in the range of the processor's own. */
export const MSR_WALL_CLOCK_OLD = 0x11
export const MSR_SYSTEM_TIME_OLD = 0x12
export const MSR_WALL_CLOCK = 0x4b564d00
export const MSR_SYSTEM_TIME = 0x4b564d01
export const MSR_STEAL_TIME = 0x4b564d03
export const MSR_PV_EOI = 0x4b564d04
export const MSR_POLL_CONTROL = 0x4b564d05

/** Bit 0 of the MSRs that give the place of a record: the record is kept. */
export const ENABLED = 1
/** Bits that must be zero; the records are aligned. */
export const SYSTEM_TIME_RESERVED = 2
export const STEAL_TIME_RESERVED = 0x3e
export const PV_EOI_RESERVED = 2
export const POLL_HOST_MAY_POLL = 1

// ---- the record of the system time (32 bytes) ------------------------------------------------------------------------------------------
export const CLOCK_BYTES = 32
export const CLOCK_VERSION = 0
export const CLOCK_TSC_TIMESTAMP = 8
export const CLOCK_SYSTEM_TIME = 16
export const CLOCK_MULTIPLIER = 24
export const CLOCK_SHIFT = 28
export const CLOCK_FLAGS = 29
export const FLAG_TSC_STABLE = 1
export const FLAG_GUEST_STOPPED = 2
/** (ticks << 1) * 2^31 / 2^32: one tick a nanosecond. */
export const TSC_TO_NS_SHIFT = 1
export const TSC_TO_NS_MULTIPLIER = 0x80000000

// ---- the record of the wall clock (12 bytes): version, seconds, nanoseconds -------------------------------------------------------------
export const WALL_BYTES = 12

// ---- the record of stolen time (64 bytes) -----------------------------------------------------------------------------------------------
export const STEAL_BYTES = 64
export const STEAL_TIME = 0
export const STEAL_VERSION = 8
export const STEAL_PREEMPTED = 16

// ---- hypercalls: number in RAX, arguments in RBX, RCX, RDX, RSI, result in RAX ------------------------------------------------------------
export const HC_VAPIC_POLL_IRQ = 1
export const HC_KICK_CPU = 5
export const HC_CLOCK_PAIRING = 9
export const HC_SCHED_YIELD = 11
export const ERROR_PERMISSION = -1
export const ERROR_FAULT = -14
export const ERROR_NOT_SUPPORTED = -95
export const ERROR_NO_CALL = -1000
/** The only clock that can be paired with the TSC. */
export const PAIRING_WALL_CLOCK = 0
export const PAIRING_BYTES = 64
