/** Vitrine's own arrangement: ACPI leaves the registers behind a generic event device and the sleep registers to the platform (ACPI 6.3, 5.6.9 and 4.8.3.7). */
export const GED_BASE = 0xfea00000
export const GED_BYTES = 0x1000

/** Which events have happened since the last read (32 bits); reading clears them and lowers the line. */
export const REG_EVENTS = 0x0
/** Sleep control: bits 2..4 SLP_TYP, bit 5 SLP_EN (ACPI 6.3, table 4.23). */
export const REG_SLEEP_CONTROL = 0x4
/** Sleep status: bit 7 WAK_STS (table 4.24). */
export const REG_SLEEP_STATUS = 0x5
/** FADT's reset register. */
export const REG_RESET = 0x6

export const EVENT_POWER_BUTTON = 1

export const SLEEP_ENABLE = 0x20
export const SLEEP_TYPE_SHIFT = 2
export const SLEEP_TYPE_S5 = 5
export const RESET_VALUE = 1
