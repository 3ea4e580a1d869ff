/** Intel 8259A data sheet (231468-003), "Programming the 8259A". */

// ICW1: A0 = 0, D4 = 1
export const ICW1_IC4 = 0x01
export const ICW1_SNGL = 0x02
export const ICW1_LTIM = 0x08
export const ICW1_INIT = 0x10
// ICW2: bits 7..3 of the vector
export const ICW2_VECTOR = 0xf8
// ICW4
export const ICW4_AEOI = 0x02
export const ICW4_SFNM = 0x10

// OCW3: A0 = 0, D4 = 0, D3 = 1
export const OCW3_SELECT = 0x08
export const OCW3_RIS = 0x01
export const OCW3_RR = 0x02
export const OCW3_POLL = 0x04
export const OCW3_SMM = 0x20
export const OCW3_ESMM = 0x40

// OCW2: bits 7..5
export const OCW2_CLEAR_ROTATE_AEOI = 0
export const OCW2_EOI = 1
export const OCW2_NOP = 2
export const OCW2_SPECIFIC_EOI = 3
export const OCW2_SET_ROTATE_AEOI = 4
export const OCW2_ROTATE_EOI = 5
export const OCW2_SET_PRIORITY = 6
export const OCW2_ROTATE_SPECIFIC_EOI = 7

/** Answer to a poll: bit 7 = a request was pending. */
export const POLL_PENDING = 0x80

/** The slave's INT output is wired to this pin of the master. */
export const CASCADE_PIN = 2

/** Edge/level control registers (82371SB PIIX3, 2.5.5): pins that may be level-triggered. Timer, keyboard, cascade, RTC, FERR may not. */
export const ELCR_MASTER_WRITABLE = 0xf8
export const ELCR_SLAVE_WRITABLE = 0xde

export const PORT_MASTER = 0x20
export const PORT_SLAVE = 0xa0
export const PORT_ELCR = 0x4d0
