/** One VM of the library from its start to its end, in this process: machine, terminal, signals, and the socket on which other commands ask. */
import { closeSync, openSync, writeSync } from 'node:fs'
import {
  controlPath, ControlServer, createMachine, encodePng, fileError, isKnownKey, parseChord, problem, QueueCharBackend, TcpCharBackend, VmmError,
  type CharBackend, type Machine, type MachineEnd, type Result, type SerialPortJson, type VmConsole, type VmControl, type VmSession,
} from '../../vmm'
import { Terminal } from '../terminal'
import { unwrap } from './output'

const EXIT_CRASH = 3
/** A terminal and whoever started us may send a signal each for the same key. */
const SAME_REQUEST_MS = 500

export interface Outcome {
  readonly how: string
  readonly status: number
}

/** What a signal, or Ctrl-A x, asks for. */
type Wish = 'suspend' | 'power-off'

export class RunningVm implements VmControl {
  private machine: Machine | undefined
  private wish: Wish | undefined
  private askedAt = -Infinity
  private shuttingDown = false
  private terminal: Terminal | undefined
  private server: ControlServer | undefined
  private terminalPort: QueueCharBackend | undefined
  private readonly output: number[] = []
  private readonly consoles = new Set<(bytes: Uint8Array) => void>()
  private readonly onSuspended: ((result: Result<undefined>) => void)[] = []
  private readonly files: number[] = []
  private readonly tcpPorts: TcpCharBackend[] = []
  private readonly ports: CharBackend[] = []

  constructor(
    private readonly session: VmSession,
    /** The terminal is for events, a line each, instead of the serial port. */
    private readonly json: boolean,
  ) {}

  async run(): Promise<Outcome> {
    const onSignal = (): void => this.asked()
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const server = await ControlServer.listen(controlPath(this.session.folder.path), this)
    if (server.ok) this.server = server.value
    // It can be run without: the lock says who does, and signals reach it.
    else this.session.log.write('warning', `other commands cannot reach it: ${server.problem.message}`)
    for (const signal of signals) process.on(signal, onSignal)
    process.stdout.on('error', onSignal) // whoever read our output has gone
    try {
      await this.openPorts()
      for (let first = true; ; first = false) {
        const again = await this.powerOn(first)
        if (again) return again
      }
    } finally {
      for (const signal of signals) process.off(signal, onSignal)
      process.stdout.off('error', onSignal)
      this.terminal?.close()
      for (const file of this.files) closeSync(file)
      for (const port of this.tcpPorts) await port.close()
    }
  }

  /** Ends the session, and then lets those go who wait for that. */
  async close(how: string): Promise<void> {
    this.server?.stopListening()
    await this.session.end(how)
    await this.server?.close()
  }

  // ---- what other commands ask ----------------------------------------------------------------------------------------------------------

  status(): { readonly state: 'running' | 'paused' } {
    return { state: this.machine?.state === 'paused' ? 'paused' : 'running' }
  }

  stop(how: 'soft' | 'hard'): void {
    this.session.log.write('info', how === 'soft' ? 'asked to shut down: presses the power button' : 'asked to power off')
    if (how === 'soft') this.machine?.pressPowerButton()
    else this.wants('power-off')
  }

  async suspend(): Promise<Result<undefined>> {
    this.session.log.write('info', 'asked to suspend')
    return new Promise((resolve) => {
      this.onSuspended.push(resolve)
      this.wants('suspend')
    })
  }

  reset(): void {
    this.machine?.reset()
  }

  pause(): void {
    this.machine?.pause()
  }

  unpause(): void {
    this.machine?.resume()
  }

  screenshot(): Uint8Array {
    return encodePng(this.theMachine().screenshot())
  }

  sendKeys(chord: string): boolean {
    const events = parseChord(chord, isKnownKey)
    if (events) this.machine?.type(events)
    return events !== undefined
  }

  sendText(text: string): void {
    this.machine?.typeText(text)
  }

  stats(): unknown {
    return this.theMachine().stats()
  }

  console(output: (bytes: Uint8Array) => void): VmConsole | undefined {
    const { terminalPort } = this
    if (!terminalPort) return undefined
    this.consoles.add(output)
    return {
      input: (bytes) => this.machine?.post(() => terminalPort.send(bytes)),
      close: () => void this.consoles.delete(output),
    }
  }

  private theMachine(): Machine {
    if (!this.machine) throw new VmmError('config/contradiction', 'its machine is being made')
    return this.machine
  }

  // ---- the run ------------------------------------------------------------------------------------------------------------------------------

  /** One machine, from its start to its end; undefined: the guest crashed, and the next is to be started in its place. */
  private async powerOn(first: boolean): Promise<Outcome | undefined> {
    const { session } = this
    const machine = await createMachine(session.machine, { serial: this.ports })
    try {
      if (first && session.suspended) {
        await machine.load(session.suspended.state)
        unwrap(await session.resumed())
      }
      this.machine = machine
      machine.onTurn = (): void => this.flush()
      this.say('running', {})
      for (;;) {
        // What was asked for while the machine was being made, run() would not know of.
        const end: MachineEnd = this.wish ? { kind: 'stopped' } : await machine.run()
        const outcome = end.kind === 'stopped' ? await this.stopped(machine) : await this.ended(machine, end)
        if (outcome !== 'go-on') return outcome
      }
    } finally {
      this.flush()
      this.machine = undefined
      await machine.close()
    }
  }

  /** The first time: what the VM's settings say; the second time: power off, whatever the guest does. */
  private asked(): void {
    const { log, config } = this.session
    const now = performance.now()
    if (now - this.askedAt < SAME_REQUEST_MS) return
    this.askedAt = now
    const { onClose } = config.options
    if (onClose === 'shut-down' && this.wish === undefined && !this.shuttingDown) {
      this.shuttingDown = true
      log.write('info', 'asked to end: presses the power button')
      this.machine?.pressPowerButton()
      return
    }
    const wish = this.wish !== undefined || this.shuttingDown || onClose === 'power-off' ? 'power-off' : 'suspend'
    log.write('info', `asked to end: ${wish === 'suspend' ? 'suspends' : 'powers off'}`)
    this.wants(wish)
  }

  private wants(wish: Wish): void {
    this.wish = wish
    this.machine?.stop()
  }

  private async stopped(machine: Machine): Promise<Outcome | 'go-on'> {
    await this.session.keepThumbnail(encodePng(machine.screenshot()))
    if (this.wish !== 'suspend') {
      this.answerSuspend({ ok: false, problem: problem('suspend-powered-off', {}) })
      this.say('powered-off', {})
      return { how: 'powered off', status: 0 }
    }
    const suspended = await this.session.suspend((path) => machine.save(path))
    this.answerSuspend(suspended)
    if (suspended.ok) {
      this.say('suspended', {})
      return { how: 'suspended', status: 0 }
    }
    // Better a machine that goes on than one whose memory is lost.
    this.wish = undefined
    process.stderr.write(`vitrine: it cannot be suspended: ${suspended.problem.message}; it goes on\n`)
    return 'go-on'
  }

  private answerSuspend(result: Result<undefined>): void {
    for (const resolve of this.onSuspended.splice(0)) resolve(result)
  }

  private async ended(machine: Machine, end: MachineEnd): Promise<Outcome | undefined> {
    const { session } = this
    this.answerSuspend({ ok: false, problem: problem('suspend-guest-ended', {}) })
    await session.keepThumbnail(encodePng(machine.screenshot()))
    if (end.kind !== 'triple-fault' && end.kind !== 'unimplemented') {
      this.say('powered-off', {})
      return { how: 'the guest switched off', status: 0 }
    }
    const what = end.kind === 'triple-fault' ? 'the guest\'s processor shut down (triple fault)' : `the guest met something that Vitrine does not have: ${end.what}`
    session.log.write('error', `${what}\n${end.dump}`)
    this.say('crashed', { what })
    process.stderr.write(`vitrine: ${what}\n`)
    const { guestCrash } = session.config.options
    if (guestCrash === 'reset') {
      session.log.write('info', 'starts again, as its settings say')
      return undefined
    }
    if (guestCrash === 'keep') {
      const path = session.folder.file('crashed.state')
      await machine.save(path)
      session.log.write('info', `kept for inspection: ${path}`)
    }
    return { how: what, status: EXIT_CRASH }
  }

  private async openPorts(): Promise<void> {
    for (const port of this.session.serialPorts) this.ports.push(await this.openPort(port))
  }

  private openPort(port: SerialPortJson): CharBackend | Promise<CharBackend> {
    switch (port.kind) {
      case 'file':
        return this.filePort(port.file)
      case 'terminal':
        return this.terminalPort ? new QueueCharBackend(() => undefined) : this.openTerminal()
      case 'tcp':
        return this.tcpPort(port.port, port.protocol)
      case 'none':
        return new QueueCharBackend(() => undefined)
    }
  }

  private async tcpPort(number: number, protocol: 'raw' | 'telnet'): Promise<CharBackend> {
    const port = await TcpCharBackend.listen(number, protocol, (work) => this.machine?.post(work))
    this.tcpPorts.push(port)
    return port
  }

  private filePort(path: string): QueueCharBackend {
    try {
      const file = openSync(path, 'a', 0o600)
      this.files.push(file)
      return new QueueCharBackend((byte) => void writeSync(file, Uint8Array.of(byte)))
    } catch (error) {
      throw fileError(error, 'serial port', path)
    }
  }

  /** This terminal, and those of `vitrine console`. */
  private openTerminal(): QueueCharBackend {
    const port = new QueueCharBackend((byte) => {
      this.output.push(byte)
      if (byte === 0x0a || this.output.length >= 64) this.flush()
    })
    this.terminalPort = port
    if (!this.json) {
      this.terminal = new Terminal({
        onBytes: (bytes) => this.machine?.post(() => port.send(bytes)),
        onQuit: () => this.asked(),
      })
    }
    return port
  }

  private flush(): void {
    if (this.output.length === 0) return
    const bytes = Uint8Array.from(this.output)
    this.output.length = 0
    if (!this.json) process.stdout.write(bytes)
    for (const show of this.consoles) show(bytes)
  }

  private say(event: string, more: Readonly<Record<string, string>>): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ event, id: this.session.config.id, ...more })}\n`)
  }
}
