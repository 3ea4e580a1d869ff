/** Everything volatile in one UART. */
export interface UartState {
  ier: number
  lcr: number
  mcr: number
  scr: number
  divisor: number
  /** FCR: FIFOs enabled, and the receive trigger level's index. */
  fifoEnabled: boolean
  rxTrigger: number
  /** Received characters; RX_BREAK: a break. */
  rx: number[]
  /** Error bits of LSR that were not read yet. */
  lsrErrors: number
  /** Delta bits of MSR that were not read yet; levels are in `modem`. */
  msrDelta: number
  /** CTS DSR RI DCD as last seen (loopback or wires). */
  modem: number
  /** Bytes that the backend had no room for. */
  txHeld: number[]
  /** Virtual time at which the last character leaves the shift register. */
  txBusyUntil: number
  /** Transmitter-empty interrupt pending. */
  thrIpending: boolean
  /** Receive timeout interrupt pending. */
  timeoutIpending: boolean
}

export interface UartStateV1 extends Readonly<UartState> {
  readonly schema: readonly ['uart-16550', 1]
  readonly txDeadline: number | null
  readonly rxDeadline: number | null
}
