/** System control port A of PS/2 and later PCs (82371SB PIIX3 data sheet 290550, 2.5.11 "P92"). */
export const PORT_92 = 0x92
export const P92_FAST_INIT = 0x01
export const P92_FAST_A20 = 0x02
/** The other bits (disk lights, security lock) are stored. */
export const P92_STORED = 0xfe
