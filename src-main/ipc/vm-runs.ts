/** The VMs that this process runs, as the window sees them: power, events, messages. */
import { join } from 'node:path'
import { sentence, type LibraryVm, type MachineEnd, type Problem, type Result, type RunEnd } from '../vmm'
import { allowsPowerAction, IpcError, type MessageId, type PowerAction } from './contract'
import { Elsewhere } from './elsewhere'
import type { MessageLog } from './message-log'
import { problemDto } from './problem-dto'
import type { Emit } from './server'
import { powerState, runPowerState, type RunFacts } from './vm-card'
import { VmRecord, type RecordListener } from './vm-record'
import type { RunningMachine, VmRunner } from './vm-runner'

export interface VmRunsOptions {
  readonly runner: VmRunner
  readonly emit: Emit
  readonly messages: MessageLog
  /** Its files are to be looked at again: its lock, its suspended state. */
  readonly filesChanged: (id: string) => void
  /** A VM has been powered on: it is now the one used last. */
  readonly used: () => void
}

/** What has been asked for is told when it has happened. */
const SAID: Partial<Record<PowerAction, MessageId>> = { pause: 'paused', unpause: 'unpaused', reset: 'reset' }

export class VmRuns {
  private readonly records = new Map<string, VmRecord>()
  private readonly onChanged = new Set<() => void>()
  private readonly listener: RecordListener = {
    stateChanged: (record) => this.stateChanged(record),
    activity: ({ id }, devices) => this.options.emit('vm.activity', { vm: id, devices: [...devices] }),
    serialLogsChanged: ({ id }) => this.options.filesChanged(id),
    serialLogFailed: ({ id }, problem) => this.say({ id }, 'warning', 'problem', { problem }),
    serialSpeaks: ({ id }, port) => this.options.emit('vm.serial-speaks', { vm: id, port }),
    ended: (record, end) => this.ended(record, end),
  }
  private readonly names = new Map<string, string>()

  /** Those that other processes run. */
  readonly elsewhere: Elsewhere

  constructor(private readonly options: VmRunsOptions) {
    this.elsewhere = new Elsewhere((id) => options.filesChanged(id))
  }

  screenSize(id: string): { readonly width: number; readonly height: number } | undefined {
    return this.records.get(id)?.console.size
  }

  record(id: string, path: string): VmRecord {
    const known = this.records.get(id)
    if (known) {
      known.path = path
      return known
    }
    const record = new VmRecord(id, path, this.listener)
    this.records.set(id, record)
    return record
  }

  facts(id: string): RunFacts {
    return { ...this.records.get(id)?.facts, elsewhere: this.elsewhere.state(id) }
  }

  running(id: string): RunningMachine | undefined {
    return this.records.get(id)?.running
  }

  /** For thumbnails; undefined: it is not on. */
  picture(id: string): number | undefined {
    const record = this.records.get(id)
    return record?.running ? record.pictures : this.elsewhere.picture(id)
  }

  /** Ids of those that are on. */
  get on(): string[] {
    return [...this.records.values()].filter(({ isOn }) => isOn).map(({ id }) => id)
  }

  /** Called whenever the state of one has changed, or it has ended; call the result to end that. */
  whenChanged(listener: () => void): () => void {
    this.onChanged.add(listener)
    return () => void this.onChanged.delete(listener)
  }

  async power(vm: LibraryVm, action: PowerAction): Promise<Result<undefined>> {
    const { id, path, name } = vm
    this.names.set(id, name)
    const record = this.record(id, path)
    const now = powerState(vm, this.facts(id))
    const { type } = now
    if (!allowsPowerAction(now, action)) throw new IpcError('vm/bad-state', `${name} is ${type}: ${action} is not possible now`)
    if (action === 'power-on' || action === 'power-on-to-firmware') return this.powerOn(vm, record, action === 'power-on-to-firmware')
    if (type === 'in-use') return this.powerElsewhere(record, action)
    const { running } = record
    if (!running) throw new IpcError('vm/bad-state', `${name} is being started`)
    if (action === 'suspend') return this.suspend(id)
    if (!running.act(action)) throw new IpcError('vm/bad-state', `${name} is ${running.state.type}: ${action} is not possible now`)
    const said = SAID[action]
    if (said) this.say(record, 'info', said)
    return { ok: true, value: undefined }
  }

  private async powerElsewhere(record: VmRecord, action: PowerAction): Promise<Result<undefined>> {
    const done = await this.elsewhere.power(record.id, action)
    if (!done) throw new IpcError('vm/bad-state', `${action} is not possible in another process`)
    const said = SAID[action]
    if (done.ok && said) this.say(record, 'info', said)
    return done
  }

  /** Of one that is on. */
  async suspend(id: string): Promise<Result<undefined>> {
    const running = this.running(id)
    if (!running) throw new IpcError('vm/bad-state', 'it is not on')
    const suspended = await running.suspend()
    if (!suspended.ok) this.say({ id }, 'error', 'cannot-suspend', { problem: suspended.problem })
    return suspended
  }

  say(vm: { readonly id: string }, level: 'info' | 'warning' | 'error', id: MessageId, more: { readonly problem?: Problem; readonly detail?: string; readonly values?: Readonly<Record<string, string | number>> } = {}): void {
    const { problem, detail, values } = more
    const vmName = this.running(vm.id)?.name ?? this.names.get(vm.id)
    this.options.messages.add({
      level, id, vm: vm.id,
      ...(vmName === undefined ? {} : { vmName }),
      ...(problem ? { problem: problemDto(problem) } : {}),
      ...(detail === undefined ? {} : { detail }),
      ...(values ? { values: { ...values } } : {}),
    })
  }

  private async powerOn(vm: LibraryVm, record: VmRecord, toFirmware: boolean): Promise<Result<undefined>> {
    record.starting()
    this.stateChanged(record)
    let started: Result<unknown>
    try {
      started = await this.options.runner.powerOn(vm.path, (running) => record.observe(running), { toFirmware })
    } catch (error) {
      record.isStarting = false
      this.options.filesChanged(vm.id)
      throw error
    }
    record.isStarting = false
    if (started.ok) {
      this.say(record, 'info', vm.state === 'suspended' ? 'resumed' : 'powered-on')
      this.options.used()
      this.options.filesChanged(vm.id)
      return { ok: true, value: undefined }
    }
    this.say(record, 'error', 'cannot-power-on', { problem: started.problem })
    this.options.filesChanged(vm.id)
    return started
  }

  private stateChanged(record: VmRecord): void {
    const { state } = record.facts
    if (!state) return
    const { id } = record
    this.options.emit('vm.power-changed', { vm: id, power: runPowerState(state) })
    if (state.type === 'crashed') this.sayCrash(record, state.end)
    this.told()
  }

  private told(): void {
    for (const listener of [...this.onChanged]) listener()
  }

  /** false: it was no crash. One that was kept is said once, not again when it is powered off. */
  private sayCrash(record: VmRecord, end: MachineEnd): boolean {
    if (end.kind === 'unimplemented') this.say(record, 'error', 'guest-met-unknown', { values: { what: end.what } })
    else if (end.kind === 'triple-fault') this.say(record, 'error', 'guest-crashed')
    else return false
    return true
  }

  private ended(record: VmRecord, end: RunEnd): void {
    switch (end.type) {
      case 'powered-off':
        if (!this.sayCrash(record, end.end)) this.say(record, 'info', 'powered-off')
        break
      case 'suspended':
        this.say(record, 'info', 'suspended')
        break
      case 'failed': {
        const { code, message, problem } = end
        record.fail({ type: 'failed', code, message: problem ? sentence(problem) : message, log: join(record.path, 'vitrine.log') })
        this.say(record, 'error', 'failed', { detail: message, ...(problem ? { problem } : {}) })
      }
    }
    this.options.filesChanged(record.id)
    this.told()
  }
}
