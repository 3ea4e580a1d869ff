/** The services with a library in a folder of their own, a desktop that answers what the test says, and VMs that only say that they run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Library, type Result, type RunEnd, type RunObserver, type RunState, type VmJson } from '../vmm'
import { VmFolder } from '../vmm/manager/library/vm-folder'
import { events, requests, type EventName, type EventPayload, type LogMessage, type Reply, type RequestInput, type RequestName, type RequestOutput } from './contract'
import type { Desktop } from './desktop'
import type { StreamPort } from './ports'
import { serveRequests, type Sender, type ServerTransport, type WindowId } from './server'
import { Services } from './services'
import type { RunningMachine, VmRunner } from './vm-runner'

export const WINDOW = 1

/** A VM that runs in words only. What was asked of it is in `asked`. */
export class FakeVm implements RunningMachine {
  state: RunState = { type: 'starting', resuming: false }
  readonly asked: unknown[][] = []
  text: string[] | undefined = ['C:\\>']
  refuses: Result<undefined> = { ok: true, value: undefined }
  observer!: RunObserver // set by whoever starts it

  constructor(
    readonly path: string,
    public config: VmJson,
  ) {}

  get id(): string {
    return this.config.id
  }

  get name(): string {
    return this.config.name
  }

  become(state: RunState): void {
    this.state = state
    this.observer.onState(state)
  }

  end(end: RunEnd): void {
    this.observer.onEnd(end)
  }

  act(action: string): boolean {
    this.asked.push(['act', action])
    if (action === 'pause') this.become({ type: 'paused' })
    if (action === 'unpause') this.become({ type: 'running' })
    if (action === 'power-off') {
      this.become({ type: 'powering-off' })
      this.end({ type: 'powered-off', end: { kind: 'stopped' } })
    }
    return true
  }

  async suspend(): Promise<Result<undefined>> {
    this.asked.push(['suspend'])
    if (this.refuses.ok) this.end({ type: 'suspended' })
    return this.refuses
  }

  key = (...input: unknown[]): void => void this.asked.push(['key', ...input])
  mouse = (...input: unknown[]): void => void this.asked.push(['mouse', ...input])
  frameShown = (): void => void this.asked.push(['frameShown'])
  serialInput = (...input: unknown[]): void => void this.asked.push(['serialInput', ...input])
  serialTaken = (...input: unknown[]): void => void this.asked.push(['serialTaken', ...input])
  serialBreak = (...input: unknown[]): void => void this.asked.push(['serialBreak', ...input])
  sendKeys = (chord: string): boolean => chord.startsWith('ctrl')
  typeText = async (text: string): Promise<{ skipped: number }> => ({ skipped: text.length - 3 })
  screenshot = async (): Promise<Uint8Array | undefined> => Uint8Array.of(0x89, 0x50)
  screenText = async (): Promise<readonly string[] | undefined> => this.text
  setCdrom = async (index: number, { file, connected }: { readonly file?: string | undefined; readonly connected: boolean }): Promise<Result<undefined>> => {
    this.asked.push(['setCdrom', index, file, connected])
    if (this.refuses.ok) this.config = { ...this.config, hardware: { ...this.config.hardware, cdroms: this.config.hardware.cdroms.map((drive, i) => (i === index ? { file, connected } : drive)) } }
    return this.refuses
  }
  stats = async (): Promise<undefined> => undefined
  regions = async (): Promise<undefined> => undefined
  region = async (): Promise<undefined> => undefined
  inspect = async (): Promise<undefined> => undefined
  deviceStates = async (): Promise<undefined> => undefined
}

export interface Told {
  readonly window: WindowId | 'all'
  readonly name: EventName
  readonly payload: unknown
}

export interface Fixture {
  readonly folder: string
  readonly library: Library
  readonly services: Services
  readonly told: Told[]
  /** What the desktop was asked for. */
  readonly desktop: { readonly asked: unknown[][]; chosen: string | undefined }
  /** Ports that were opened, by number. */
  readonly ports: Map<number, FakePort>
  /** Refuses the next start. */
  refuse: Result<never> | undefined
  ended: string[]
  ask<N extends RequestName>(name: N, ...payload: undefined extends RequestInput<N> ? [] : [RequestInput<N>]): Promise<RequestOutput<N>>
  /** Whatever the reply is. */
  askRaw(name: RequestName, payload?: unknown, sender?: Sender): Promise<Reply<unknown>>
  vm(id: string): FakeVm
  told1<N extends EventName>(name: N): EventPayload<N>[]
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

export class FakePort implements StreamPort<unknown> {
  readonly posted: unknown[] = []
  closed = false
  private listener: (message: unknown) => void = () => undefined
  private closing: () => void = () => undefined

  post(message: unknown): void {
    this.posted.push(message)
  }

  onMessage(listener: (message: unknown) => void): void {
    this.listener = listener
  }

  onClose(listener: () => void): void {
    this.closing = listener
  }

  say(message: unknown): void {
    this.listener(message)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.closing()
  }
}

export async function makeFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'vitrine-services-'))
  const library = new Library({ program: 'Vitrine test', paths: { inventory: join(folder, 'inventory.json'), location: join(folder, 'VMs') } })
  const told: Told[] = []
  const ports = new Map<number, FakePort>()
  const answers = new Map<RequestName, (sender: Sender, payload: unknown) => Promise<Reply<unknown>>>()
  const machines = new Map<string, FakeVm>()
  const desktop = { asked: [] as unknown[][], chosen: undefined as string | undefined }
  const ended: string[] = []
  const tell = (window: WindowId | 'all', name: EventName, payload: unknown): void => {
    const parsed = events[name].safeParse(payload)
    if (!parsed.success) throw new Error(`${name}: ${parsed.error.message}`)
    told.push({ window, name, payload: parsed.data })
  }
  const transport: ServerTransport = {
    handle: (name, answer) => void answers.set(name, answer),
    emit: (name, payload) => tell('all', name, payload),
    emitTo: (window, name, payload) => tell(window, name, payload),
    openPort: (_window, _stream, number) => {
      const port = new FakePort()
      ports.set(number, port)
      return port
    },
  }
  const runner: VmRunner = {
    powerOn: async (path, observe) => {
      if (fixture.refuse) return fixture.refuse
      const read = await new VmFolder(path).read()
      if (!read.ok) return read
      const vm = new FakeVm(path, read.value.config)
      machines.set(vm.id, vm)
      vm.observer = observe(vm)
      vm.observer.onPowerOn()
      vm.become({ type: 'running' })
      return { ok: true, value: vm }
    },
  }
  const services = new Services({ library, runner, desktop: fakeDesktop(desktop), transport, folder: join(folder, 'app'), onMessage: () => undefined, closeWindows: () => void ended.push('windows'), end: () => void ended.push('app') })
  serveRequests(transport, (url) => url === 'vitrine://app/index.html', services.handlers)
  await services.start()

  const askRaw: Fixture['askRaw'] = async (name, payload, sender = { url: 'vitrine://app/index.html', window: WINDOW }) => {
    const answer = answers.get(name)
    if (!answer) throw new Error(`${name} is not served`)
    return answer(sender, payload)
  }
  const fixture: Fixture = {
    folder, library, services, told, desktop, ports, ended,
    refuse: undefined,
    askRaw,
    ask: async (name, ...payload) => {
      const reply = await askRaw(name, payload[0])
      if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`)
      // What is answered is what the contract says, without more.
      return requests[name].out.parse(reply.value) as RequestOutput<typeof name>
    },
    vm: (id) => {
      const vm = machines.get(id)
      if (!vm) throw new Error(`${id} does not run`)
      return vm
    },
    told1: <N extends EventName>(name: N) => told.filter((event) => event.name === name).map(({ payload }) => payload as EventPayload<N>),
    until: async (condition) => {
      for (let turn = 0; !condition(); turn++) {
        if (turn > 300) throw new Error('waited in vain')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    close: async () => {
      services.close()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await rm(folder, { recursive: true, force: true })
    },
  }
  return fixture
}

function fakeDesktop(state: { readonly asked: unknown[][]; readonly chosen: string | undefined }): Desktop {
  const note = (...what: unknown[]): void => void state.asked.push(what)
  return {
    describe: () => ({ version: '0', electron: '0', chrome: '0', node: '0', v8: '0', platform: 'test', locale: 'en' }),
    choose: async (window, purpose, suggested) => {
      note('choose', window, purpose, suggested)
      return state.chosen
    },
    showFolder: (path) => note('showFolder', path),
    readClipboardText: async () => 'x'.repeat(100_000),
    writeClipboardImage: async (png) => note('writeClipboardImage', png.length),
    wantedVm: () => undefined,
    newWindow: () => note('newWindow'),
    closeWindow: (window) => note('closeWindow', window),
    setInputGrabbed: (window, grabbed) => note('setInputGrabbed', window, grabbed),
    setFullScreen: (window, on) => note('setFullScreen', window, on),
    growWindow: (window, width, height) => note('growWindow', window, width, height),
    setTheme: (theme) => note('setTheme', theme),
  }
}

/** Of the message log. */
export function idsOf(messages: readonly LogMessage[]): readonly string[] {
  return messages.map(({ id }) => id)
}
