/**
 * PS/2 wheel mouse. Sources: IBM PS/2 Hardware Interface Technical Reference, "Mouse" (commands, packet, status);
 * Microsoft IntelliMouse and IntelliMouse Explorer protocols (the sample-rate knocks 200-100-80 and 200-200-80, IDs 3 and 4).
 */
import { ByteQueue } from './byte-queue'
import type { Ps2Device } from './ps2-device'
import type { MouseState } from './state'

export const MOUSE_LEFT = 1
export const MOUSE_RIGHT = 2
export const MOUSE_MIDDLE = 4
export const MOUSE_BACK = 8
export const MOUSE_FORWARD = 16

/** Where the host's pointer events go in. */
export interface MouseInput {
  /**
   * Movement since the last call in counts, as on a screen: x to the right, y down, z: wheel towards the user.
   * `buttons` has the bits of MouseEvent.buttons (MOUSE_LEFT ...).
   */
  move(dx: number, dy: number, dz: number, buttons: number): void
}

const ACK = 0xfa
const RESEND = 0xfe
const ERROR = 0xfc
const BAT_PASSED = 0xaa
const DEFAULT_SAMPLE_RATE = 100
const DEFAULT_RESOLUTION = 2
const REPLY_QUEUE_BYTES = 16
const PACKET_QUEUE_BYTES = 32
/** The most movement that is remembered while nobody reads. */
const MAX_PENDING = 0x7fff

export class Ps2Mouse implements Ps2Device, MouseInput {
  private readonly replies = new ByteQueue(REPLY_QUEUE_BYTES)
  private readonly packets = new ByteQueue(PACKET_QUEUE_BYTES)
  private id: 0 | 3 | 4 = 0
  private remote = false
  private wrap = false
  private reporting = false
  private scaling2to1 = false
  private resolution = DEFAULT_RESOLUTION
  private sampleRate = DEFAULT_SAMPLE_RATE
  private knock: readonly number[] = [0, 0, 0]
  private pendingCommand = 0
  private lastSent = 0
  private dx = 0
  private dy = 0
  private dz = 0
  private buttons = 0
  private reportedButtons = 0

  constructor(private readonly dataReady: () => void) {}

  get hasData(): boolean {
    return this.replies.length > 0 || this.packets.length > 0
  }

  powerOn(): void {
    this.replies.clear()
    this.pendingCommand = 0
    this.lastSent = 0
    this.buttons = 0
    this.id = 0
    this.knock = [0, 0, 0]
    this.setDefaults()
  }

  move(dx: number, dy: number, dz: number, buttons: number): void {
    this.dx = clamp(this.dx + Math.trunc(dx), MAX_PENDING)
    this.dy = clamp(this.dy - Math.trunc(dy), MAX_PENDING)
    this.dz = clamp(this.dz + Math.trunc(dz), MAX_PENDING)
    this.buttons = buttons & 0x1f
    if (!this.reporting || this.remote || this.wrap) return
    // A click must not be merged away: it gets a packet of its own at once. Mere movement waits until the last packet was read.
    if (this.buttons !== this.reportedButtons || this.packets.length === 0) this.queueStreamPacket()
    this.dataReady()
  }

  take(): number | undefined {
    const byte = this.replies.shift() ?? this.packets.shift()
    if (byte === undefined) return undefined
    this.lastSent = byte
    if (this.packets.length === 0 && this.reporting && !this.remote && !this.wrap) this.queueStreamPacket()
    return byte
  }

  receive(byte: number): void {
    const command = this.pendingCommand
    this.pendingCommand = 0
    if (this.wrap && byte !== 0xec && byte !== 0xff) this.reply(byte)
    else if (command !== 0) this.parameter(command, byte)
    else this.command(byte)
    this.dataReady()
  }

  save(): MouseState {
    return {
      id: this.id,
      remote: this.remote,
      wrap: this.wrap,
      reporting: this.reporting,
      scaling2to1: this.scaling2to1,
      resolution: this.resolution,
      sampleRate: this.sampleRate,
      knock: [...this.knock],
      pendingCommand: this.pendingCommand,
      lastSent: this.lastSent,
      replies: this.replies.save(),
      packets: this.packets.save(),
      dx: this.dx,
      dy: this.dy,
      dz: this.dz,
      buttons: this.buttons,
      reportedButtons: this.reportedButtons,
    }
  }

  load(state: MouseState): void {
    const { id, remote, wrap, reporting, scaling2to1, resolution, sampleRate, knock, pendingCommand, lastSent, ...more } = state
    const { replies, packets, dx, dy, dz, buttons, reportedButtons, ...rest } = more
    rest satisfies Record<string, never>
    this.id = id
    this.remote = remote
    this.wrap = wrap
    this.reporting = reporting
    this.scaling2to1 = scaling2to1
    this.resolution = resolution
    this.sampleRate = sampleRate
    this.knock = [...knock]
    this.pendingCommand = pendingCommand
    this.lastSent = lastSent
    this.replies.load(replies)
    this.packets.load(packets)
    this.dx = dx
    this.dy = dy
    this.dz = dz
    this.buttons = buttons
    this.reportedButtons = reportedButtons
  }

  private command(byte: number): void {
    // Any command empties what the mouse had to say (IBM: the host's command has precedence).
    this.packets.clear()
    switch (byte) {
      case 0xe6: // scaling 1:1
        this.scaling2to1 = false
        break
      case 0xe7: // scaling 2:1
        this.scaling2to1 = true
        break
      case 0xe8: // set resolution
      case 0xf3: // set sample rate
        this.pendingCommand = byte
        break
      case 0xe9: // status request
        this.reply(ACK, this.statusByte(), this.resolution, this.sampleRate)
        return
      case 0xea: // stream mode
        this.remote = false
        this.clearMovement()
        break
      case 0xeb: // read data
        this.reply(ACK, ...this.packet(this.takeSaturated()))
        return
      case 0xec: // leave wrap mode
        this.wrap = false
        this.clearMovement()
        break
      case 0xee: // wrap mode
        this.wrap = true
        break
      case 0xf0: // remote mode
        this.remote = true
        this.clearMovement()
        break
      case 0xf2: // read ID
        this.reply(ACK, this.id)
        return
      case 0xf4: // enable reporting
        this.reporting = true
        this.clearMovement()
        break
      case 0xf5: // disable reporting
        this.reporting = false
        this.clearMovement()
        break
      case 0xf6: // defaults
        this.setDefaults()
        break
      case 0xfe: // resend
        this.reply(this.lastSent)
        return
      case 0xff: // reset
        this.replies.clear()
        this.id = 0
        this.knock = [0, 0, 0]
        this.setDefaults()
        this.reply(ACK, BAT_PASSED, 0x00)
        return
      default:
        this.reply(RESEND)
        return
    }
    this.reply(ACK)
  }

  private parameter(command: number, byte: number): void {
    if (command === 0xe8) {
      if (byte > 3) {
        this.reply(ERROR)
        return
      }
      this.resolution = byte
    } else {
      this.sampleRate = byte
      this.knock = [this.knock[1] ?? 0, this.knock[2] ?? 0, byte]
      const [a, b, c] = this.knock
      if (a === 200 && b === 100 && c === 80 && this.id === 0) this.id = 3
      else if (a === 200 && b === 200 && c === 80) this.id = 4
    }
    this.reply(ACK)
  }

  /** Set defaults, F6h: the wheel stays on (only a reset takes it away). */
  private setDefaults(): void {
    this.remote = false
    this.wrap = false
    this.reporting = false
    this.scaling2to1 = false
    this.resolution = DEFAULT_RESOLUTION
    this.sampleRate = DEFAULT_SAMPLE_RATE
    this.clearMovement()
  }

  private clearMovement(): void {
    this.dx = 0
    this.dy = 0
    this.dz = 0
    this.reportedButtons = this.buttons
    this.packets.clear()
  }

  private statusByte(): number {
    const { buttons } = this
    return (
      (this.remote ? 0x40 : 0) |
      (this.reporting ? 0x20 : 0) |
      (this.scaling2to1 ? 0x10 : 0) |
      (buttons & MOUSE_LEFT ? 4 : 0) |
      (buttons & MOUSE_MIDDLE ? 2 : 0) |
      (buttons & MOUSE_RIGHT ? 1 : 0)
    )
  }

  /** Stream mode: as much of the movement as one packet can hold; the rest goes into the next, so that nothing is lost. */
  private queueStreamPacket(): void {
    if (this.dx === 0 && this.dy === 0 && this.dz === 0 && this.buttons === this.reportedButtons) return
    const scale = this.scaling2to1
    // Doubled movement must still fit nine bits.
    const limit = scale ? 127 : 255
    const wheelLimit = this.id === 4 ? 7 : 127
    const dx = clamp(this.dx, limit)
    const dy = clamp(this.dy, limit)
    const dz = this.id === 0 ? this.dz : clamp(this.dz, wheelLimit)
    const bytes = this.packet({ dx: scale ? scaled(dx) : dx, dy: scale ? scaled(dy) : dy, dz, overflow: 0 })
    if (!this.packets.push(bytes)) return
    this.dx -= dx
    this.dy -= dy
    this.dz -= dz
    this.reportedButtons = this.buttons
  }

  /** Read Data: counters that saturate, with their overflow bits, as the nine-bit counters of the hardware do. */
  private takeSaturated(): Movement {
    const wheelLimit = this.id === 4 ? 7 : 127
    const overflow = (Math.abs(this.dx) > 255 ? 0x40 : 0) | (Math.abs(this.dy) > 255 ? 0x80 : 0)
    const movement = { dx: clamp(this.dx, 255), dy: clamp(this.dy, 255), dz: clamp(this.dz, wheelLimit), overflow }
    this.clearMovement()
    return movement
  }

  private packet({ dx, dy, dz, overflow }: Movement): readonly number[] {
    const first = (this.buttons & 7) | 8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0) | overflow
    const bytes = [first, dx & 0xff, dy & 0xff]
    if (this.id === 3) bytes.push(dz & 0xff)
    if (this.id === 4) bytes.push((dz & 0x0f) | ((this.buttons & 0x18) << 1))
    return bytes
  }

  private reply(...bytes: readonly number[]): void {
    this.replies.push(bytes)
  }
}

interface Movement {
  readonly dx: number
  readonly dy: number
  readonly dz: number
  readonly overflow: number
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value))
}

/** 2:1 scaling of stream-mode counts (IBM, "Mouse", table of scaling). */
function scaled(count: number): number {
  const table = [0, 1, 1, 3, 6, 9]
  const size = Math.abs(count)
  return Math.sign(count) * (table[size] ?? size * 2)
}
