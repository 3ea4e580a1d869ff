/** Console ring of a Xen guest (hvc0): two byte rings in one page. xen/include/public/io/console.h. */
import { BREAK, type CharBackend } from '../../../backends/chardev/char-backend'
import type { BackendChannel } from '../../../paravirt/xen/event-channels'
import type { GuestFrames } from '../../../paravirt/xen/guest-frames'

const INPUT = 0
const INPUT_BYTES = 1024
const OUTPUT = 1024
const OUTPUT_BYTES = 2048
const INPUT_CONSUMER = 3072
const INPUT_PRODUCER = 3076
const OUTPUT_CONSUMER = 3080
const OUTPUT_PRODUCER = 3084

export class XenConsole {
  channel: BackendChannel | undefined = undefined
  readonly counts: { written: number; read: number } = { written: 0, read: 0 }

  constructor(
    private readonly frames: GuestFrames,
    /** Page of GuestFrames. */
    private readonly page: number,
    private readonly backend: CharBackend,
  ) {
    backend.onReadable = (): void => this.work()
    backend.onWritable = (): void => this.work()
  }

  /** The guest has written, or has read; or the terminal has. */
  work(): void {
    if (!this.channel) return
    const out = this.drain()
    const input = this.feed()
    if (out || input) this.channel.notify()
  }

  private drain(): boolean {
    const { frames, page } = this
    let consumer = frames.readU32(page, OUTPUT_CONSUMER)
    const waiting = (frames.readU32(page, OUTPUT_PRODUCER) - consumer) >>> 0
    // An index out of range: nothing of it can be believed, and the guest's console stands still.
    if (waiting > OUTPUT_BYTES) return false
    let taken = 0
    while (taken < waiting && this.backend.write(frames.readU8(page, OUTPUT + (consumer % OUTPUT_BYTES)))) {
      consumer = (consumer + 1) >>> 0
      taken++
    }
    if (taken > 0) frames.writeU32(page, OUTPUT_CONSUMER, consumer)
    this.counts.written += taken
    return taken > 0
  }

  private feed(): boolean {
    const { frames, page } = this
    let producer = frames.readU32(page, INPUT_PRODUCER)
    const used = (producer - frames.readU32(page, INPUT_CONSUMER)) >>> 0
    if (used > INPUT_BYTES) return false
    let given = 0
    while (used + given < INPUT_BYTES) {
      const byte = this.backend.read()
      if (byte === undefined) break
      // The ring knows no break condition.
      if (byte === BREAK) continue
      frames.writeU8(page, INPUT + (producer % INPUT_BYTES), byte)
      producer = (producer + 1) >>> 0
      given++
    }
    if (given > 0) frames.writeU32(page, INPUT_PRODUCER, producer)
    this.counts.read += given
    return given > 0
  }
}
