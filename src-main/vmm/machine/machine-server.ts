/**
 * One machine in its worker thread, from power-on to its end, driven by the mailbox. It is made and waits for 'run'; it runs; it stands still after a save that
 * holds and after a crash that is kept; and it ends. Questions are answered in each of these.
 */
import type { MessagePort } from 'node:worker_threads'
import { encodePng, shrinkFrame } from '../backends/display/png'
import { assertNever } from '../errors/assert-never'
import { VmmError } from '../errors/vmm-error'
import { HostClock } from '../time/host-clock'
import { ActivityWatch, driveNames } from './activity'
import type { MachineEnd } from './config'
import { createMachine } from './create-machine'
import { deviceStateViews } from './inspection/device-states'
import { inspectMachine } from './inspection/inspection'
import type { Machine } from './machine'
import type { Answers, Done, Frame, FromMachine, Question, QuestionKind, StartMessage, ToMachine } from './protocol'
import { ScreenStream } from './screen-stream'
import { SerialLines } from './serial-lines'
import { threadCpuSeconds } from './thread-time'

/** Between two looks at which devices are busy. */
const ACTIVITY_MS = 250
/** Between two words about how far a save is. */
const PROGRESS_NS = 100_000_000
/** A guest that crashes as soon as it starts shall not do so a thousand times a second. */
const CRASH_PAUSE_MS = 500

/** What ends a standstill. */
type Decision = 'run' | 'reset' | 'power-off'
interface Save {
  readonly number: number
  readonly path: string
  readonly hold: boolean
}

export class MachineServer {
  private machine: Machine | undefined
  private screen: ScreenStream | undefined
  private lines: SerialLines | undefined
  private setup: StartMessage | undefined
  /** Set while the machine stands still: carries out what ends that. */
  private decide: ((decision: Decision) => void) | undefined
  private wantsOff = false
  private over = false
  private readonly saves: Save[] = []
  private readonly uptime = new HostClock()
  private readonly counts = { screen: 0, input: 0 }
  private lights: NodeJS.Timeout | undefined

  constructor(private readonly port: MessagePort) {
    port.on('message', (message: ToMachine) => this.received(message))
  }

  /** Something of ours threw where nobody catches: the machine ends, with what can be kept of it. */
  async failed(error: unknown): Promise<void> {
    if (this.over) return
    this.over = true
    const known = error instanceof VmmError && error.code !== 'internal/bug'
    const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)
    const picture = this.attempt(() => this.picture())
    const { machine, setup } = this
    if (machine && setup?.rescue !== undefined) await machine.rescue(setup.rescue).catch(() => undefined)
    await this.close().catch(() => undefined)
    this.send({ kind: 'failed', code: error instanceof VmmError ? error.code : 'internal/bug', message, ...(picture ? { picture } : {}) })
    this.port.close()
  }

  // ---- the machine's life -------------------------------------------------------------------------------------------------------------

  private async live(setup: StartMessage): Promise<void> {
    try {
      this.setup = setup
      const machine = await this.make(setup)
      this.send({ kind: 'ready' })
      const end = (await this.standStill()) === 'power-off' ? STOPPED : await this.run(machine, setup)
      if (this.over) return
      this.over = true
      const picture = this.picture()
      this.send({ kind: 'closing' })
      await this.close()
      this.send({ kind: 'ended', end, picture })
      this.port.close()
    } catch (error) {
      await this.failed(error)
    }
  }

  private async make(setup: StartMessage): Promise<Machine> {
    this.lines = await SerialLines.open(setup.serialPorts, {
      output: (port, bytes) => this.send({ kind: 'serial', port, bytes }, [bytes.buffer as ArrayBuffer]), // made by Uint8Array.from
      post: (work) => this.machine?.post(work),
      warn: (message) => this.send({ kind: 'log', level: 'warning', message }),
    })
    const { coreDirectory, config } = setup
    const machine = await createMachine(config, { warn: (message) => this.send({ kind: 'log', level: 'warning', message }), serial: this.lines.backends, ...(coreDirectory === undefined ? {} : { coreDirectory }) })
    this.machine = machine
    if (setup.state !== undefined) await machine.load(setup.state)
    this.screen = new ScreenStream(machine, (frame) => this.sendFrame(frame))
    machine.onTurn = (): void => {
      this.lines?.flush()
      this.screen?.turn()
    }
    machine.onPause = (paused): void => {
      this.settleOutput()
      this.send({ kind: 'state', state: paused ? 'paused' : 'running' })
    }
    this.watchActivity(machine, config.demo)
    return machine
  }

  private async run(machine: Machine, { onCrash }: StartMessage): Promise<MachineEnd> {
    this.uptime.resume()
    this.send({ kind: 'state', state: 'running' })
    for (;;) {
      const end = await machine.run()
      this.settleOutput()
      if (end.kind === 'stopped') {
        if ((await this.serveSaves(machine)) === 'power-off') return STOPPED
        continue
      }
      if (this.wantsOff || onCrash === 'stop' || (end.kind !== 'triple-fault' && end.kind !== 'unimplemented')) return end
      this.send({ kind: 'crashed', end })
      const timer = onCrash === 'reset' ? setTimeout(() => this.decide?.('reset'), CRASH_PAUSE_MS) : undefined
      const decision = await this.standStill()
      clearTimeout(timer)
      if (decision === 'power-off') return { kind: 'power-off' }
      machine.revive()
      this.send({ kind: 'state', state: 'running' })
    }
  }

  private async close(): Promise<void> {
    clearInterval(this.lights)
    await this.lines?.close()
    await this.machine?.close()
  }

  /** Resolves when somebody decides what comes next. */
  private standStill(): Promise<Decision> {
    return new Promise((resolve) => {
      const decide = (decision: Decision): void => {
        this.decide = undefined
        resolve(decision)
      }
      if (this.wantsOff) decide('power-off')
      else this.decide = decide
    })
  }

  // ---- saving ---------------------------------------------------------------------------------------------------------------------------

  /** The machine has been stopped for them. */
  private async serveSaves(machine: Machine): Promise<Decision> {
    for (let save = this.saves.shift(); save; save = this.saves.shift()) {
      const done = await this.save(machine, save)
      if (done && save.hold && (await this.standStill()) === 'power-off') return 'power-off'
    }
    return 'run'
  }

  private async save(machine: Machine, { number, path }: Save): Promise<boolean> {
    let next = 0
    const outcome = await this.carryOut(() =>
      machine.save(path, (done, total) => {
        const now = this.uptime.now()
        if (now < next) return
        next = now + PROGRESS_NS
        this.send({ kind: 'progress', done, total })
      }),
    )
    this.settleOutput()
    this.answer(number, outcome)
    return outcome.done
  }

  private async carryOut(work: () => Promise<void>): Promise<Done> {
    try {
      await work()
      return { done: true }
    } catch (error) {
      return { done: false, code: error instanceof VmmError ? error.code : 'internal/bug', message: error instanceof Error ? error.message : String(error) }
    }
  }

  // ---- the mailbox ------------------------------------------------------------------------------------------------------------------------

  private received(message: ToMachine): void {
    if (message.kind === 'start') return void this.live(message)
    if (message.kind === 'power-off') {
      this.wantsOff = true
      this.machine?.powerOff()
      return this.decide?.('power-off')
    }
    const { machine, lines } = this
    if (!machine || this.over) return message.kind === 'ask' ? this.answer(message.number, undefined) : undefined
    switch (message.kind) {
      case 'run':
        return this.decide?.('run')
      case 'pause':
        return machine.pause()
      case 'resume':
        return machine.resume()
      case 'reset':
        return this.decide ? this.decide('reset') : machine.reset()
      case 'power-button':
        return machine.shutDown()
      case 'key':
        this.counts.input++
        return machine.key({ code: message.code, pressed: message.pressed })
      case 'type':
        this.counts.input++
        return machine.type(message.events)
      case 'type-text':
        this.counts.input++
        return machine.typeText(message.text)
      case 'mouse':
        this.counts.input++
        return machine.mouse(message.dx, message.dy, message.dz, message.buttons)
      case 'serial':
        return machine.post(() => lines?.input(message.port, message.bytes))
      case 'serial-break':
        return machine.post(() => lines?.sendBreak(message.port))
      case 'serial-taken':
        return machine.post(() => lines?.taken(message.port, message.bytes))
      case 'frame-shown':
        this.screen?.shown()
        if (machine.state !== 'running') this.screen?.finish()
        return
      case 'ask':
        return this.asked(machine, message.number, message.question)
      default:
        assertNever(message)
    }
  }

  /** A question that trips over something is answered with nothing: the machine goes on. */
  private asked(machine: Machine, number: number, question: Question): void {
    if (question.kind === 'save') {
      const save = { number, path: question.path, hold: question.hold }
      if (this.decide) return void this.save(machine, save)
      this.saves.push(save)
      return machine.stop()
    }
    if (question.kind === 'change-cdrom') return void this.changeCdrom(machine, question).then((answer) => this.answer(number, answer))
    const answer = this.attempt(() => this.answerTo(machine, question))
    this.answer(number, answer)
  }

  private answerTo(machine: Machine, question: Exclude<Question, { kind: 'save' | 'change-cdrom' }>): Answers[QuestionKind] {
    const { parts } = machine
    switch (question.kind) {
      case 'stats': {
        // They come later than this answer: for the next one. Where runs repeat, nobody may disturb the guest by looking.
        if (!parts.clock.exact) machine.post(() => parts.balloon?.refreshStatistics())
        const hostCpuSeconds = threadCpuSeconds()
        return { ...machine.stats(), uptimeSeconds: this.uptime.now() / 1e9, ...(hostCpuSeconds === undefined ? {} : { hostCpuSeconds }) }
      }
      case 'regions':
        return { engine: parts.engine.name, regions: machine.regions?.hottestRegions(question.count) }
      case 'region':
        return machine.regions?.region(question.id)
      case 'inspection':
        return inspectMachine(parts)
      case 'device-states':
        return deviceStateViews(parts.board.allDevices)
      case 'memory-target':
        return machine.setMemoryTarget(question.bytes)
      case 'screenshot':
        return this.picture(question.maxWidth)
      case 'screen-text': {
        const rows = machine.screenText()
        return rows.length === 0 ? undefined : rows
      }
    }
  }

  private async changeCdrom(machine: Machine, { drive, path, force }: Extract<Question, { kind: 'change-cdrom' }>): Promise<Answers['change-cdrom']> {
    if (!force && machine.isCdromLocked(drive)) return { done: false, code: 'locked' }
    return this.carryOut(() => machine.changeCdrom(drive, path))
  }

  // ---- to the host --------------------------------------------------------------------------------------------------------------------------

  private send(message: FromMachine, moved: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, moved)
  }

  private answer(number: number, answer: Answers[QuestionKind] | undefined): void {
    this.send({ kind: 'answer', number, answer })
  }

  /** Pixels move to the host's thread instead of being copied. */
  private sendFrame(frame: Frame): void {
    this.counts.screen++
    this.send({ kind: 'frame', frame }, frame.rects.map(({ packed }) => packed.buffer))
  }

  /** The guest stands still: what it has shown and written so far is told. */
  private settleOutput(): void {
    this.lines?.flush()
    this.screen?.finish()
  }

  private picture(maxWidth?: number): Uint8Array {
    const frame = this.machine?.screenshot()
    if (!frame) return new Uint8Array(0)
    return encodePng(maxWidth === undefined ? frame : shrinkFrame(frame, maxWidth))
  }

  private attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.send({ kind: 'log', level: 'error', message: `a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` })
      return undefined
    }
  }

  private watchActivity(machine: Machine, demo: boolean): void {
    const watch = new ActivityWatch()
    const { board } = machine.parts
    const names = driveNames(board.driveFigures(), demo)
    const look = (): readonly string[] =>
      watch.busy([
        ...board.driveFigures().map(({ reads, writes }, i) => [names[i] ?? '', reads + writes] as const),
        ...(this.lines?.traffic ?? []).map((bytes, port) => [`serial-${port}`, bytes] as const),
        ...Object.entries(this.counts),
      ])
    this.lights = setInterval(() => {
      const devices = look()
      if (devices.length > 0) this.send({ kind: 'activity', devices })
    }, ACTIVITY_MS)
  }
}

const STOPPED: MachineEnd = { kind: 'stopped' }
