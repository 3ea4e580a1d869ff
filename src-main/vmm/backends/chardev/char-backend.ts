/** What `read` gives for a break condition on the line, in its place among the bytes. */
export const BREAK = 0x100

/** A byte stream on the host that a serial port or console device talks to: terminal, file, socket, the app's console. */
export interface CharBackend {
  /** Takes one byte from the guest; false: no room now, the device keeps it and offers it again when `onWritable` is called. */
  write(byte: number): boolean
  /** The next byte for the guest (or BREAK), or undefined. Bytes that the device does not fetch stay with the backend: that is the back-pressure. */
  read(): number | undefined
  /** Set by the device. The backend calls it on the machine's thread when `read` has something again. */
  onReadable: (() => void) | undefined
  /** Set by the device. The backend calls it on the machine's thread when `write` has room again. */
  onWritable: (() => void) | undefined
}

/** Swallows everything, never says anything. */
export class NullCharBackend implements CharBackend {
  onReadable: (() => void) | undefined = undefined
  onWritable: (() => void) | undefined = undefined

  write(): boolean {
    return true
  }

  read(): number | undefined {
    return undefined
  }
}

/** In memory: what the guest wrote goes to a callback, what `send` is given goes to the guest in order. */
export class QueueCharBackend implements CharBackend {
  onReadable: (() => void) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  private readonly toGuest: number[] = []
  private head = 0

  constructor(private readonly fromGuest: (byte: number) => void) {}

  write(byte: number): boolean {
    this.fromGuest(byte)
    return true
  }

  read(): number | undefined {
    const byte = this.toGuest[this.head]
    if (byte === undefined) return undefined
    this.head++
    if (this.head === this.toGuest.length) {
      this.toGuest.length = 0
      this.head = 0
    }
    return byte
  }

  send(bytes: Iterable<number>): void {
    for (const byte of bytes) this.toGuest.push(byte & 0xff)
    this.onReadable?.()
  }

  /** A break condition, after what was sent before. */
  sendBreak(): void {
    this.toGuest.push(BREAK)
    this.onReadable?.()
  }

  /** Bytes that the guest has not fetched yet. */
  get pending(): number {
    return this.toGuest.length - this.head
  }
}
