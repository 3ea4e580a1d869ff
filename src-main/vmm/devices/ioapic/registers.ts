/** Intel 82093AA data sheet (290566), 3.0 "Registers"; EOI register as in later I/O APICs (version 20h). */

export const IOAPIC_BASE = 0xfec00000
export const IOAPIC_BYTES = 0x1000
export const IOAPIC_PINS = 24

// Directly addressed
export const IOREGSEL = 0x00
export const IOWIN = 0x10
export const IOEOIR = 0x40

// Behind IOREGSEL
export const IOAPICID = 0x00
export const IOAPICVER = 0x01
export const IOAPICARB = 0x02
export const IOREDTBL = 0x10

export const VERSION = 0x20

// Low dword of a redirection entry
export const RED_VECTOR = 0xff
export const RED_MODE_SHIFT = 8
export const RED_LOGICAL = 0x800
export const RED_REMOTE_IRR = 0x4000
export const RED_LEVEL = 0x8000
export const RED_MASKED = 0x10000
/** Delivery status (bit 12) and remote IRR are read-only. */
export const RED_WRITABLE = 0x1afff
export const RED_DESTINATION_SHIFT = 24
