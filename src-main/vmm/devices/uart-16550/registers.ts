/** National Semiconductor PC16550D data sheet (June 1995), section 8.0. Offsets from the base port. */

export const UART_PORTS = 8

// DLAB = 0 unless noted
export const UART_RBR_THR = 0
export const UART_IER = 1
export const UART_IIR_FCR = 2
export const UART_LCR = 3
export const UART_MCR = 4
export const UART_LSR = 5
export const UART_MSR = 6
export const UART_SCR = 7

export const IER_RDI = 0x01
export const IER_THRI = 0x02
export const IER_RLSI = 0x04
export const IER_MSI = 0x08
export const IER_WRITABLE = 0x0f

export const IIR_NONE = 0x01
export const IIR_MSI = 0x00
export const IIR_THRI = 0x02
export const IIR_RDI = 0x04
export const IIR_RLSI = 0x06
export const IIR_TIMEOUT = 0x0c
export const IIR_FIFO = 0xc0

export const FCR_ENABLE = 0x01
export const FCR_CLEAR_RX = 0x02
export const FCR_CLEAR_TX = 0x04
export const FCR_TRIGGER_SHIFT = 6

export const LCR_BREAK = 0x40
export const LCR_DLAB = 0x80

export const MCR_DTR = 0x01
export const MCR_RTS = 0x02
export const MCR_OUT1 = 0x04
/** On a PC gates the interrupt onto the bus. */
export const MCR_OUT2 = 0x08
export const MCR_LOOP = 0x10
export const MCR_WRITABLE = 0x1f

export const LSR_DR = 0x01
export const LSR_OE = 0x02
export const LSR_PE = 0x04
export const LSR_FE = 0x08
export const LSR_BI = 0x10
export const LSR_THRE = 0x20
export const LSR_TEMT = 0x40
/** With FIFOs: an error is somewhere in the receive FIFO. */
export const LSR_FIFO_ERROR = 0x80
export const LSR_ERRORS = 0x1e

export const MSR_DCTS = 0x01
export const MSR_DDSR = 0x02
export const MSR_TERI = 0x04
export const MSR_DDCD = 0x08
export const MSR_CTS = 0x10
export const MSR_DSR = 0x20
export const MSR_RI = 0x40
export const MSR_DCD = 0x80

export const FIFO_BYTES = 16
/** A received character that is a break: a zero with an error bit. The same as the back end's BREAK. */
export const RX_BREAK = 0x100
export const RX_TRIGGERS: readonly number[] = [1, 4, 8, 14]

/**
 * Time on the wire for one character. It does not follow the divisor: a console at 9600 baud would only make the guest wait. Short enough
 * for fast consoles, long enough that a driver's interrupt handler sees the transmitter busy and leaves.
 */
export const CHARACTER_NS = 4_000
/** Character timeout (8.4.2): four characters without activity. */
export const RX_TIMEOUT_NS = 40_000
