/** ACPI 6.5, 4.8 "ACPI register model"; Intel 82371AB (PIIX4) data sheet (290562), 7.0 and 7.2 "power management registers". */

/** Where the block is after reset, until firmware moves it (config 40h, enabled by bit 0 of config 80h). */
export const PM_DEFAULT_BASE = 0xb000
export const PM_BYTES = 0x40
export const CONFIG_PMBA = 0x40
export const CONFIG_DEVACTB = 0x5b
/** APMC_EN of DEVACTB: firmware takes it as "system management mode is set up already", and leaves it alone. */
export const DEVACTB_APMC_EN = 0x02
export const CONFIG_PMREGMISC = 0x80
export const PMREGMISC_ENABLE = 0x01

export const GPE0_BASE = 0xafe0
export const GPE0_BYTES = 4

export const PORT_APMC = 0xb2
export const PORT_APMS = 0xb3
export const ACPI_ENABLE = 0xf1
export const ACPI_DISABLE = 0xf0

// Offsets in the block
export const PM1_STATUS = 0x00
export const PM1_ENABLE = 0x02
export const PM1_CONTROL = 0x04
export const PM_TIMER = 0x08

export const PM1_TIMER = 0x0001
export const PM1_GLOBAL = 0x0020
export const PM1_POWER_BUTTON = 0x0100
export const PM1_SLEEP_BUTTON = 0x0200
export const PM1_RTC = 0x0400
export const PM1_EVENTS: number = PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_RTC
/** Write-one-to-clear bits: the events, bus master status, wake status. */
export const PM1_STATUS_CLEARABLE = 0x8731

export const CONTROL_SCI_EN = 0x0001
export const CONTROL_SLEEP_TYPE_SHIFT = 10
export const CONTROL_SLEEP_ENABLE = 0x2000
export const CONTROL_STORED = 0x1c07
/** Sleep types of this board, told to the guest by \_S4 and \_S5. */
export const SLEEP_TYPE_S5 = 0
export const SLEEP_TYPE_S4 = 2

export const PM_TIMER_HZ = 3_579_545
