/** The socket of a VM that runs in this process. Whoever connects is the same user; what they send is checked all the same. */
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { fail, fileProblem, ok, problem, type Problem, type Result } from '../library/problem'
import type { RunState } from '../running/vm-events'
import { makeControlFolder } from './control-path'
import { ControlRequest, MAX_REQUEST_BYTES, type ControlReply } from './protocol'

/** What can be asked of a running VM. */
export interface VmControl {
  status(): { readonly state: RunState['type'] }
  /** soft: asks the guest, and does not wait for it. false, here and below: not in this state. */
  stop(how: 'soft' | 'hard'): boolean
  /** Resolves when the state is on disk, or cannot be. */
  suspend(): Promise<Result<undefined>>
  reset(): boolean
  pause(): boolean
  unpause(): boolean
  /** PNG, made smaller when it is wider than `maxWidth` pixels; undefined: no machine (yet). */
  screenshot(maxWidth?: number): Promise<Uint8Array | undefined>
  /** false: there are no such keys, or the VM does not run. */
  sendKeys(chord: string): boolean
  typeText(text: string): Promise<{ readonly skipped: number }>
  /** undefined: no machine (yet). */
  stats(): Promise<unknown>
  /** What the guest shall be left with, by its balloon; bytes. false: it has none. undefined: no machine (yet). */
  setMemoryTarget(bytes: number): Promise<boolean | undefined>
  /** Attaches to the first serial port that is a terminal; undefined: there is none. */
  console(output: (bytes: Uint8Array) => void): VmConsole | undefined
}

export interface VmConsole {
  input(bytes: Uint8Array): void
  close(): void
}

const MIB = 0x100000
const MAX_CONNECTIONS = 32
/** A console that does not read is let go: the guest shall not wait for it. */
const MAX_UNREAD_BYTES = 1 << 20

export class ControlServer {
  private readonly connections = new Set<Connection>()

  private closed: Promise<void> | undefined

  private constructor(private readonly server: Server) {}

  /** The caller holds the VM's lock: what is at `path` is left from a process that has died. */
  static async listen(path: string, control: VmControl): Promise<Result<ControlServer>> {
    const folder = await makeControlFolder(dirname(path))
    if (!folder.ok) return folder
    const server = createServer()
    const self = new ControlServer(server)
    server.maxConnections = MAX_CONNECTIONS
    server.on('connection', (socket) => self.accept(socket, control))
    try {
      await rm(path, { force: true })
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, resolve)
      })
      server.on('error', () => undefined)
      await chmod(path, 0o600)
      return ok(self)
    } catch (error) {
      server.close()
      return fail(fileProblem(error, path))
    }
  }

  /** Before the VM's lock is released: nobody new may come, and the path (which closing removes) is the next holder's. */
  stopListening(): void {
    this.closed ??= new Promise((resolve) => this.server.close(() => resolve()))
  }

  /** After it: who waits for the end of the connection may take the VM then. Answers that are under way are still sent. */
  async close(): Promise<void> {
    this.stopListening()
    for (const connection of this.connections) connection.end()
    await this.closed
  }

  private accept(socket: Socket, control: VmControl): void {
    const connection = new Connection(socket, control)
    this.connections.add(connection)
    socket.on('close', () => this.connections.delete(connection))
  }
}

class Connection {
  private pending: Buffer = Buffer.alloc(0)
  private working: Promise<void> | undefined
  private attached: VmConsole | undefined

  constructor(
    private readonly socket: Socket,
    private readonly control: VmControl,
  ) {
    socket.on('data', (chunk) => this.received(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.attached?.close())
  }

  /** At once, but for an answer that is under way. */
  end(): void {
    const finish = (): void => void this.socket.end(() => this.socket.destroySoon())
    if (this.working) this.working.then(finish, finish)
    else finish()
  }

  private received(chunk: Buffer): void {
    if (this.attached) return this.attached.input(chunk)
    this.pending = Buffer.concat([this.pending, chunk])
    if (this.pending.length > MAX_REQUEST_BYTES) return this.refuse('the request is too long')
    if (this.working) return
    this.working = this.serve().finally(() => {
      this.working = undefined
    })
  }

  private async serve(): Promise<void> {
    for (let end = this.pending.indexOf(10); end >= 0 && !this.attached; end = this.pending.indexOf(10)) {
      const line = this.pending.subarray(0, end).toString('utf8')
      this.pending = this.pending.subarray(end + 1)
      const request = parse(line)
      if (!request) return this.refuse('not a request that this Vitrine knows')
      try {
        this.reply(await this.carryOut(request))
      } catch (error) {
        this.reply({ ok: false, message: error instanceof Error ? error.message : String(error), remedy: 'see vitrine.log in its folder' })
      }
    }
    if (this.attached && this.pending.length > 0) {
      this.attached.input(this.pending)
      this.pending = Buffer.alloc(0)
    }
  }

  private async carryOut(request: ControlRequest): Promise<ControlReply> {
    const { control } = this
    switch (request.command) {
      case 'status':
        return { ok: true, value: control.status() }
      case 'stop':
        return control.stop(request.how) ? done : this.notNow()
      case 'suspend': {
        const suspended = await control.suspend()
        return suspended.ok ? done : refusal(suspended.problem)
      }
      case 'reset':
      case 'pause':
      case 'unpause':
        return control[request.command]() ? done : this.notNow()
      case 'screenshot':
        return this.answer(control.screenshot(request.maxWidth).then((png) => png && Buffer.from(png).toString('base64')))
      case 'send-keys':
        if (control.status().state !== 'running') return this.notNow()
        return control.sendKeys(request.keys) ? done : refusal(problem('keys-unknown', { keys: request.keys }))
      case 'send-text':
        if (control.status().state !== 'running') return this.notNow()
        return { ok: true, value: await control.typeText(request.text) }
      case 'stats':
        return this.answer(control.stats())
      case 'balloon': {
        const set = await control.setMemoryTarget(request.mebibytes * MIB)
        if (set === false) return { ok: false, message: 'it has no memory balloon', remedy: 'give it one (--balloon)' }
        return set === undefined ? this.notNow() : done
      }
      case 'console': {
        const attached = control.console((bytes) => this.output(bytes))
        if (!attached) return refusal(problem('no-terminal', {}))
        this.attached = attached
        return done
      }
    }
  }

  private notNow(): ControlReply {
    const { state } = this.control.status()
    return refusal(problem('not-now', { state: state.replace('-', ' '), ...{ stateId: state } }))
  }

  private async answer(value: Promise<unknown>): Promise<ControlReply> {
    const given = await value
    return given === undefined ? this.notNow() : { ok: true, value: given }
  }

  private output(bytes: Uint8Array): void {
    if (this.socket.writableLength > MAX_UNREAD_BYTES) this.socket.destroy()
    else this.socket.write(Buffer.from(bytes))
  }

  private reply(reply: ControlReply): void {
    if (!this.socket.destroyed) this.socket.write(`${JSON.stringify(reply)}\n`)
  }

  private refuse(message: string): void {
    this.pending = Buffer.alloc(0)
    this.reply({ ok: false, message, remedy: 'use the same version of Vitrine' })
    this.socket.end()
  }
}

const done: ControlReply = { ok: true }

function refusal({ message, remedy, id, values }: Problem): ControlReply {
  return { ok: false, message, remedy, id, values }
}

function parse(line: string): ControlRequest | undefined {
  try {
    const parsed = ControlRequest.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
