/**
 * Serial port with a PC16550D UART, wired as on a PC (OUT2 gates the interrupt).
 * Source: National Semiconductor PC16550D data sheet (TL/C/8652, June 1995).
 */

import type { CharBackend } from '../../backends/chardev/char-backend'
import type { IrqLine } from '../../irq/line'
import { vmTime } from '../../support/branded'
import type { Timer, TimerService } from '../../time/clock'
import { type Claim, type Device, type IoFault, NO_REGISTER, type PioHandler, type ResetKind } from '../device'
import { expectSchema, restoreDeadline, savedDeadline } from '../saved-state'
import * as reg from './registers'
import type { UartState, UartStateV1 } from './state'

/** A terminal is plugged in: carrier, data set ready, clear to send. */
const WIRES = reg.MSR_DCD | reg.MSR_DSR | reg.MSR_CTS

function initialState(modem: number): UartState {
  return {
    ier: 0,
    lcr: 0,
    mcr: 0,
    scr: 0,
    divisor: 12,
    fifoEnabled: false,
    rxTrigger: 0,
    rx: [],
    lsrErrors: 0,
    msrDelta: 0,
    modem,
    txHeld: [],
    txBusyUntil: 0,
    thrIpending: false,
    timeoutIpending: false,
  }
}

export interface UartOptions {
  /** 0..3: COM1..COM4; part of the device's name. */
  readonly index: number
  /** 3F8h, 2F8h, 3E8h, 2E8h. */
  readonly basePort: number
}

export class Uart16550 implements Device<UartStateV1>, PioHandler {
  readonly name: string
  readonly claims: readonly Claim[]

  // glue
  private readonly base: number
  private readonly txTimer: Timer
  private readonly rxTimer: Timer

  // volatile state
  private state: UartState = initialState(WIRES)

  constructor(
    private readonly time: TimerService,
    private readonly irq: IrqLine,
    private readonly backend: CharBackend,
    options: UartOptions,
  ) {
    this.name = `uart-16550.${options.index}`
    this.base = options.basePort
    this.claims = [
      {
        kind: 'pio',
        name: `com${options.index + 1}`,
        first: this.base,
        last: this.base + reg.UART_PORTS - 1,
        handler: this,
        split: 'bytes',
      },
    ]
    this.txTimer = time.createTimer(`${this.name}/tx`, () => this.txExpired())
    this.rxTimer = time.createTimer(`${this.name}/rx`, () => this.rxExpired())
    backend.onReadable = (): void => this.receive()
    backend.onWritable = (): void => this.flushHeld()
  }

  // ---- interrupts ------------------------------------------------------------------------------------------------------------------

  private get rxLevelReached(): boolean {
    const { fifoEnabled, rx, rxTrigger } = this.state
    return rx.length >= (fifoEnabled ? (reg.RX_TRIGGERS[rxTrigger] ?? 1) : 1)
  }

  /** Errors belong to characters: a break shows when its character has come to the top of the FIFO (8.6.3). */
  private get breakAtTop(): boolean {
    return ((this.state.rx[0] ?? 0) & reg.RX_BREAK) !== 0
  }

  /** Highest-priority pending and enabled source, as in IIR bits 3..0 (8.6.1, table IV). */
  private interruptId(): number {
    const s = this.state
    if ((s.ier & reg.IER_RLSI) !== 0 && (s.lsrErrors !== 0 || this.breakAtTop)) return reg.IIR_RLSI
    if ((s.ier & reg.IER_RDI) !== 0 && this.rxLevelReached) return reg.IIR_RDI
    if ((s.ier & reg.IER_RDI) !== 0 && s.timeoutIpending) return reg.IIR_TIMEOUT
    if ((s.ier & reg.IER_THRI) !== 0 && s.thrIpending) return reg.IIR_THRI
    if ((s.ier & reg.IER_MSI) !== 0 && s.msrDelta !== 0) return reg.IIR_MSI
    return reg.IIR_NONE
  }

  private updateIrq(): void {
    this.irq.setLevel((this.state.mcr & reg.MCR_OUT2) !== 0 && this.interruptId() !== reg.IIR_NONE)
  }

  // ---- transmit ---------------------------------------------------------------------------------------------------------------------

  /** The holding register (or FIFO) is empty when only the shift register can still be busy. */
  private get thrEmpty(): boolean {
    return this.state.txHeld.length === 0 && this.time.now() >= this.state.txBusyUntil - reg.CHARACTER_NS
  }

  private get transmitterEmpty(): boolean {
    return this.state.txHeld.length === 0 && this.time.now() >= this.state.txBusyUntil
  }

  private transmit(byte: number): void {
    const s = this.state
    s.thrIpending = false
    if ((s.mcr & reg.MCR_LOOP) !== 0) this.accept(byte)
    else if (s.txHeld.length > 0 || !this.backend.write(byte)) {
      // The far end does not take it. Beyond the FIFO's size the byte is lost, as a driver that ignores LSR.THRE would lose it.
      if (s.txHeld.length < (s.fifoEnabled ? reg.FIFO_BYTES : 1)) s.txHeld.push(byte)
    }
    s.txBusyUntil = Math.max(s.txBusyUntil, this.time.now()) + reg.CHARACTER_NS
    this.armTransmit()
    this.updateIrq()
  }

  /** THRE rises when the last character moves to the shift register; a wake-up is needed only for its interrupt. */
  private armTransmit(): void {
    const s = this.state
    if (s.txHeld.length > 0 || (s.ier & reg.IER_THRI) === 0) this.txTimer.cancel()
    else this.txTimer.arm(vmTime(Math.max(0, s.txBusyUntil - reg.CHARACTER_NS)))
  }

  private txExpired(): void {
    if (!this.thrEmpty) {
      this.armTransmit()
      return
    }
    this.state.thrIpending = true
    this.updateIrq()
  }

  private flushHeld(): void {
    const { txHeld } = this.state
    while (txHeld.length > 0 && this.backend.write(txHeld[0] ?? 0)) txHeld.shift()
    if (txHeld.length === 0) this.armTransmit()
  }

  // ---- receive -----------------------------------------------------------------------------------------------------------------------

  /** Fetches from the backend what fits; the rest waits there, so nothing is overrun. */
  private receive(): void {
    const s = this.state
    if ((s.mcr & reg.MCR_LOOP) !== 0) return
    const room = s.fifoEnabled ? reg.FIFO_BYTES : 1
    let got = false
    while (s.rx.length < room) {
      const byte = this.backend.read()
      if (byte === undefined) break
      s.rx.push(byte === reg.RX_BREAK ? reg.RX_BREAK : byte & 0xff)
      got = true
    }
    if (got) this.rxActivity()
    this.updateIrq()
  }

  /** A character comes in from the loopback. */
  private accept(byte: number): void {
    const s = this.state
    if (s.rx.length >= (s.fifoEnabled ? reg.FIFO_BYTES : 1)) {
      s.lsrErrors |= reg.LSR_OE
      // Without FIFO the new character replaces the old one; with FIFO it is lost in the shift register.
      if (!s.fifoEnabled) s.rx[0] = byte
    } else {
      s.rx.push(byte)
    }
    this.rxActivity()
  }

  private rxActivity(): void {
    const s = this.state
    s.timeoutIpending = false
    if (s.fifoEnabled && s.rx.length > 0) this.rxTimer.arm(vmTime(this.time.now() + reg.RX_TIMEOUT_NS))
    else this.rxTimer.cancel()
  }

  private rxExpired(): void {
    this.state.timeoutIpending = this.state.rx.length > 0
    this.updateIrq()
  }

  private readData(): number {
    const byte = (this.state.rx.shift() ?? 0) & 0xff
    this.rxActivity()
    this.receive()
    return byte
  }

  // ---- modem -------------------------------------------------------------------------------------------------------------------------

  private updateModem(): void {
    const s = this.state
    let modem = WIRES
    if ((s.mcr & reg.MCR_LOOP) !== 0) {
      modem =
        ((s.mcr & reg.MCR_RTS) !== 0 ? reg.MSR_CTS : 0) |
        ((s.mcr & reg.MCR_DTR) !== 0 ? reg.MSR_DSR : 0) |
        ((s.mcr & reg.MCR_OUT1) !== 0 ? reg.MSR_RI : 0) |
        ((s.mcr & reg.MCR_OUT2) !== 0 ? reg.MSR_DCD : 0)
    }
    const changed = modem ^ s.modem
    // Delta bits sit four below their levels; the ring indicator's is set by its trailing edge only.
    s.msrDelta |= ((changed & ~reg.MSR_RI) >> 4) | ((changed & s.modem & reg.MSR_RI) >> 4)
    s.modem = modem
  }

  // ---- ports -------------------------------------------------------------------------------------------------------------------------

  pioRead(port: number): number | IoFault {
    const s = this.state
    const dlab = (s.lcr & reg.LCR_DLAB) !== 0
    switch (port - this.base) {
      case reg.UART_RBR_THR:
        return dlab ? s.divisor & 0xff : this.readData()
      case reg.UART_IER:
        return dlab ? s.divisor >> 8 : s.ier
      case reg.UART_IIR_FCR: {
        const id = this.interruptId()
        if (id === reg.IIR_THRI) {
          s.thrIpending = false
          this.updateIrq()
        }
        return id | (s.fifoEnabled ? reg.IIR_FIFO : 0)
      }
      case reg.UART_LCR:
        return s.lcr
      case reg.UART_MCR:
        return s.mcr
      case reg.UART_LSR: {
        const value =
          s.lsrErrors |
          (s.rx.length > 0 ? reg.LSR_DR : 0) |
          (this.breakAtTop ? reg.LSR_BI : 0) |
          (this.thrEmpty ? reg.LSR_THRE : 0) |
          (this.transmitterEmpty ? reg.LSR_TEMT : 0) |
          (s.fifoEnabled && s.rx.some((character) => (character & reg.RX_BREAK) !== 0) ? reg.LSR_FIFO_ERROR : 0)
        s.lsrErrors = 0
        if (this.breakAtTop) s.rx[0] = 0
        this.updateIrq()
        return value
      }
      case reg.UART_MSR: {
        const value = s.modem | s.msrDelta
        s.msrDelta = 0
        this.updateIrq()
        return value
      }
      case reg.UART_SCR:
        return s.scr
      default:
        return NO_REGISTER
    }
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    const s = this.state
    const dlab = (s.lcr & reg.LCR_DLAB) !== 0
    switch (port - this.base) {
      case reg.UART_RBR_THR:
        if (dlab) s.divisor = (s.divisor & 0xff00) | value
        else this.transmit(value)
        return undefined
      case reg.UART_IER:
        if (dlab) s.divisor = (s.divisor & 0xff) | (value << 8)
        else this.writeIer(value & reg.IER_WRITABLE)
        return undefined
      case reg.UART_IIR_FCR:
        this.writeFcr(value)
        return undefined
      case reg.UART_LCR:
        s.lcr = value
        return undefined
      case reg.UART_MCR:
        s.mcr = value & reg.MCR_WRITABLE
        this.updateModem()
        this.receive()
        return undefined
      case reg.UART_LSR:
      case reg.UART_MSR:
        // Factory test; drivers do not write them.
        return undefined
      case reg.UART_SCR:
        s.scr = value
        return undefined
      default:
        return NO_REGISTER
    }
  }

  private writeIer(value: number): void {
    const s = this.state
    const enabledThri = (value & ~s.ier & reg.IER_THRI) !== 0
    s.ier = value
    // Enabling the interrupt while the holding register is empty raises it at once (8.6.2).
    if (enabledThri && this.thrEmpty) s.thrIpending = true
    else if (enabledThri || (value & reg.IER_THRI) === 0) this.armTransmit()
    this.updateIrq()
  }

  private writeFcr(value: number): void {
    const s = this.state
    const enable = (value & reg.FCR_ENABLE) !== 0
    const toggled = enable !== s.fifoEnabled
    s.fifoEnabled = enable
    if (toggled || (enable && (value & reg.FCR_CLEAR_RX) !== 0)) {
      s.rx = []
      s.timeoutIpending = false
      this.rxTimer.cancel()
    }
    const wasHeld = s.txHeld.length > 0
    if (toggled || (enable && (value & reg.FCR_CLEAR_TX) !== 0)) s.txHeld = []
    // Bits other than the enable are written only while it is set (8.5).
    if (enable) s.rxTrigger = value >> reg.FCR_TRIGGER_SHIFT
    if (wasHeld) this.armTransmit()
    this.receive()
  }

  // ---- device -------------------------------------------------------------------------------------------------------------------------

  reset(_kind: ResetKind): void {
    this.state = initialState(WIRES)
    this.txTimer.cancel()
    this.rxTimer.cancel()
    this.updateIrq()
  }

  save(): UartStateV1 {
    const { rx, txHeld, ...registers } = this.state
    return {
      schema: ['uart-16550', 1],
      ...registers,
      rx: [...rx],
      txHeld: [...txHeld],
      txDeadline: savedDeadline(this.txTimer),
      rxDeadline: savedDeadline(this.rxTimer),
    }
  }

  load(saved: UartStateV1): void {
    expectSchema(this.name, saved, ['uart-16550', 1])
    const { schema: _schema, txDeadline, rxDeadline, ...state } = saved
    this.state = { ...state, rx: state.rx.slice(0, reg.FIFO_BYTES), txHeld: state.txHeld.slice(0, reg.FIFO_BYTES) }
    restoreDeadline(this.txTimer, txDeadline)
    restoreDeadline(this.rxTimer, rxDeadline)
    this.updateIrq()
  }
}
