/** The terminal as the guest's serial console: raw keys in, bytes out; Ctrl-A x ends the machine. */

const ESCAPE = 0x01 // Ctrl-A
const CTRL_C = 0x03

export interface TerminalHandlers {
  onBytes(bytes: Uint8Array): void
  onQuit(): void
  /** The terminal's window has another size. */
  onResize?(): void
}

export class Terminal {
  private escaped = false
  private readonly raw: boolean
  private readonly onData = (chunk: Buffer): void => this.received(chunk)

  private readonly onResize = (): void => this.handlers.onResize?.()

  constructor(private readonly handlers: TerminalHandlers) {
    process.stdout.on('resize', this.onResize)
    this.raw = process.stdin.isTTY === true
    if (this.raw) process.stdin.setRawMode(true)
    process.stdin.on('data', this.onData)
    process.stdin.resume()
  }

  private received(chunk: Buffer): void {
    if (!this.raw) return this.handlers.onBytes(chunk)
    const out: number[] = []
    for (const byte of chunk) {
      if (this.escaped) {
        this.escaped = false
        if (byte === 0x78 || byte === CTRL_C) return this.handlers.onQuit()
        if (byte !== ESCAPE) out.push(ESCAPE)
        out.push(byte)
      } else if (byte === ESCAPE) this.escaped = true
      else out.push(byte)
    }
    if (out.length > 0) this.handlers.onBytes(Uint8Array.from(out))
  }

  close(): void {
    process.stdin.off('data', this.onData)
    process.stdout.off('resize', this.onResize)
    if (this.raw) process.stdin.setRawMode(false)
    process.stdin.pause()
  }
}
