/** The serial terminal of a VM that another process runs, as a stream of ours: opened when a window asks for it, held until the VM ends. */
import type { Elsewhere, RemoteTerminal } from './elsewhere'

/** Bytes that the window has not taken, above which no more are read. */
const MOST_OWED = 1 << 20
const AGAIN_MS = 1000

export class RemoteSerial {
  private terminal: RemoteTerminal | undefined
  private opening = false
  private closed = false
  private owed = 0
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly id: string,
    private readonly elsewhere: Elsewhere,
    private readonly output: (bytes: Uint8Array) => void,
  ) {}

  /** When it is not open. A port that cannot be had (yet) is tried again while that VM runs. */
  async open(): Promise<void> {
    if (this.closed || this.terminal || this.opening || this.elsewhere.state(this.id) === undefined) return
    clearTimeout(this.timer)
    this.opening = true
    let hasEnded = false
    const opened = await this.elsewhere.terminal(this.id, (bytes) => this.received(bytes), () => {
      hasEnded = true
      this.ended()
    })
    this.opening = false
    if (opened.ok && this.closed) opened.value.close()
    else if (opened.ok && !hasEnded) this.terminal = opened.value
    else if (opened.ok) this.again()
    else if (opened.problem.id !== 'no-terminal') this.again()
  }

  send(bytes: Uint8Array): void {
    this.terminal?.send(bytes)
  }

  taken(bytes: number): void {
    this.owed = Math.max(0, this.owed - bytes)
    if (this.owed < MOST_OWED) this.terminal?.setPaused(false)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    const { terminal } = this
    this.terminal = undefined
    terminal?.close()
  }

  private received(bytes: Uint8Array): void {
    this.owed += bytes.length
    if (this.owed >= MOST_OWED) this.terminal?.setPaused(true)
    this.output(bytes)
  }

  private ended(): void {
    this.owed = 0
    if (!this.terminal) return
    this.terminal = undefined
    this.again()
  }

  private again(): void {
    if (this.closed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.open(), AGAIN_MS)
    this.timer.unref()
  }
}
