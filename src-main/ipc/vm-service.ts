/** The VMs behind the contract: handlers, state and streams of the one VM that there is, for now. Knows no Electron. */
import { VmController, reportRegion, type MachineConfig, type MachineEnd, type MachineStats, type RegionSnapshot, type RegionSummary as VmmRegionSummary, type TranslationStats, type VmIntent, type VmLifecycle, type WorkerFactory } from '../vmm'
import { IpcError, type ConsoleDown, type EndCause, type EventPayload, type RegionDescription, type RegionSummary, type SerialDown, type StreamName, type VmDescription, type VmState, type VmStats } from './contract'
import { ConsoleStream, SerialStream, type StreamPort } from './ports'
import type { Handlers } from './server'

export interface VmServiceOptions {
  readonly id: string
  readonly name: string
  readonly boots: string
  readonly config: MachineConfig
  readonly workers: WorkerFactory
  readonly stateChanged: (event: EventPayload<'vm.state-changed'>) => void
  /** Opens a port to the window. */
  readonly openPort: <Down extends ConsoleDown | SerialDown>(stream: StreamName) => StreamPort<Down>
  readonly setInputGrabbed: (grabbed: boolean) => void
}

export class VmService {
  readonly controller: VmController
  readonly handlers: Handlers
  private readonly console: ConsoleStream
  private readonly serial: SerialStream

  constructor(private readonly options: VmServiceOptions) {
    const { config, workers, openPort } = options
    this.console = new ConsoleStream({
      frameShown: () => this.controller.send({ kind: 'frame-shown' }),
      key: (code, pressed) => this.controller.send({ kind: 'key', code, pressed }),
      mouse: (dx, dy, dz, buttons) => this.controller.send({ kind: 'mouse', dx, dy, dz, buttons }),
    })
    this.serial = new SerialStream({
      serial: (bytes) => this.controller.send({ kind: 'serial', bytes }),
      taken: (bytes) => this.controller.send({ kind: 'serial-taken', bytes }),
    })
    this.controller = VmController.withWorkers(
      config,
      {
        onPowerOn: () => {
          this.console.restart()
          this.serial.restart()
        },
        onState: (state) => options.stateChanged({ vm: options.id, state: stateDto(state) }),
        onFrame: (frame) => this.console.push(frame),
        onSerial: (bytes) => this.serial.push(bytes),
      },
      workers,
    )
    const act = (intent: VmIntent) => (input: { vm: string }) => this.act(input.vm, intent)
    this.handlers = {
      'vm.describe': () => [this.describe()],
      'vm.power-on': act('power-on'),
      'vm.pause': act('pause'),
      'vm.resume': act('resume'),
      'vm.reset': act('reset'),
      'vm.shut-down-guest': act('shut-down-guest'),
      'vm.power-off': act('power-off'),
      'vm.stats': async ({ vm }) => {
        this.check(vm)
        const stats = await this.controller.stats()
        return stats && statsDto(stats)
      },
      'vm.regions': async ({ vm, count }) => {
        this.check(vm)
        const list = await this.controller.regions(count)
        return list && { engine: list.engine, ...(list.regions && { regions: list.regions.map(regionDto) }) }
      },
      'vm.region': async ({ vm, id }) => {
        this.check(vm)
        const region = await this.controller.region(id)
        return region && describeRegion(region)
      },
      'console.open': ({ vm }) => {
        this.check(vm)
        this.console.connect(openPort<ConsoleDown>('console'))
      },
      'serial.open': ({ vm }) => {
        this.check(vm)
        this.serial.connect(openPort<SerialDown>('serial'))
      },
      'window.set-input-grabbed': ({ grabbed }) => {
        options.setInputGrabbed(grabbed)
      },
    }
  }

  private act(vm: string, intent: VmIntent): undefined {
    this.check(vm)
    if (!this.controller.act(intent)) throw new IpcError('vm/bad-state', `${this.options.name} is ${this.controller.state.type}: ${intent.replaceAll('-', ' ')} is not possible now`)
  }

  private check(vm: string): void {
    if (vm !== this.options.id) throw new IpcError('vm/not-found', `there is no VM ${vm}`)
  }

  private describe(): VmDescription {
    const { id, name, boots, config } = this.options
    return { id, name, boots, engine: config.engine, memoryMiB: config.memoryMiB, state: stateDto(this.controller.state) }
  }
}

function stateDto(state: VmLifecycle): VmState {
  if (state.type !== 'stopped') return state
  const lastEnd = state.lastEnd && endDto(state.lastEnd)
  return lastEnd ? { type: 'stopped', lastEnd } : { type: 'stopped' }
}

function endDto(end: MachineEnd): EndCause {
  switch (end.kind) {
    case 'debug-exit':
      return { cause: 'debug-exit', status: end.status }
    case 'triple-fault':
      return { cause: 'triple-fault', dump: end.dump }
    case 'unimplemented':
      return { cause: 'unimplemented', what: end.what, dump: end.dump }
    case 'power-off':
    case 'stopped':
    case 'stop-at':
      return { cause: 'power-off' }
  }
}

function statsDto(stats: MachineStats): VmStats {
  return {
    engine: stats.engine,
    instructions: stats.instructions,
    virtualSeconds: stats.virtualSeconds,
    halts: stats.halts,
    exits: stats.exits,
    unclaimedAccesses: stats.unclaimed.reduce((sum, { reads, writes }) => sum + reads + writes, 0),
    unknownOpcodes: Object.values(stats.unknownOpcodes).reduce((sum, count) => sum + count, 0),
    ...(stats.translation && { translation: translationDto(stats.translation) }),
  }
}

function translationDto({ regionsCached, wasmBytes, regionsTranslated, failures, latestFailure, milliseconds }: TranslationStats): VmStats['translation'] {
  const { plan, emit, encode, compile, instantiate, link, longestPause } = milliseconds
  const times = { vmThreadMs: plan + instantiate + link, compileThreadMs: emit + encode + compile, longestPauseMs: longestPause }
  return { regions: regionsCached, wasmBytes, translated: regionsTranslated, ...times, failures, latestFailure }
}

function regionDto({ id, address, codeBits, flat, hot, instructions, blocks, entries, codeBytes, wasmBytes, runs, linked }: VmmRegionSummary): RegionSummary {
  return { id, address, codeBits, flat, hot, instructions, blocks, entries, codeBytes, wasmBytes, runs, linked }
}

/** Emitted anew from its snapshot in this thread: the VM's own goes on. */
async function describeRegion(region: RegionSnapshot): Promise<RegionDescription> {
  const { x86, passes, wasmText, wasm, steps } = await reportRegion(region)
  return { ...regionDto(region), x86: x86.join('\n'), passes: [...passes], wasmText, moduleBytes: wasm.length, steps: [...steps] }
}
