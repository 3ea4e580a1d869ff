/**
 * One VM's lifecycle as its users see it: which intents are allowed in which state, what the state becomes when the machine reports. A machine
 * lives in a worker thread (vm-host.ts) from power-on to its end; the controller outlives it.
 */
import type { MachineConfig, MachineEnd } from '../machine/config'
import type { RegionSnapshot } from '../cpu/engines/region-inspector'
import type { Frame, FromMachine, MachineAnswer, RegionList, ToMachine } from '../machine/protocol'
import type { MachineStats } from '../machine/stats'
import { assertNever } from '../errors/assert-never'
import { Questions } from './questions'
import { VmHost, type WorkerFactory } from './vm-host'

/** stopped -> starting -> running <-> paused,  any -> stopped,  any -> failed */
export type VmLifecycle =
  | { readonly type: 'stopped'; readonly lastEnd?: MachineEnd }
  | { readonly type: 'starting' }
  | { readonly type: 'running' }
  | { readonly type: 'paused' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

export type VmIntent = 'power-on' | 'pause' | 'resume' | 'reset' | 'shut-down-guest' | 'power-off'

const ALLOWED: Readonly<Record<VmIntent, readonly VmLifecycle['type'][]>> = {
  'power-on': ['stopped', 'failed'],
  pause: ['running'],
  resume: ['paused'],
  reset: ['running', 'paused'],
  'shut-down-guest': ['running'],
  'power-off': ['starting', 'running', 'paused'],
}

/** A machine that does not end by itself by then is ended with its thread. */
const POWER_OFF_PATIENCE_MS = 3000

export interface VmObserver {
  /** A machine was made: screen and serial output start anew. */
  onPowerOn(): void
  onState(state: VmLifecycle): void
  onFrame(frame: Frame): void
  onSerial(bytes: Uint8Array): void
}

/** What the controller needs of VmHost; tests bring their own. */
export interface VmThread {
  send(message: ToMachine): void
  terminate(): Promise<void>
}

export interface VmControllerOptions {
  readonly config: MachineConfig
  readonly observer: VmObserver
  readonly start: (listener: (message: FromMachine) => void) => VmThread
}

export class VmController {
  private current: VmLifecycle = { type: 'stopped' }
  private thread: VmThread | undefined
  /** Of machines: counts up whenever one starts or is given up. */
  private generation = 0
  private patience: NodeJS.Timeout | undefined
  private readonly questions = new Questions()

  constructor(private readonly options: VmControllerOptions) {}

  static withWorkers(config: MachineConfig, observer: VmObserver, factory: WorkerFactory, coreDirectory?: string): VmController {
    return new VmController({ config, observer, start: (listener) => new VmHost(factory, config, listener, coreDirectory) })
  }

  get state(): VmLifecycle {
    return this.current
  }

  get config(): MachineConfig {
    return this.options.config
  }

  /** false: not allowed in this state. */
  act(intent: VmIntent): boolean {
    if (!ALLOWED[intent].includes(this.current.type)) return false
    switch (intent) {
      case 'power-on':
        this.powerOn()
        return true
      case 'shut-down-guest':
        this.send({ kind: 'power-button' })
        return true
      case 'power-off':
        this.powerOff()
        return true
      case 'pause':
      case 'resume':
      case 'reset':
        this.send({ kind: intent })
        return true
      default:
        return assertNever(intent)
    }
  }

  /** Input and acknowledgements; without a machine they go nowhere. */
  send(message: ToMachine): void {
    this.thread?.send(message)
  }

  async stats(): Promise<MachineStats | undefined> {
    const answer = await this.ask((question) => ({ kind: 'stats', question }))
    return answer?.kind === 'stats' ? answer.stats : undefined
  }

  /** The hottest regions of translated code. */
  async regions(count: number): Promise<RegionList | undefined> {
    const answer = await this.ask((question) => ({ kind: 'regions', question, count }))
    return answer?.kind === 'regions' ? answer.list : undefined
  }

  async region(id: number): Promise<RegionSnapshot | undefined> {
    const answer = await this.ask((question) => ({ kind: 'region', question, id }))
    return answer?.kind === 'region' ? answer.region : undefined
  }

  /** undefined: there is no machine, or it does not answer. */
  private async ask(message: (question: number) => ToMachine): Promise<MachineAnswer | undefined> {
    if (!this.thread || this.current.type === 'starting') return undefined
    return this.questions.ask<MachineAnswer>((question) => this.send(message(question)))
  }

  /** Ends the machine at once, whatever it does. */
  async terminate(): Promise<void> {
    const thread = this.thread
    this.forget()
    await thread?.terminate()
  }

  private powerOn(): void {
    this.become({ type: 'starting' })
    this.options.observer.onPowerOn()
    const generation = ++this.generation
    // What a machine that has been given up still says is not heard.
    this.thread = this.options.start((message) => {
      if (generation === this.generation) this.heard(message)
    })
  }

  private powerOff(): void {
    this.send({ kind: 'power-off' })
    this.patience ??= setTimeout(() => {
      this.terminate().then(
        () => this.become({ type: 'stopped', lastEnd: { kind: 'power-off' } }),
        () => undefined,
      )
    }, POWER_OFF_PATIENCE_MS)
  }

  private heard(message: FromMachine): void {
    const { observer } = this.options
    switch (message.kind) {
      case 'state':
        return this.become({ type: message.state })
      case 'frame':
        return observer.onFrame(message.frame)
      case 'serial':
        return observer.onSerial(message.bytes)
      case 'answer':
        return this.questions.answer(message.question, message.answer)
      case 'ended':
        this.forget()
        return this.become({ type: 'stopped', lastEnd: message.end })
      case 'failed':
        this.forget()
        return this.become({ type: 'failed', code: message.code, message: message.message })
      default:
        return assertNever(message)
    }
  }

  private forget(): void {
    clearTimeout(this.patience)
    this.patience = undefined
    this.thread = undefined
    this.generation++
    this.questions.giveUp()
  }

  private become(state: VmLifecycle): void {
    this.current = state
    this.options.observer.onState(state)
  }
}
