/** `vitrine start NAME`: a VM of the library in this process, without a window; its first terminal port is this terminal. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { createMachine, encodePng, fileError, Library, QueueCharBackend, VmmError, type Machine, type MachineEnd, type VmSession } from '../../vmm'
import { flag, splitArguments } from '../arguments'
import { Terminal } from '../terminal'
import { theName } from './manage'
import { unwrap } from './output'

const EXIT_CRASH = 3
/** A terminal and whoever started us may send a signal each for the same key. */
const SAME_REQUEST_MS = 500

export async function start(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag, headless: flag, 'discard-state': flag }, 1)
  const library = new Library({ program: 'vitrine start' })
  const vm = unwrap(await library.find(theName(words)))
  if (values['discard-state'] === true) unwrap(await library.discardSuspendedState(vm.id))
  const session = unwrap(await library.begin(vm.path))
  const runner = new Runner(session, values.json ?? false)
  let how = 'an error'
  try {
    const outcome = await runner.run()
    how = outcome.how
    return outcome.status
  } catch (error) {
    how = error instanceof Error ? error.message : String(error)
    throw error
  } finally {
    await session.end(how)
  }
}

interface Outcome {
  readonly how: string
  readonly status: number
}

/** What a signal, or Ctrl-A x, asks for. */
type Wish = 'suspend' | 'power-off'

class Runner {
  private machine: Machine | undefined
  private wish: Wish | undefined
  private askedAt = -Infinity
  private shuttingDown = false
  private terminal: Terminal | undefined
  private readonly files: number[] = []
  private ports: readonly QueueCharBackend[] = []

  constructor(
    private readonly session: VmSession,
    /** The terminal is for events, a line each, instead of the serial port. */
    private readonly json: boolean,
  ) {}

  async run(): Promise<Outcome> {
    const onSignal = (): void => this.asked()
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    this.ports = this.openPorts()
    for (const signal of signals) process.on(signal, onSignal)
    process.stdout.on('error', onSignal) // whoever read our output has gone
    try {
      for (let first = true; ; first = false) {
        const again = await this.powerOn(first)
        if (again) return again
      }
    } finally {
      for (const signal of signals) process.off(signal, onSignal)
      process.stdout.off('error', onSignal)
      this.terminal?.close()
      for (const file of this.files) closeSync(file)
    }
  }

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
      if (this.wish) machine.stop() // asked for while it was being made
      this.say('running', {})
      for (;;) {
        const end = await machine.run()
        const outcome = end.kind === 'stopped' ? await this.stopped(machine) : await this.ended(machine, end)
        if (outcome !== 'go-on') return outcome
      }
    } finally {
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
    if (this.wish !== undefined || onClose === 'power-off') this.wish = 'power-off'
    else if (onClose === 'shut-down' && !this.shuttingDown) {
      this.shuttingDown = true
      log.write('info', 'asked to end: presses the power button')
      this.machine?.pressPowerButton()
      return
    } else this.wish = this.shuttingDown ? 'power-off' : 'suspend'
    log.write('info', `asked to end: ${this.wish === 'suspend' ? 'suspends' : 'powers off'}`)
    this.machine?.stop()
  }

  private async stopped(machine: Machine): Promise<Outcome | 'go-on'> {
    await this.session.keepThumbnail(encodePng(machine.screenshot()))
    if (this.wish !== 'suspend') {
      this.say('powered-off', {})
      return { how: 'powered off', status: 0 }
    }
    const suspended = await this.session.suspend((path) => machine.save(path))
    if (suspended.ok) {
      this.say('suspended', {})
      return { how: 'suspended', status: 0 }
    }
    // Better a machine that goes on than one whose memory is lost.
    this.wish = undefined
    process.stderr.write(`vitrine: it cannot be suspended: ${suspended.problem.message}; it goes on\n`)
    return 'go-on'
  }

  private async ended(machine: Machine, end: MachineEnd): Promise<Outcome | undefined> {
    const { session } = this
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

  private openPorts(): readonly QueueCharBackend[] {
    return this.session.serialPorts.map((port) => {
      switch (port.kind) {
        case 'file':
          return this.filePort(port.file)
        case 'terminal':
          return this.terminal || this.json ? new QueueCharBackend(() => undefined) : this.terminalPort()
        case 'tcp':
          throw new VmmError('config/bad-option', `serial port on TCP port ${port.port}: needs the app for now; set it to terminal, file or none to start without`)
        case 'none':
          return new QueueCharBackend(() => undefined)
      }
    })
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

  private terminalPort(): QueueCharBackend {
    const port = new QueueCharBackend((byte) => void process.stdout.write(Uint8Array.of(byte)))
    this.terminal = new Terminal({
      onBytes: (bytes) => this.machine?.post(() => port.send(bytes)),
      onQuit: () => this.asked(),
    })
    return port
  }

  private say(event: string, more: Readonly<Record<string, string>>): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ event, id: this.session.config.id, ...more })}\n`)
  }
}
