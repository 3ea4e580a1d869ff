/** One VM over all its runs in this process: its streams to windows, and what is known of it between the runs. */
import { ok, type Frame, type MachineEnd, type Problem, type Result, type RunEnd, type RunObserver, type RunState } from '../vmm'
import type { PowerState } from './contract'
import type { Elsewhere } from './elsewhere'
import { ConsoleStream, SerialStream } from './ports'
import { RemoteSerial } from './remote-serial'
import { SerialLog } from './serial-log'
import type { RunningMachine } from './vm-runner'
import type { RunFacts } from './vm-card'

const SERIAL_PORTS = 4
/** Serial output counts as the guest's only voice when its text screen has not changed for so long. */
const SPEAKS_AFTER_MS = 3000

export interface RecordListener {
  stateChanged(record: VmRecord): void
  activity(record: VmRecord, devices: readonly string[]): void
  serialSpeaks(record: VmRecord, port: number): void
  /** Another file, or none. */
  serialLogsChanged(record: VmRecord): void
  /** Nothing more goes into it. */
  serialLogFailed(record: VmRecord, problem: Problem): void
  ended(record: VmRecord, end: RunEnd): void
}

export class VmRecord implements RunObserver {
  readonly console: ConsoleStream
  readonly serial: readonly SerialStream[]
  running: RunningMachine | undefined
  /** Its start has been asked for and is not refused. */
  isStarting = false
  /** Counts frames: whoever has seen this many has seen the latest. */
  pictures = 0
  private state: RunState | undefined
  private lastEnd: MachineEnd | undefined
  private failure: RunFacts['failure']
  private remote: RemoteSerial | undefined
  private remotePort: number | undefined
  private readonly logs = new Map<number, SerialLog>()
  private readonly spoken = new Set<number>()
  private listening: NodeJS.Timeout | undefined

  constructor(
    readonly id: string,
    /** Of its folder. */
    public path: string,
    private readonly listener: RecordListener,
  ) {
    this.console = new ConsoleStream({
      frameShown: () => this.running?.frameShown(),
      key: (code, pressed) => this.running?.key(code, pressed),
      mouse: (dx, dy, dz, buttons) => this.running?.mouse(dx, dy, dz, buttons),
    })
    this.serial = Array.from({ length: SERIAL_PORTS }, (_, port) => new SerialStream({
      serial: (bytes) => (this.running ? this.running.serialInput(port, bytes) : this.remotePort === port ? this.remote?.send(bytes) : undefined),
      taken: (bytes) => this.serialTaken(port, bytes),
      sendBreak: () => this.running?.serialBreak(port),
    }))
  }

  get facts(): RunFacts {
    const state = this.state ?? (this.isStarting ? ({ type: 'starting', resuming: false } as const) : undefined)
    return { state, lastEnd: this.lastEnd, failure: this.failure, serialLogs: new Map([...this.logs].map(([port, { path }]) => [port, path])) }
  }

  get isOn(): boolean {
    return this.running !== undefined || this.isStarting
  }

  /** A new run is asked for: what the last one left to say has been said. */
  starting(): void {
    this.isStarting = true
    this.failure = undefined
    this.lastEnd = undefined
  }

  /** Another process runs it: `port`, its first terminal, is shown as if it ran here. */
  async openRemote(port: number, elsewhere: Elsewhere): Promise<void> {
    if (this.running) return
    if (this.remotePort !== port) this.closeRemote()
    this.remotePort = port
    this.remote ??= new RemoteSerial(this.id, elsewhere, (bytes) => this.serial[port]?.push(Uint8Array.from(bytes)))
    await this.remote.open()
  }

  /** Before it runs here, and when it does not run there any more. */
  closeRemote(): void {
    this.remote?.close()
    this.remote = undefined
    this.remotePort = undefined
  }

  /** This is the VM that runs now. */
  observe(running: RunningMachine): RunObserver {
    this.closeRemote()
    this.running = running
    this.spoken.clear()
    return this
  }

  fail(failure: Extract<PowerState, { type: 'failed' }>): void {
    this.failure = failure
  }

  onState(state: RunState): void {
    this.state = state
    this.listener.stateChanged(this)
  }

  onFrame(frame: Frame): void {
    this.pictures++
    this.console.push(frame)
  }

  onPowerOn(): void {
    this.console.restart()
    for (const port of this.serial) port.restart()
    this.spoken.clear()
  }

  onSerial(port: number, bytes: Uint8Array): void {
    const stream = this.serial[port]
    if (!stream) return
    this.logs.get(port)?.write(bytes)
    stream.push(bytes)
    this.mayBeSpeaking(port)
  }

  onActivity(devices: readonly string[]): void {
    this.listener.activity(this, devices)
  }

  onEnd(end: RunEnd): void {
    clearTimeout(this.listening)
    this.listening = undefined
    this.running = undefined
    this.isStarting = false
    this.state = undefined
    this.lastEnd = end.type === 'powered-off' ? end.end : undefined
    // A file takes what one run writes: the page offers to write into one only while there is a run.
    for (const log of this.logs.values()) void log.close()
    this.logs.clear()
    this.listener.ended(this, end)
  }

  /** From now on into that file too, until the run ends; undefined: no more. Answers where it went until now. */
  async setSerialLog(port: number, path: string | undefined): Promise<Result<string | undefined>> {
    const next = path === undefined ? ok(undefined) : await SerialLog.open(path, (problem) => void this.endSerialLog(port, path, problem))
    if (!next.ok) return next
    const old = this.logs.get(port)
    if (next.value) this.logs.set(port, next.value)
    else this.logs.delete(port)
    this.listener.serialLogsChanged(this)
    await old?.close()
    return ok(old?.path)
  }

  /** A file that cannot be written any more is left: the guest goes on. */
  private async endSerialLog(port: number, path: string, problem: Problem): Promise<void> {
    if (this.logs.get(port)?.path !== path) return
    await this.setSerialLog(port, undefined)
    this.listener.serialLogFailed(this, problem)
  }

  private serialTaken(port: number, bytes: number): void {
    const { running } = this
    if (!running && port === this.remotePort) return this.remote?.taken(bytes)
    const log = this.logs.get(port)
    if (!log) return running?.serialTaken(port, bytes)
    void log.flush().then(() => running?.serialTaken(port, bytes))
  }

  /** The guest may have its console there and nowhere else: its screen tells. */
  private mayBeSpeaking(port: number): void {
    const { running } = this
    if (!running || this.listening || this.spoken.has(port)) return
    const before = running.screenText()
    this.listening = setTimeout(() => {
      this.listening = undefined
      Promise.all([before, running.screenText()]).then(
        ([then, now]) => {
          if (this.running !== running || !then || !now || this.spoken.has(port) || then.join('\n') !== now.join('\n')) return
          this.spoken.add(port)
          this.listener.serialSpeaks(this, port)
        },
        () => undefined, // a machine that is going says nothing
      )
    }, SPEAKS_AFTER_MS)
  }
}
