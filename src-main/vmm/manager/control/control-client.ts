/** The other end: asks the process that runs a VM. */
import { connect, type Socket } from 'node:net'
import { fail, isProblemId, ok, problem, type Result } from '../library/problem'
import { ControlReply, MAX_REPLY_BYTES, type ControlRequest } from './protocol'

export class ControlClient {
  private pending: Buffer[] = []
  private bytes = 0
  private waiting: ((reply: Result<unknown>) => void) | undefined
  private raw: ((bytes: Uint8Array) => void) | undefined
  private readonly ended: Promise<void>

  private constructor(private readonly socket: Socket) {
    this.ended = new Promise((resolve) => socket.on('close', () => resolve()))
    socket.on('data', (chunk) => this.received(chunk))
    socket.on('close', () => this.answer(fail(problem('control-ended', {}))))
    socket.on('error', () => socket.destroy())
  }

  static async connect(path: string): Promise<Result<ControlClient>> {
    return new Promise((resolve) => {
      const socket = connect(path)
      socket.once('connect', () => {
        socket.removeAllListeners('error')
        resolve(ok(new ControlClient(socket)))
      })
      socket.once('error', (error) => {
        resolve(fail(problem('control-unreachable', { detail: error.message }, { file: path })))
      })
    })
  }

  /** One at a time. */
  async ask(request: ControlRequest): Promise<Result<unknown>> {
    if (this.socket.destroyed) return fail(problem('control-ended', {}))
    return new Promise((resolve) => {
      this.waiting = resolve
      this.socket.write(`${JSON.stringify(request)}\n`)
    })
  }

  /** After `console` was granted: bytes both ways until the VM ends or `close`. */
  attach(output: (bytes: Uint8Array) => void): (input: Uint8Array) => void {
    this.raw = output
    const early = Buffer.concat(this.pending)
    this.pending = []
    if (early.length > 0) output(early)
    return (input) => void this.socket.write(input)
  }

  /** While attached: what comes waits in the connection, and its end lets us go when too much does. */
  setPaused(isPaused: boolean): void {
    if (isPaused) this.socket.pause()
    else this.socket.resume()
  }

  /** Resolves when the connection is closed by either side. */
  async closed(): Promise<void> {
    return this.ended
  }

  close(): void {
    this.socket.end()
  }

  private received(chunk: Buffer): void {
    if (this.raw) return this.raw(chunk)
    this.pending.push(chunk)
    this.bytes += chunk.length
    if (this.bytes > MAX_REPLY_BYTES) return void this.socket.destroy()
    if (!this.waiting || !chunk.includes(10)) return
    const whole = Buffer.concat(this.pending)
    const end = whole.indexOf(10)
    this.pending = [whole.subarray(end + 1)]
    this.bytes = whole.length - end - 1
    this.answer(parse(whole.subarray(0, end).toString('utf8')))
  }

  private answer(reply: Result<unknown>): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.(reply)
  }
}

function parse(line: string): Result<unknown> {
  let content: unknown
  try {
    content = JSON.parse(line)
  } catch {
    content = undefined
  }
  const reply = ControlReply.safeParse(content)
  if (!reply.success) return fail(problem('control-nonsense', {}))
  if (reply.data.ok) return ok(reply.data.value)
  const { message, remedy, id, values } = reply.data
  // What it says counts; the id only helps whoever can say that in another language.
  const refused = problem('control-refused', { message, remedy })
  return fail(isProblemId(id) ? { ...refused, id, values: { ...values } } : refused)
}
