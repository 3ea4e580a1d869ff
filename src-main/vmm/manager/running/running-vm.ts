/**
 * One VM of the library while this process runs it: its session (lock, log, suspended state), its machine's thread, and the socket on which other commands ask.
 * One object from power-on to the end; when the guest is restarted it gets another machine.
 */
import { VmmError } from '../../errors/vmm-error'
import { isKnownKey } from '../../devices/i8042/key-codes'
import { countUntypable, parseChord } from '../../devices/i8042/keyboard-text'
import type { RegionSnapshot } from '../../cpu/engines/region-inspector'
import type { MachineConfig, MachineEnd } from '../../machine/config'
import type { DeviceStateView } from '../../machine/inspection/device-states'
import type { Inspection } from '../../machine/inspection/inspection'
import type { Answers, Question, RegionList, ToMachine } from '../../machine/protocol'
import { assertNever } from '../../errors/assert-never'
import { controlPath } from '../control/control-path'
import { ControlServer, type VmConsole, type VmControl } from '../control/control-server'
import { fail, ok, problem, type Problem, type Result } from '../library/problem'
import type { VmJson } from '../library/vm-json/types'
import type { VmSession } from '../library/vm-session'
import { VmHost, type VmListener } from '../vm-host'
import { crashText, endText } from './end-texts'
import { ALLOWED, type CdromChange, type RunAction, type RunningVmOptions, type RunStats } from './run-options'
import type { RunEnd, RunObserver, RunState } from './vm-events'

/** A machine that does not end by itself by then is ended with its thread. */
const POWER_OFF_PATIENCE_MS = 3000
/** Files that are closed wait for the host's disk. */
const CLOSING_PATIENCE_MS = 30_000
/** A guest that was asked to restart and has not shut down by then will not do so because of that. */
const RESTART_PATIENCE_MS = 300_000
/** A CD image may lie on another computer. */
const CDROM_PATIENCE_MS = 30_000

export class RunningVm implements VmControl {
  private session: VmSession
  private observer: RunObserver | undefined
  private thread: VmHost | undefined
  private server: ControlServer | undefined
  private current: RunState
  private over = false
  private restartWanted: NodeJS.Timeout | undefined
  private patience: NodeJS.Timeout | undefined
  private suspension: Promise<Result<undefined>> | undefined
  private readonly consoles = new Set<(bytes: Uint8Array) => void>()
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: RunningVmOptions) {
    this.session = options.session
    this.current = { type: 'starting', resuming: options.session.suspended !== undefined }
  }

  get id(): string {
    return this.config.id
  }

  get name(): string {
    return this.config.name
  }

  /** Of its folder. */
  get path(): string {
    return this.session.folder.path
  }

  /** As it was at power-on, with the CDs that are in the drives now. */
  get config(): VmJson {
    return this.session.config
  }

  get state(): RunState {
    return this.current
  }

  /** Once, by whoever made it. */
  async begin(observer: RunObserver): Promise<void> {
    this.observer = observer
    const server = await ControlServer.listen(controlPath(this.path), this)
    if (server.ok) this.server = server.value
    // It can be run without: the lock says who does.
    else this.session.log.write('warning', `other commands cannot reach it: ${server.problem.message}`)
    this.startMachine(this.options.machine)
  }

  /** Where a machine is kept that crashed, or that a bug of ours stopped. */
  get crashedStatePath(): string {
    return this.session.folder.file('crashed.state')
  }

  // ---- power -----------------------------------------------------------------------------------------------------------------------------

  /** false: not in this state. */
  act(action: RunAction): boolean {
    if (this.over || !ALLOWED[action].includes(this.current.type)) return false
    const { log } = this.session
    switch (action) {
      case 'pause':
        this.send({ kind: 'pause' })
        return true
      case 'unpause':
        this.send({ kind: 'resume' })
        return true
      case 'reset':
        log.write('info', 'asked to reset')
        this.send({ kind: 'reset' })
        // Who resets wants to see it start.
        if (this.current.type === 'paused') this.send({ kind: 'resume' })
        return true
      case 'shut-down-guest':
        log.write('info', 'asked to shut down: presses the power button')
        this.forgetRestart()
        this.send({ kind: 'power-button' })
        return true
      case 'restart-guest':
        log.write('info', 'asked to restart the guest: presses the power button, powers on when it is off')
        this.forgetRestart()
        this.restartWanted = setTimeout(() => this.forgetRestart(), RESTART_PATIENCE_MS)
        this.restartWanted.unref()
        this.send({ kind: 'power-button' })
        return true
      case 'power-off':
        this.powerOff()
        return true
      default:
        return assertNever(action)
    }
  }

  /** Resolves when the state is on disk, or cannot be: then the VM goes on. One that is being started is waited for. */
  async suspend(): Promise<Result<undefined>> {
    this.suspension ??= this.suspendOnce()
    return this.suspension
  }

  // ---- input and output ------------------------------------------------------------------------------------------------------------------

  /** `code`: KeyboardEvent.code. */
  key(code: string, pressed: boolean): void {
    this.send({ kind: 'key', code, pressed })
  }

  /** Movement, wheel steps, and the buttons held: bit 0 left, 1 right, 2 middle. */
  mouse(dx: number, dy: number, dz: number, buttons: number): void {
    this.send({ kind: 'mouse', dx, dy, dz, buttons })
  }

  /** The last frame has been shown: the next may come. */
  frameShown(): void {
    this.send({ kind: 'frame-shown' })
  }

  /** `port`: as in vm.json's list; only ports that are terminals. */
  serialInput(port: number, bytes: Uint8Array): void {
    this.send({ kind: 'serial', port, bytes })
  }

  /** So many bytes of output have been taken: the guest waits when they are not. */
  serialTaken(port: number, bytes: number): void {
    this.send({ kind: 'serial-taken', port, bytes })
  }

  serialBreak(port: number): void {
    this.send({ kind: 'serial-break', port })
  }

  /** Such as "ctrl-alt-delete". false: there are no such keys, or the VM does not run. */
  sendKeys(chord: string): boolean {
    const events = parseChord(chord, isKnownKey)
    if (!events || this.current.type !== 'running') return false
    this.send({ kind: 'type', events })
    return true
  }

  /** As if typed on a keyboard with the US layout; resolves at once, the guest gets it at a pace that it can follow. */
  async typeText(text: string): Promise<{ readonly skipped: number }> {
    this.send({ kind: 'type-text', text })
    return { skipped: countUntypable(text) }
  }

  // ---- what can be seen --------------------------------------------------------------------------------------------------------------------

  /** PNG, made smaller when it is wider than `maxWidth`. undefined: no machine (yet). */
  async screenshot(maxWidth?: number): Promise<Uint8Array | undefined> {
    return this.ask({ kind: 'screenshot', ...(maxWidth === undefined ? {} : { maxWidth }) })
  }

  /** undefined: no machine, or a graphics mode. */
  async screenText(): Promise<readonly string[] | undefined> {
    return this.ask({ kind: 'screen-text' })
  }

  async stats(): Promise<RunStats | undefined> {
    return this.ask({ kind: 'stats' })
  }

  /** The hottest regions of translated code. */
  async regions(count: number): Promise<RegionList | undefined> {
    return this.ask({ kind: 'regions', count })
  }

  async region(id: number): Promise<RegionSnapshot | undefined> {
    return this.ask({ kind: 'region', id })
  }

  async inspect(): Promise<Inspection | undefined> {
    return this.ask({ kind: 'inspection' })
  }

  async deviceStates(): Promise<readonly DeviceStateView[] | undefined> {
    return this.ask({ kind: 'device-states' })
  }

  // ---- changes -----------------------------------------------------------------------------------------------------------------------------

  /** `index`: in vm.json's cdroms. Changes what is in the drive; vm.json is the caller's to change. */
  async setCdrom(index: number, { file, connected, force = false }: CdromChange): Promise<Result<undefined>> {
    const path = file !== undefined && connected ? this.session.folder.file(file) : undefined
    const answer = await this.ask({ kind: 'change-cdrom', drive: index, force, ...(path === undefined ? {} : { path }) }, CDROM_PATIENCE_MS)
    if (!answer) return fail(problem('not-answering', { name: this.name }))
    if (answer.done) {
      this.session.changedCdrom(index, { file, connected })
      return ok(undefined)
    }
    if (!('message' in answer)) return fail(problem('cdrom-locked', { name: this.name }))
    return fail(path === undefined ? problem('no-such-device', { name: this.name }) : problem('file-trouble', { file: path, detail: answer.message }, { file: path }))
  }

  /** What the guest shall be left with, by its balloon; bytes. false: it has none. undefined: no machine (yet). */
  async setMemoryTarget(bytes: number): Promise<boolean | undefined> {
    return this.ask({ kind: 'memory-target', bytes })
  }

  /** Writes the machine to a file, whole or not at all; it goes on, or stands still, as before. */
  async saveState(path: string): Promise<Result<undefined>> {
    const saved = this.over ? undefined : await this.thread?.save(path, false)
    if (!saved) return fail(problem('not-answering', { name: this.name }))
    return saved.done ? ok(undefined) : fail(problem('file-trouble', { file: path, detail: saved.message }, { file: path }))
  }

  // ---- what other commands ask (VmControl) -------------------------------------------------------------------------------------------------

  status(): { readonly state: RunState['type'] } {
    return { state: this.current.type }
  }

  stop(how: 'soft' | 'hard'): boolean {
    return this.act(how === 'soft' ? 'shut-down-guest' : 'power-off')
  }

  reset(): boolean {
    return this.act('reset')
  }

  pause(): boolean {
    return this.current.type === 'paused' || this.act('pause')
  }

  unpause(): boolean {
    return this.current.type === 'running' || this.act('unpause')
  }

  console(output: (bytes: Uint8Array) => void): VmConsole | undefined {
    const port = this.consolePort
    if (port < 0) return undefined
    this.consoles.add(output)
    return {
      input: (bytes) => this.serialInput(port, bytes),
      close: () => void this.consoles.delete(output),
    }
  }

  /** The first serial port that is a terminal, or -1. */
  private get consolePort(): number {
    return this.session.serialPorts.findIndex(({ kind }) => kind === 'terminal')
  }

  // ---- the machine -------------------------------------------------------------------------------------------------------------------------

  private startMachine(config: MachineConfig): void {
    const { session, options } = this
    this.observer?.onPowerOn()
    this.become({ type: 'starting', resuming: session.suspended !== undefined })
    this.thread = new VmHost(
      options.workers,
      {
        kind: 'start',
        config,
        serialPorts: session.serialPorts,
        onCrash: session.config.options.guestCrash,
        rescue: this.crashedStatePath,
        ...(session.suspended ? { state: session.suspended.state } : {}),
        ...(options.coreDirectory === undefined ? {} : { coreDirectory: options.coreDirectory }),
      },
      (message) => this.heard(message),
    )
  }

  private send(message: ToMachine): void {
    this.thread?.send(message)
  }

  /** undefined: there is no machine, or it does not answer. */
  private async ask<Q extends Question>(question: Q, patience?: number): Promise<Answers[Q['kind']] | undefined> {
    return this.over ? undefined : this.thread?.ask(question, patience)
  }

  private heard(message: Parameters<VmListener>[0]): void {
    const { observer } = this
    if (this.over || !observer) return
    switch (message.kind) {
      case 'ready':
        return void this.ready()
      case 'state':
        if (this.current.type !== 'powering-off' && this.current.type !== 'suspending') this.become({ type: message.state })
        return
      case 'crashed':
        return this.crashed(message.end)
      case 'frame':
        return observer.onFrame(message.frame)
      case 'serial':
        if (message.port === this.consolePort) for (const show of this.consoles) show(message.bytes)
        return observer.onSerial(message.port, message.bytes)
      case 'activity':
        return observer.onActivity(message.devices)
      case 'progress':
        if (this.current.type === 'suspending') this.become({ type: 'suspending', progress: { done: message.done, total: message.total } })
        return
      case 'log':
        return this.session.log.write(message.level, message.message)
      case 'closing':
        return this.waitForEnd(CLOSING_PATIENCE_MS)
      case 'ended':
        if (message.end.kind === 'triple-fault' || message.end.kind === 'unimplemented') this.logCrash(message.end)
        return void this.finish({ type: 'powered-off', end: message.end }, message.picture)
      case 'failed':
        this.session.log.write('error', message.message)
        return void this.finish({ type: 'failed', code: message.code, message: message.message }, message.picture)
      default:
        assertNever(message)
    }
  }

  /** It is made, and its saved state is loaded: from here on that state does not fit the disks any more. */
  private async ready(): Promise<void> {
    if (this.current.type === 'powering-off') return
    if (this.session.suspended) {
      const resumed = await this.session.resumed()
      if (this.over) return
      if (!resumed.ok) {
        await this.thread?.terminate()
        return this.finish(failure(resumed.problem))
      }
    }
    this.send({ kind: 'run' })
  }

  private crashed(end: MachineEnd): void {
    this.logCrash(end)
    this.forgetRestart()
    if (this.current.type === 'powering-off') return
    if (this.config.options.guestCrash === 'reset') this.session.log.write('info', 'starts again, as its settings say')
    this.become({ type: 'crashed', end })
  }

  private logCrash(end: MachineEnd): void {
    this.session.log.write('error', `${crashText(end)}\n${'dump' in end ? end.dump : ''}`)
  }

  private powerOff(): void {
    const { log } = this.session
    log.write('info', 'asked to power off')
    this.forgetRestart()
    this.become({ type: 'powering-off' })
    this.send({ kind: 'power-off' })
    this.waitForEnd(POWER_OFF_PATIENCE_MS)
  }

  /** Ends the thread when the machine has not done so by then. */
  private waitForEnd(milliseconds: number): void {
    clearTimeout(this.patience)
    this.patience = setTimeout(() => {
      this.session.log.write('warning', 'does not end by itself: its thread is ended')
      const end = (): void => void this.finish({ type: 'powered-off', end: { kind: 'power-off' } })
      this.thread?.terminate().then(end, end)
    }, milliseconds)
  }

  private forgetRestart(): void {
    clearTimeout(this.restartWanted)
    this.restartWanted = undefined
  }

  // ---- saving --------------------------------------------------------------------------------------------------------------------------------

  private async suspendOnce(): Promise<Result<undefined>> {
    const { log } = this.session
    log.write('info', 'asked to suspend')
    const before = await this.settled()
    let suspended: Result<undefined>
    if (this.over || !before) suspended = fail(this.suspendRefusal())
    else {
      this.become({ type: 'suspending' })
      this.forgetRestart()
      suspended = await this.session.suspend(async (path) => {
        const saved = await this.thread?.save(path, true)
        if (!saved) throw new VmmError('internal/bug', this.suspendRefusal().message)
        if (!saved.done) throw new VmmError('file/unreadable', saved.message)
      })
      if (suspended.ok) {
        this.send({ kind: 'power-off' })
        this.waitForEnd(POWER_OFF_PATIENCE_MS)
        return suspended
      }
      if (this.over || this.current.type === 'powering-off') suspended = fail(this.suspendRefusal())
      else {
        // Better a machine that goes on than one whose memory is lost.
        this.become(before)
        this.send({ kind: 'run' })
      }
    }
    this.suspension = undefined
    return suspended
  }

  private suspendRefusal(): Problem {
    return this.current.type === 'powering-off' ? problem('suspend-powered-off', {}) : problem('suspend-guest-ended', {})
  }

  /** The state in which it can be suspended, once it has come to one; undefined: it will not. */
  private async settled(): Promise<RunState | undefined> {
    for (;;) {
      const { type } = this.current
      if (this.over) return undefined
      if (type === 'running' || type === 'paused') return this.current
      if (type !== 'starting' && !(type === 'crashed' && this.config.options.guestCrash === 'reset')) return undefined
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  // ---- the end -------------------------------------------------------------------------------------------------------------------------------

  private async finish(reason: RunEnd, picture?: Uint8Array): Promise<void> {
    if (this.over) return
    this.over = true
    clearTimeout(this.patience)
    this.tellWaiting()
    // A state that is being written down is written to its end, or given up, before the lock goes.
    const suspended = await this.suspension
    const end: RunEnd = suspended?.ok === true ? { type: 'suspended' } : reason
    if (picture && picture.length > 0) await this.session.keepThumbnail(picture)
    if (this.restartWanted && end.type === 'powered-off' && end.end.kind === 'power-off') {
      const trouble = await this.startAgain()
      return trouble && this.leave(failure(trouble))
    }
    return this.leave(end)
  }

  /** The guest has shut down to be restarted: its settings are read anew, the lock stays. */
  private async startAgain(): Promise<Problem | undefined> {
    this.forgetRestart()
    const again = await this.session.again()
    if (!again.ok) return again.problem
    this.session = again.value
    this.over = false
    this.suspension = undefined
    this.startMachine(this.session.machine)
    return undefined
  }

  private async leave(end: RunEnd): Promise<void> {
    this.forgetRestart()
    this.server?.stopListening()
    await this.session.end(endText(end, this.current.type === 'powering-off'))
    await this.server?.close()
    this.options.gone()
    this.observer?.onEnd(end)
  }

  private become(state: RunState): void {
    this.current = state
    this.tellWaiting()
    this.observer?.onState(state)
  }

  private tellWaiting(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

function failure(trouble: Problem): RunEnd {
  return { type: 'failed', code: trouble.code, message: trouble.message, problem: trouble }
}

