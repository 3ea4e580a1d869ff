/**
 * PS/2 keyboard. Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboards" (commands, replies, overrun codes).
 *
 * Typematic rate and delay are accepted and kept, but the repeats themselves come from the host's keyboard: a repeated press sends the
 * make code again, so that a held key repeats as the user has set it up once, not twice.
 */
import { ByteQueue } from './byte-queue'
import { isKnownKey, scanCodes } from './key-codes'
import type { Ps2Device } from './ps2-device'
import type { ScanCodeSet } from './key-codes'
import type { KeyboardState } from './state'

/** Where the host's key events go in. */
export interface KeyboardInput {
  /** `code` is a KeyboardEvent.code. False: this keyboard has no such key, or its queue is full; nothing was sent. */
  key(code: string, pressed: boolean): boolean
  /** Nothing is waiting to be read: a script may send the next key. */
  readonly idle: boolean
}

const ACK = 0xfa
const RESEND = 0xfe
const BAT_PASSED = 0xaa
const DEFAULT_TYPEMATIC = 0x2b
/** A real keyboard buffers 16 bytes; more room costs nothing and loses fewer break codes while a guest boots. */
const SCAN_QUEUE_BYTES = 64
const REPLY_QUEUE_BYTES = 16

export class Ps2Keyboard implements Ps2Device, KeyboardInput {
  private readonly replies = new ByteQueue(REPLY_QUEUE_BYTES)
  /** One byte is kept free for the overrun code. */
  private readonly scans = new ByteQueue(SCAN_QUEUE_BYTES)
  private readonly pressed = new Set<string>()
  private set: ScanCodeSet = 2
  private scanning = true
  private leds = 0
  private typematic = DEFAULT_TYPEMATIC
  private pendingCommand = 0
  private lastSent = 0
  private overflowed = false

  constructor(
    /** Called when there may be a new byte to take. */
    private readonly dataReady: () => void,
    /** Bits: 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
    private readonly ledsChanged: (leds: number) => void,
  ) {}

  get hasData(): boolean {
    return this.replies.length > 0 || this.scans.length > 0
  }

  get idle(): boolean {
    return !this.hasData
  }

  /** Power-up: the basic assurance test has passed and its code waits to be read. */
  powerOn(): void {
    this.pressed.clear()
    this.replies.clear()
    this.lastSent = 0
    this.pendingCommand = 0
    this.setDefaults()
    this.scanning = true
    this.setLeds(0)
  }

  key(code: string, pressed: boolean): boolean {
    if (!isKnownKey(code)) return false
    if (!pressed && !this.pressed.has(code)) return true
    // Codes depend on the modifiers held before this key.
    const bytes = scanCodes(code, pressed, this.set, {
      shift: this.pressed.has('ShiftLeft') || this.pressed.has('ShiftRight'),
      control: this.pressed.has('ControlLeft') || this.pressed.has('ControlRight'),
      alt: this.pressed.has('AltLeft') || this.pressed.has('AltRight'),
    })
    if (pressed) this.pressed.add(code)
    else this.pressed.delete(code)
    if (!this.scanning) return true
    if (bytes.length > this.scans.room - 1) {
      if (!this.overflowed) this.scans.push([this.set === 1 ? 0xff : 0x00])
      this.overflowed = true
      return false
    }
    this.scans.push(bytes)
    this.dataReady()
    return true
  }

  take(): number | undefined {
    const byte = this.replies.shift() ?? this.scans.shift()
    if (byte === undefined) return undefined
    if (this.scans.room > 1) this.overflowed = false
    this.lastSent = byte
    return byte
  }

  receive(byte: number): void {
    const command = this.pendingCommand
    this.pendingCommand = 0
    if (command === 0) this.command(byte)
    else this.parameter(command, byte)
    this.dataReady()
  }

  save(): KeyboardState {
    return {
      set: this.set,
      scanning: this.scanning,
      leds: this.leds,
      typematic: this.typematic,
      pendingCommand: this.pendingCommand,
      lastSent: this.lastSent,
      replies: this.replies.save(),
      scans: this.scans.save(),
      overflowed: this.overflowed,
      pressed: [...this.pressed],
    }
  }

  load(state: KeyboardState): void {
    const { set, scanning, leds, typematic, pendingCommand, lastSent, replies, scans, overflowed, pressed, ...rest } = state
    rest satisfies Record<string, never>
    this.set = set
    this.scanning = scanning
    this.typematic = typematic
    this.pendingCommand = pendingCommand
    this.lastSent = lastSent
    this.replies.load(replies)
    this.scans.load(scans)
    this.overflowed = overflowed
    this.pressed.clear()
    for (const code of pressed) this.pressed.add(code)
    this.setLeds(leds)
  }

  private command(byte: number): void {
    switch (byte) {
      case 0xed: // set LEDs
      case 0xf0: // select or read scan code set
      case 0xf3: // set typematic rate and delay
        this.pendingCommand = byte
        this.reply(ACK)
        return
      case 0xee: // echo
        this.reply(0xee)
        return
      case 0xf2: // read ID: an enhanced keyboard
        this.reply(ACK, 0xab, 0x83)
        return
      case 0xf4: // enable
        this.clearScans()
        this.scanning = true
        this.reply(ACK)
        return
      case 0xf5: // defaults, and stop scanning
        this.setDefaults()
        this.scanning = false
        this.reply(ACK)
        return
      case 0xf6: // defaults
        this.setDefaults()
        this.reply(ACK)
        return
      case 0xf7: // set 3: all keys typematic, make/break, make, or all of it; every key here is make/break and typematic
      case 0xf8:
      case 0xf9:
      case 0xfa:
        this.reply(ACK)
        return
      case 0xfe: // resend
        this.reply(this.lastSent)
        return
      case 0xff: // reset
        this.replies.clear()
        this.setDefaults()
        this.scanning = true
        this.setLeds(0)
        this.reply(ACK, BAT_PASSED)
        return
      default:
        this.reply(RESEND)
    }
  }

  private parameter(command: number, byte: number): void {
    switch (command) {
      case 0xed:
        this.setLeds(byte & 7)
        this.reply(ACK)
        return
      case 0xf0:
        if (byte === 0) this.reply(ACK, this.set)
        else if (byte === 1 || byte === 2 || byte === 3) {
          this.set = byte
          this.clearScans()
          this.reply(ACK)
        } else this.reply(RESEND)
        return
      default:
        this.typematic = byte & 0x7f
        this.reply(ACK)
    }
  }

  private setDefaults(): void {
    this.set = 2
    this.typematic = DEFAULT_TYPEMATIC
    this.clearScans()
  }

  private clearScans(): void {
    this.scans.clear()
    this.overflowed = false
  }

  private setLeds(leds: number): void {
    this.leds = leds
    this.ledsChanged(leds)
  }

  private reply(...bytes: readonly number[]): void {
    this.replies.push(bytes)
  }
}
