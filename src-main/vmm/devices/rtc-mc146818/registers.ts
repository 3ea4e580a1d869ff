/** Motorola MC146818A data sheet (ADI1037), and the PC/AT's CMOS map. */

export const PORT_INDEX = 0x70
export const PORT_DATA = 0x71
/** Port 70h bit 7: NMI masked. */
export const INDEX_NMI_MASK = 0x80

export const RTC_SECONDS = 0x00
export const RTC_SECONDS_ALARM = 0x01
export const RTC_MINUTES = 0x02
export const RTC_MINUTES_ALARM = 0x03
export const RTC_HOURS = 0x04
export const RTC_HOURS_ALARM = 0x05
export const RTC_WEEKDAY = 0x06
export const RTC_DAY = 0x07
export const RTC_MONTH = 0x08
export const RTC_YEAR = 0x09
export const RTC_A = 0x0a
export const RTC_B = 0x0b
export const RTC_C = 0x0c
export const RTC_D = 0x0d
/** Where PC BIOSes keep the century (told to the guest by the FADT). */
export const RTC_CENTURY = 0x32
/** Sum of bytes 10h..2Dh, high byte first. */
export const CMOS_CHECKSUM = 0x2e
export const CMOS_CHECKSUM_FIRST = 0x10
export const CMOS_CHECKSUM_LAST = 0x2d

// Register A
export const A_UIP = 0x80
export const A_DIVIDER = 0x70
/** 32.768 kHz time base; 11x holds the divider in reset. */
export const A_DIVIDER_NORMAL = 0x20
export const A_DIVIDER_RESET = 0x60
export const A_RATE = 0x0f

// Register B
export const B_SET = 0x80
export const B_PIE = 0x40
export const B_AIE = 0x20
export const B_UIE = 0x10
export const B_SQWE = 0x08
export const B_BINARY = 0x04
export const B_24H = 0x02

// Register C
export const C_IRQF = 0x80
export const C_PF = 0x40
export const C_AF = 0x20
export const C_UF = 0x10

// Register D
export const D_VRT = 0x80

export const HOURS_PM = 0x80
/** An alarm byte from C0h to FFh matches every time. */
export const ALARM_ANY = 0xc0
/** Update in progress is set 244 microseconds before the registers change. */
export const UIP_NS = 244_141
export const RTC_HZ = 32_768
