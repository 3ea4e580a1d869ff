/** A machine's serial ports in its worker thread: to the host by messages, into files, onto TCP ports. Each makes the guest wait on its own. */
import { NullCharBackend, QueueCharBackend, type CharBackend } from '../backends/chardev/char-backend'
import { FileCharBackend } from '../backends/chardev/file-char'
import { TcpCharBackend } from '../backends/chardev/tcp-char'
import type { SerialPortSetup } from './protocol'

/** Bytes under way to the host; past this the guest's UART waits. */
const HIGH_WATER = 1 << 16
/** Bytes that the guest has not fetched; past this what comes is dropped, and that is said once. */
const MOST_INPUT = 1 << 20

export interface SerialHost {
  /** Output of a terminal port. */
  output(port: number, bytes: Uint8Array): void
  /** Runs work on the machine's thread between two slices. */
  post(work: () => void): void
  warn(message: string): void
}

interface Line {
  readonly backend: CharBackend
  readonly flush?: () => void
  readonly close?: () => void | Promise<void>
  readonly terminal?: TerminalLine
}

export class SerialLines {
  /** Bytes that went over each line, either way. */
  readonly traffic: number[]

  private constructor(private readonly lines: readonly Line[]) {
    this.traffic = lines.map(() => 0)
    lines.forEach(({ backend }, port) => this.count(backend, port))
  }

  static async open(setups: readonly SerialPortSetup[], host: SerialHost): Promise<SerialLines> {
    const lines: Line[] = []
    try {
      for (const [port, setup] of setups.entries()) lines.push(await openLine(setup, port, host))
    } catch (error) {
      for (const { close } of lines) await close?.()
      throw error
    }
    return new SerialLines(lines)
  }

  get backends(): readonly CharBackend[] {
    return this.lines.map(({ backend }) => backend)
  }

  input(port: number, bytes: Uint8Array): void {
    this.lines[port]?.terminal?.input(bytes)
  }

  sendBreak(port: number): void {
    this.lines[port]?.terminal?.queue.sendBreak()
  }

  taken(port: number, bytes: number): void {
    this.lines[port]?.terminal?.taken(bytes)
  }

  /** Between slices, and when the machine stands still: what was written goes out. */
  flush(): void {
    for (const { flush } of this.lines) flush?.()
  }

  async close(): Promise<void> {
    for (const { close } of this.lines) await close?.()
  }

  private count(backend: CharBackend, port: number): void {
    const write = backend.write.bind(backend)
    const read = backend.read.bind(backend)
    const add = (): void => void (this.traffic[port] = (this.traffic[port] ?? 0) + 1)
    backend.write = (byte): boolean => {
      const taken = write(byte)
      if (taken) add()
      return taken
    }
    backend.read = (): number | undefined => {
      const byte = read()
      if (byte !== undefined) add()
      return byte
    }
  }
}

class TerminalLine {
  readonly queue: QueueCharBackend
  private readonly output: number[] = []
  private underWay = 0
  private overrun = false

  constructor(
    private readonly port: number,
    private readonly host: SerialHost,
  ) {
    this.queue = new QueueCharBackend((byte) => void this.output.push(byte))
    const accept = this.queue.write.bind(this.queue)
    this.queue.write = (byte: number): boolean => this.underWay + this.output.length < HIGH_WATER && accept(byte)
  }

  input(bytes: Uint8Array): void {
    if (this.queue.pending + bytes.length <= MOST_INPUT) {
      this.overrun = false
      this.queue.send(bytes)
    } else if (!this.overrun) {
      this.overrun = true
      this.host.warn(`serial port ${this.port + 1}: the guest does not read; input is dropped`)
    }
  }

  taken(bytes: number): void {
    this.underWay = Math.max(0, this.underWay - bytes)
    this.queue.onWritable?.()
  }

  flush(): void {
    if (this.output.length === 0) return
    const bytes = Uint8Array.from(this.output)
    this.output.length = 0
    this.underWay += bytes.length
    this.host.output(this.port, bytes)
  }
}

async function openLine(setup: SerialPortSetup, port: number, host: SerialHost): Promise<Line> {
  switch (setup.kind) {
    case 'terminal': {
      const terminal = new TerminalLine(port, host)
      return { backend: terminal.queue, terminal, flush: () => terminal.flush() }
    }
    case 'file': {
      const backend = FileCharBackend.open(setup.file, (message) => host.warn(message))
      return { backend, flush: () => backend.flush(), close: () => backend.close() }
    }
    case 'tcp': {
      const backend = await TcpCharBackend.listen(setup.port, setup.protocol, (work) => host.post(work))
      return { backend, close: () => backend.close() }
    }
    case 'none':
      return { backend: new NullCharBackend() }
  }
}
