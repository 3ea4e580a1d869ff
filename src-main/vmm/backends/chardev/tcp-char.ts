/**
 * A serial port as a TCP port of this host (127.0.0.1 only): raw bytes, or telnet (RFC 854) so that `telnet localhost PORT` is a terminal. One client at a
 * time; without one, what the guest writes is lost, as with a cable that is not plugged in. A client that does not read makes the guest wait.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { VmmError } from '../../errors/vmm-error'
import { BREAK, type CharBackend } from './char-backend'

const HOST = '127.0.0.1'
/** Bytes under way to the client; past this the guest's UART waits. */
const HIGH_WATER = 1 << 16
/** Bytes from the client that the guest has not fetched; past this the client waits. */
const INPUT_HIGH_WATER = 1 << 12

const IAC = 255
const SB = 250
const SE = 240
/** RFC 854: the break key. */
const BRK = 243
const WILL = 251
const DONT = 254
const OPTION_BINARY = 0
const OPTION_ECHO = 1
const OPTION_SUPPRESS_GO_AHEAD = 3
/** The guest echoes, and keys come one by one: RFC 857, 858. Bytes are bytes: RFC 856. */
const GREETING = Uint8Array.of(IAC, WILL, OPTION_ECHO, IAC, WILL, OPTION_SUPPRESS_GO_AHEAD, IAC, WILL, OPTION_BINARY, IAC, 253, OPTION_BINARY)

export class TcpCharBackend implements CharBackend {
  onReadable: (() => void) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  private client: Socket | undefined
  private toGuest: Uint16Array = new Uint16Array(0)
  private readonly pending: number[] = []
  private full = false

  private constructor(
    private readonly server: Server,
    private readonly protocol: 'raw' | 'telnet',
    /** Runs work on the machine's thread between two slices. */
    private readonly post: (work: () => void) => void,
  ) {
    server.on('connection', (socket) => this.connected(socket))
  }

  static async listen(port: number, protocol: 'raw' | 'telnet', post: (work: () => void) => void): Promise<TcpCharBackend> {
    const server = createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, HOST, resolve)
      })
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      throw new VmmError('config/bad-option', `serial port on TCP port ${port}: ${taken ? 'another program uses that port' : String(error)}; choose another port`)
    }
    server.on('error', () => undefined)
    return new TcpCharBackend(server, protocol, post)
  }

  /** The port that is listened on. */
  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  write(byte: number): boolean {
    if (!this.client) return true
    if (this.full) return false
    this.pending.push(byte)
    if (this.protocol === 'telnet' && byte === IAC) this.pending.push(IAC)
    // Bytes of one turn go out together.
    if (this.pending.length <= 2) queueMicrotask(() => this.flush())
    if (this.pending.length + this.client.writableLength >= HIGH_WATER) {
      this.full = true
      this.flush()
    }
    return true
  }

  read(): number | undefined {
    const byte = this.toGuest[0]
    if (byte === undefined) return undefined
    this.toGuest = this.toGuest.subarray(1)
    if (this.toGuest.length < INPUT_HIGH_WATER && this.client?.isPaused() === true) this.client.resume()
    return byte
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    this.client?.destroy()
    await closed
  }

  private flush(): void {
    if (this.pending.length === 0) return
    const bytes = Uint8Array.from(this.pending)
    this.pending.length = 0
    if (this.client?.write(bytes) === true && this.full) this.drained()
  }

  private drained(): void {
    if (!this.full) return
    this.full = false
    this.post(() => this.onWritable?.())
  }

  private connected(socket: Socket): void {
    if (this.client) return void socket.end('This serial port is in use by another connection.\r\n')
    this.client = socket
    socket.setNoDelay(true)
    const parser = this.protocol === 'telnet' ? new TelnetInput() : undefined
    if (parser) socket.write(GREETING)
    socket.on('data', (chunk) => {
      const came = parser ? parser.take(chunk) : chunk
      if (came.length === 0) return
      const waiting = new Uint16Array(this.toGuest.length + came.length)
      waiting.set(this.toGuest)
      waiting.set(came, this.toGuest.length)
      this.toGuest = waiting
      if (this.toGuest.length >= INPUT_HIGH_WATER) socket.pause()
      this.post(() => this.onReadable?.())
    })
    socket.on('drain', () => this.drained())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.client = undefined
      this.pending.length = 0
      this.drained()
    })
  }
}

/** Takes telnet's own commands out of what a client sends; whatever it says about options, the greeting stands. */
class TelnetInput {
  private state: 'data' | 'command' | 'option' | 'sub' | 'sub-command' = 'data'
  private afterReturn = false

  take(chunk: Uint8Array): Uint16Array {
    const out: number[] = []
    for (const byte of chunk) this.step(byte, out)
    return Uint16Array.from(out)
  }

  private step(byte: number, out: number[]): void {
    switch (this.state) {
      case 'data':
        if (byte === IAC) this.state = 'command'
        // RFC 854: a carriage return alone is sent with a NUL, a line's end with a line feed; a key sends the return.
        else if (!(this.afterReturn && (byte === 0 || byte === 10))) out.push(byte)
        this.afterReturn = byte === 13
        return
      case 'command':
        this.state = byte === SB ? 'sub' : byte >= WILL && byte <= DONT ? 'option' : 'data'
        if (byte === IAC) out.push(IAC)
        else if (byte === BRK) out.push(BREAK)
        return
      case 'option':
        this.state = 'data'
        return
      case 'sub':
        if (byte === IAC) this.state = 'sub-command'
        return
      case 'sub-command':
        this.state = byte === SE ? 'data' : 'sub'
        return
    }
  }
}
