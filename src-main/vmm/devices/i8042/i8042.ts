/**
 * i8042 keyboard controller with a PS/2 keyboard and a PS/2 wheel mouse.
 * Sources: Intel UPI-41AH/42AH data sheet; IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 *
 * One byte at a time stands in the output buffer. Bytes of the devices follow each other with the gap of a serial transfer: many DOS
 * handlers read port 60h, then chain to the BIOS handler, which reads the same byte again. The controller's own answers come at once.
 */
import { vmTime } from '../../support/branded'
import { BAD_WIDTH } from '../device'
import { expectSchema } from '../saved-state'
import { translateSet2 } from './key-codes'
import { Ps2Keyboard } from './keyboard'
import { Ps2Mouse } from './mouse'
import type { IrqLine } from '../../irq/line'
import type { Timer, TimerService } from '../../time/clock'
import type { Claim, Device, IoFault, PioHandler, ResetKind, Width } from '../device'
import type { ControllerState, I8042StateV1 } from './state'

export interface I8042Wiring {
  readonly timers: TimerService
  readonly keyboardIrq: IrqLine
  readonly mouseIrq: IrqLine
  /** The guest pulses the processor's reset line. */
  readonly requestReset: () => void
  /** The guest sets the A20 gate. */
  readonly setA20: (enabled: boolean) => void
  /** Keyboard lights. Bits: 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
  readonly ledsChanged?: (leds: number) => void
}

const PORT_DATA = 0x60
const PORT_COMMAND = 0x64

/** Status register, read at 64h. Bit 1 (input buffer full) is never seen set: commands are carried out at once. */
const STATUS_OBF = 0x01
const STATUS_SYSTEM = 0x04
const STATUS_COMMAND = 0x08
const STATUS_UNLOCKED = 0x10
const STATUS_AUX_OBF = 0x20

/** Command byte: RAM location 0. */
const CB_KEYBOARD_IRQ = 0x01
const CB_AUX_IRQ = 0x02
const CB_SYSTEM = 0x04
const CB_KEYBOARD_OFF = 0x10
const CB_AUX_OFF = 0x20
const CB_TRANSLATE = 0x40

/** Output port. Bits 4 and 5 follow the two interrupt lines. */
const OUT_NOT_RESET = 0x01
const OUT_A20 = 0x02

const ANSWER_AUX = 0x100
const MAX_ANSWERS = 16
/** A byte on the serial link: 11 bits at about 12 kHz is 0.9 ms; guests with short time-outs are better served by a third of it. */
const BYTE_GAP_NS = 300_000

export class I8042 implements Device<I8042StateV1>, PioHandler {
  readonly name = 'i8042'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'data', first: PORT_DATA, last: PORT_DATA, handler: this },
    { kind: 'pio', name: 'command', first: PORT_COMMAND, last: PORT_COMMAND, handler: this },
  ]
  readonly keyboard: Ps2Keyboard
  readonly mouse: Ps2Mouse
  private readonly timer: Timer

  private ram = new Uint8Array(32)
  private outputPort = OUT_NOT_RESET | OUT_A20
  private systemFlag = false
  private lastWriteWasCommand = false
  private pendingCommand = 0
  private data = 0
  private outputFull = false
  private outputFromAux = false
  private outputFromLink = false
  private answers: number[] = []
  private breakPrefix = false
  private readyAt = 0

  constructor(private readonly wiring: I8042Wiring) {
    this.keyboard = new Ps2Keyboard(
      () => this.advance(),
      (leds) => wiring.ledsChanged?.(leds),
    )
    this.mouse = new Ps2Mouse(() => this.advance())
    this.timer = wiring.timers.createTimer('i8042 byte', () => this.advance())
    this.reset('power-on')
  }

  reset(_kind: ResetKind): void {
    this.timer.cancel()
    this.ram.fill(0)
    this.ram[0] = CB_KEYBOARD_IRQ | CB_AUX_IRQ
    this.outputPort = OUT_NOT_RESET | OUT_A20
    this.systemFlag = false
    this.lastWriteWasCommand = true
    this.pendingCommand = 0
    this.data = 0
    this.outputFull = false
    this.outputFromAux = false
    this.outputFromLink = false
    this.answers = []
    this.breakPrefix = false
    this.readyAt = 0
    this.keyboard.powerOn()
    this.mouse.powerOn()
    this.driveLines()
  }

  pioRead(port: number, width: Width): number | IoFault {
    if (width !== 1) return BAD_WIDTH
    return port === PORT_DATA ? this.readData() : this.status()
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    if (width !== 1) return BAD_WIDTH
    const byte = value & 0xff
    this.lastWriteWasCommand = port === PORT_COMMAND
    if (port === PORT_COMMAND) {
      this.pendingCommand = 0
      this.command(byte)
    } else if (this.pendingCommand !== 0) {
      const command = this.pendingCommand
      this.pendingCommand = 0
      this.commandData(command, byte)
    } else {
      // Data for the keyboard also lets its clock run again.
      this.setCommandByte(this.commandByte & ~CB_KEYBOARD_OFF)
      this.keyboard.receive(byte)
    }
    this.advance()
    return undefined
  }

  save(): I8042StateV1 {
    const controller: ControllerState = {
      ram: [...this.ram],
      outputPort: this.outputPort,
      systemFlag: this.systemFlag,
      lastWriteWasCommand: this.lastWriteWasCommand,
      pendingCommand: this.pendingCommand,
      data: this.data,
      outputFull: this.outputFull,
      outputFromAux: this.outputFromAux,
      outputFromLink: this.outputFromLink,
      answers: [...this.answers],
      breakPrefix: this.breakPrefix,
      readyAt: this.readyAt,
    }
    return { schema: ['i8042', 1], controller, keyboard: this.keyboard.save(), mouse: this.mouse.save() }
  }

  load(state: I8042StateV1): void {
    expectSchema(this.name, state, ['i8042', 1])
    const { ram, outputPort, systemFlag, lastWriteWasCommand, pendingCommand, data, outputFull, ...more } = state.controller
    const { outputFromAux, outputFromLink, answers, breakPrefix, readyAt, ...rest } = more
    rest satisfies Record<string, never>
    this.timer.cancel()
    this.ram = Uint8Array.from({ length: 32 }, (_, i) => ram[i] ?? 0)
    this.outputPort = outputPort
    this.systemFlag = systemFlag
    this.lastWriteWasCommand = lastWriteWasCommand
    this.pendingCommand = pendingCommand
    this.data = data
    this.outputFull = outputFull
    this.outputFromAux = outputFromAux
    this.outputFromLink = outputFromLink
    this.answers = answers.slice(0, MAX_ANSWERS)
    this.breakPrefix = breakPrefix
    this.readyAt = readyAt
    this.keyboard.load(state.keyboard)
    this.mouse.load(state.mouse)
    this.driveLines()
    if (this.deviceHasData()) this.timer.arm(vmTime(this.readyAt))
  }

  private get commandByte(): number {
    return this.ram[0] ?? 0
  }

  private setCommandByte(value: number): void {
    this.ram[0] = value
    this.driveLines()
  }

  private status(): number {
    return (
      STATUS_UNLOCKED |
      (this.outputFull ? STATUS_OBF : 0) |
      (this.outputFull && this.outputFromAux ? STATUS_AUX_OBF : 0) |
      (this.systemFlag ? STATUS_SYSTEM : 0) |
      (this.lastWriteWasCommand ? STATUS_COMMAND : 0)
    )
  }

  private readData(): number {
    const byte = this.data
    if (this.outputFull) {
      this.outputFull = false
      if (this.outputFromLink) this.readyAt = this.wiring.timers.now() + BYTE_GAP_NS
      this.driveLines()
      this.advance()
    }
    return byte
  }

  private command(byte: number): void {
    if (byte >= 0x20 && byte <= 0x3f) {
      this.answer(byte === 0x20 ? this.commandByte : (this.ram[byte & 0x1f] ?? 0))
      return
    }
    if (byte >= 0x60 && byte <= 0x7f) {
      this.pendingCommand = byte
      return
    }
    if (byte >= 0xf0) {
      // Pulse output port bits low for 6 µs; bit 0 is the processor's reset.
      if ((byte & OUT_NOT_RESET) === 0) this.wiring.requestReset()
      return
    }
    switch (byte) {
      case 0xa4: // is a password installed? no
        this.answer(0xf1)
        return
      case 0xa7:
        this.setCommandByte(this.commandByte | CB_AUX_OFF)
        return
      case 0xa8:
        this.setCommandByte(this.commandByte & ~CB_AUX_OFF)
        return
      case 0xa9: // auxiliary interface test: passed
      case 0xab: // keyboard interface test: passed
        this.answer(0x00)
        return
      case 0xaa: // self-test: passed
        this.systemFlag = true
        this.answer(0x55)
        return
      case 0xad:
        this.setCommandByte(this.commandByte | CB_KEYBOARD_OFF)
        return
      case 0xae:
        this.setCommandByte(this.commandByte & ~CB_KEYBOARD_OFF)
        return
      case 0xc0: // input port: keyboard not locked
        this.answer(0x80)
        return
      case 0xd0:
        this.answer(this.readOutputPort())
        return
      case 0xd1: // write output port
      case 0xd2: // write as if from the keyboard
      case 0xd3: // write as if from the auxiliary device
      case 0xd4: // write to the auxiliary device
        this.pendingCommand = byte
        return
      case 0xdd:
        this.writeOutputPort(this.outputPort & ~OUT_A20)
        return
      case 0xdf:
        this.writeOutputPort(this.outputPort | OUT_A20)
        return
      case 0xe0: // test inputs: both clocks low
        this.answer(0x00)
        return
      default:
      // An 8042 ignores what it does not know.
    }
  }

  private commandData(command: number, byte: number): void {
    switch (command) {
      case 0xd1:
        this.writeOutputPort(byte)
        return
      case 0xd2:
        this.answer(byte)
        return
      case 0xd3:
        this.answer(byte | ANSWER_AUX)
        return
      case 0xd4:
        this.setCommandByte(this.commandByte & ~CB_AUX_OFF)
        this.mouse.receive(byte)
        return
      case 0x60:
        this.systemFlag = (byte & CB_SYSTEM) !== 0
        this.setCommandByte(byte)
        return
      default:
        this.ram[command & 0x1f] = byte
    }
  }

  private readOutputPort(): number {
    return this.outputPort | (this.keyboardLine() ? 0x10 : 0) | (this.auxLine() ? 0x20 : 0)
  }

  private writeOutputPort(value: number): void {
    this.outputPort = value & (OUT_NOT_RESET | OUT_A20 | 0xcc)
    this.wiring.setA20((value & OUT_A20) !== 0)
    if ((value & OUT_NOT_RESET) === 0) {
      this.outputPort |= OUT_NOT_RESET
      this.wiring.requestReset()
    }
  }

  /** A hostile guest can ask without reading: what is too much is dropped. */
  private answer(value: number): void {
    if (this.answers.length < MAX_ANSWERS) this.answers.push(value)
  }

  private deviceHasData(): boolean {
    const command = this.commandByte
    return (
      ((command & CB_KEYBOARD_OFF) === 0 && this.keyboard.hasData) || ((command & CB_AUX_OFF) === 0 && this.mouse.hasData)
    )
  }

  /** Fills the output buffer if it is empty: the controller's answers first, then the keyboard, then the mouse. */
  private advance(): void {
    if (this.outputFull) return
    const answer = this.answers.shift()
    if (answer !== undefined) {
      this.fill(answer & 0xff, (answer & ANSWER_AUX) !== 0, false)
      return
    }
    if (!this.deviceHasData()) return
    if (this.wiring.timers.now() < this.readyAt) {
      this.timer.arm(vmTime(this.readyAt))
      return
    }
    while ((this.commandByte & CB_KEYBOARD_OFF) === 0 && this.keyboard.hasData) {
      const byte = this.translate(this.keyboard.take() ?? 0)
      if (byte === undefined) continue
      this.fill(byte, false, true)
      return
    }
    const byte = (this.commandByte & CB_AUX_OFF) === 0 ? this.mouse.take() : undefined
    if (byte !== undefined) this.fill(byte, true, true)
  }

  /** Undefined: the byte was a break prefix, which is swallowed. */
  private translate(byte: number): number | undefined {
    if ((this.commandByte & CB_TRANSLATE) === 0) {
      this.breakPrefix = false
      return byte
    }
    if (byte === 0xf0) {
      this.breakPrefix = true
      return undefined
    }
    const breakBit = this.breakPrefix ? 0x80 : 0
    this.breakPrefix = false
    return translateSet2(byte) | breakBit
  }

  private fill(byte: number, fromAux: boolean, fromLink: boolean): void {
    this.outputFromLink = fromLink
    this.data = byte
    this.outputFull = true
    this.outputFromAux = fromAux
    this.driveLines()
  }

  private keyboardLine(): boolean {
    return this.outputFull && !this.outputFromAux && (this.commandByte & CB_KEYBOARD_IRQ) !== 0
  }

  private auxLine(): boolean {
    return this.outputFull && this.outputFromAux && (this.commandByte & CB_AUX_IRQ) !== 0
  }

  private driveLines(): void {
    this.wiring.keyboardIrq.setLevel(this.keyboardLine())
    this.wiring.mouseIrq.setLevel(this.auxLine())
  }
}
