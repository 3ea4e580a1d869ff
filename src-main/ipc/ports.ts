/**
 * The streams between a machine and its window, over a MessagePort each, with back-pressure from end to end: the machine sends further frames
 * when one has been shown, and its UART waits when serial output is not taken. Without a window (yet, or any more) the streams keep
 * what a new one needs: the whole picture, and the serial output of late.
 */
import type { ConsoleDown, ConsoleUp, FrameRectDto, SerialDown, SerialUp } from './contract'
import { ConsoleUp as ConsoleUpSchema, SerialUp as SerialUpSchema } from './contract'
import { KeptPicture } from './kept-picture'

/** One end of a MessagePort, whoever made it. */
export interface StreamPort<Down> {
  post(message: Down): void
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: () => void): void
  close(): void
}

interface Screen {
  readonly width: number
  readonly height: number
  readonly rects: readonly FrameRectDto[]
}

/** More changes than these are sent as the whole screen. */
const MAX_WAITING = 64
/** One that the page draws, and one on its way: a thread is not idle while the other works. */
const MOST_UNDER_WAY = 2
/** Without a window the machine draws as often as that: thumbnails, and a window that opens later, want no more. */
const UNSEEN_MS = 1000

export interface ConsoleMachine {
  frameShown(): void
  key(code: string, pressed: boolean): void
  mouse(dx: number, dy: number, dz: number, buttons: number): void
}

export class ConsoleStream {
  private port: StreamPort<ConsoleDown> | undefined
  private readonly picture = new KeptPicture()
  /** Changed while as many frames were under way as may be, the oldest first; 'everything': so much that the whole screen is less. */
  private waiting: FrameRectDto[] | 'everything' = []
  private waitingWords = 0
  private underWay = 0
  /** The machine waits for a frame to be shown. */
  private owed = false
  private unseen: NodeJS.Timeout | undefined

  constructor(private readonly machine: ConsoleMachine) {}

  /** Of the guest's screen; undefined: it has shown nothing yet. */
  get size(): { readonly width: number; readonly height: number } | undefined {
    const { width, height } = this.picture
    return width > 0 ? { width, height } : undefined
  }

  connect(port: StreamPort<ConsoleDown>): void {
    takeOver(this.port)
    this.port = port
    port.onMessage((message) => {
      if (this.port === port) this.received(message)
    })
    port.onClose(() => {
      if (this.port === port) this.disconnected()
    })
    this.underWay = 0
    this.forgetWaiting()
    if (this.size) this.send(this.picture.everything())
    // What the machine did not draw for nobody.
    if (this.unseen) this.acknowledge()
  }

  /** A frame of the machine. */
  push({ width, height, rects }: Screen): void {
    if (width !== this.picture.width || height !== this.picture.height) this.forgetWaiting()
    this.picture.draw(width, height, rects)
    this.owed = true
    if (!this.port) this.unseen ??= setTimeout(() => this.acknowledge(), UNSEEN_MS).unref()
    else if (this.underWay < MOST_UNDER_WAY) this.send(rects)
    else this.wait(rects)
  }

  /** A new machine: what the old one owed is void. Its last picture stays until the new one draws. */
  restart(): void {
    this.forgetOwed()
  }

  private received(message: unknown): void {
    const parsed = ConsoleUpSchema.safeParse(message)
    if (!parsed.success) return
    const up: ConsoleUp = parsed.data
    switch (up.kind) {
      case 'key':
        return this.machine.key(up.code, up.pressed)
      case 'mouse':
        return this.machine.mouse(up.dx, up.dy, up.dz, up.buttons)
      case 'shown':
        this.underWay = Math.max(0, this.underWay - 1)
        this.sendWaiting()
        return this.acknowledge()
    }
  }

  private disconnected(): void {
    this.port = undefined
    this.underWay = 0
    this.forgetWaiting()
    this.acknowledge()
  }

  private acknowledge(): void {
    if (!this.owed) return
    this.forgetOwed()
    this.machine.frameShown()
  }

  private forgetOwed(): void {
    this.owed = false
    clearTimeout(this.unseen)
    this.unseen = undefined
  }

  private wait(rects: readonly FrameRectDto[]): void {
    for (const rect of rects) {
      if (this.picture.isEverything(rect)) this.forgetWaiting()
      if (this.waiting === 'everything') return
      this.waiting.push(rect)
      this.waitingWords += rect.packed.length
    }
    const { width, height } = this.picture
    if (this.waiting.length > MAX_WAITING || (this.waiting.length > 1 && this.waitingWords > width * height)) this.waiting = 'everything'
  }

  private forgetWaiting(): void {
    this.waiting = []
    this.waitingWords = 0
  }

  private sendWaiting(): void {
    if (this.waiting.length === 0) return
    const rects = this.waiting === 'everything' ? this.picture.everything() : this.waiting
    this.forgetWaiting()
    this.send(rects)
  }

  private send(rects: readonly FrameRectDto[]): void {
    this.underWay++
    this.port?.post({ kind: 'frame', width: this.picture.width, height: this.picture.height, rects })
  }
}

export interface SerialMachine {
  serial(bytes: Uint8Array): void
  /** So many bytes of output have been taken. */
  taken(bytes: number): void
  /** A break condition on the line. */
  sendBreak(): void
}

/** Output kept for a window that opens later. */
const HISTORY_BYTES = 1 << 18
/** Output is collected for so long before it is sent. */
const COALESCE_MS = 8

export class SerialStream {
  private port: StreamPort<SerialDown> | undefined
  private history: Uint8Array[] = []
  private historyBytes = 0
  private waiting: Uint8Array[] = []
  private timer: NodeJS.Timeout | undefined
  /** Bytes under way to the window that the machine waits for, and those it does not (history). */
  private owed = 0
  private replayed = 0

  constructor(private readonly machine: SerialMachine) {}

  connect(port: StreamPort<SerialDown>): void {
    const before = this.port
    this.disconnected()
    takeOver(before)
    this.port = port
    port.onMessage((message) => {
      if (this.port === port) this.received(message)
    })
    port.onClose(() => {
      if (this.port === port) this.disconnected()
    })
    if (this.historyBytes > 0) {
      this.replayed = this.historyBytes
      port.post({ kind: 'output', bytes: join(this.history) })
    }
  }

  /** Output of the machine. */
  push(bytes: Uint8Array): void {
    this.remember(bytes)
    if (!this.port) return this.machine.taken(bytes.length)
    this.owed += bytes.length
    this.waiting.push(bytes)
    this.timer ??= setTimeout(() => this.flush(), COALESCE_MS)
  }

  /** A new machine: an empty screen, and nothing owed to the old one. */
  restart(): void {
    this.drop()
    this.history = []
    this.historyBytes = 0
    this.port?.post({ kind: 'cleared' })
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.waiting.length > 0) this.port?.post({ kind: 'output', bytes: join(this.waiting.splice(0)) })
  }

  private received(message: unknown): void {
    const parsed = SerialUpSchema.safeParse(message)
    if (!parsed.success) return
    const up: SerialUp = parsed.data
    if (up.kind === 'input') return this.machine.serial(up.bytes)
    if (up.kind === 'break') return this.machine.sendBreak()
    const ofHistory = Math.min(up.bytes, this.replayed)
    this.replayed -= ofHistory
    const taken = Math.min(up.bytes - ofHistory, this.owed)
    this.owed -= taken
    if (taken > 0) this.machine.taken(taken)
  }

  private disconnected(): void {
    this.port = undefined
    const owed = this.owed
    this.drop()
    if (owed > 0) this.machine.taken(owed)
  }

  private drop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.waiting = []
    this.owed = 0
    this.replayed = 0
  }

  private remember(bytes: Uint8Array): void {
    this.history.push(bytes)
    this.historyBytes += bytes.length
    while (this.history.length > 1 && this.historyBytes - (this.history[0]?.length ?? 0) >= HISTORY_BYTES) this.historyBytes -= this.history.shift()?.length ?? 0
  }
}

/** Whoever had the stream is told before it ends. */
function takeOver(port: StreamPort<{ readonly kind: 'taken-over' }> | undefined): void {
  port?.post({ kind: 'taken-over' })
  port?.close()
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const only = pieces[0]
  if (pieces.length === 1 && only) return only
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
