/** One VM of the library from its start to its end, in this process, with this terminal: its first serial terminal, or, with --json, a line for each event. */
import { Worker } from 'node:worker_threads'
import { crashText, VmManager, VmmError, type Library, type MachineEnd, type RunEnd, type RunningVm, type RunObserver, type RunState } from '../../vmm'
import { Terminal } from '../terminal'
import { unwrap } from './output'

const EXIT_CRASH = 3
/** A terminal and whoever started us may send a signal each for the same key. */
const SAME_REQUEST_MS = 500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class TerminalSession {
  private vm: RunningVm | undefined
  private terminal: Terminal | undefined
  private port = -1
  private askedAt = -Infinity
  private asks = 0
  private crash: MachineEnd | undefined
  private readonly ended: Promise<RunEnd>
  private end: (end: RunEnd) => void = () => undefined

  constructor(
    private readonly library: Library,
    private readonly json: boolean,
  ) {
    this.ended = new Promise((resolve) => (this.end = resolve))
  }

  /** The exit status. */
  async run(path: string): Promise<number> {
    const onSignal = (): void => this.asked()
    for (const signal of SIGNALS) process.on(signal, onSignal)
    process.stdout.on('error', onSignal) // whoever read our output has gone
    try {
      // Beside the command's own bundle.
      const manager = new VmManager({ library: this.library, workers: () => new Worker(new URL('./machine.mjs', import.meta.url)) })
      unwrap(await manager.powerOn(path, (vm) => this.observe(vm)))
      return this.report(await this.ended)
    } finally {
      for (const signal of SIGNALS) process.off(signal, onSignal)
      process.stdout.off('error', onSignal)
      this.terminal?.close()
    }
  }

  private observe(vm: RunningVm): RunObserver {
    this.vm = vm
    this.port = vm.config.hardware.serialPorts.findIndex(({ kind }) => kind === 'terminal')
    // A signal may have come while the VM was being locked and checked.
    if (this.asks > 0) setImmediate(() => this.carryOut())
    return {
      onPowerOn: () => this.openTerminal(vm),
      onState: (state) => this.became(vm, state),
      onFrame: () => vm.frameShown(),
      onSerial: (port, bytes) => this.show(vm, port, bytes),
      onActivity: () => undefined,
      onEnd: (end) => this.end(end),
    }
  }

  private openTerminal(vm: RunningVm): void {
    if (this.json || this.port < 0) return
    this.terminal ??= new Terminal({
      onBytes: (bytes) => vm.serialInput(this.port, bytes),
      onQuit: () => this.asked(),
    })
  }

  /** What the terminal does not take, the guest waits with. */
  private show(vm: RunningVm, port: number, bytes: Uint8Array): void {
    const taken = (): void => vm.serialTaken(port, bytes.length)
    if (this.json || port !== this.port) taken()
    else process.stdout.write(bytes, taken)
  }

  private before: RunState['type'] = 'starting'

  private became(vm: RunningVm, state: RunState): void {
    const { before } = this
    this.before = state.type
    if (state.type === 'running' && (before === 'starting' || before === 'crashed')) this.say(vm, 'running', {})
    if (state.type === 'crashed') this.crashed(vm, state.end)
  }

  private crashed(vm: RunningVm, end: MachineEnd): void {
    const what = crashText(end)
    this.say(vm, 'crashed', { what })
    process.stderr.write(`vitrine: ${what}\n`)
    if (vm.config.options.guestCrash !== 'keep') return
    // Nobody can look into it in a terminal: what there is to see is kept in a file.
    this.crash = end
    vm.saveState(vm.crashedStatePath).then(
      (saved) => {
        if (!saved.ok) process.stderr.write(`vitrine: ${saved.problem.message}\n`)
        vm.act('power-off')
      },
      () => vm.act('power-off'),
    )
  }

  /** The first time: what the VM's settings say; the second time: power off, whatever the guest does. */
  private asked(): void {
    const now = performance.now()
    if (now - this.askedAt < SAME_REQUEST_MS) return
    this.askedAt = now
    this.asks++
    this.carryOut()
  }

  private carryOut(): void {
    const { vm } = this
    if (!vm) return
    const { onClose } = vm.config.options
    if (this.asks > 1 || onClose === 'power-off') vm.act('power-off')
    else if (onClose === 'shut-down' && vm.act('shut-down-guest')) return
    else void this.suspend(vm)
  }

  private async suspend(vm: RunningVm): Promise<void> {
    const suspended = await vm.suspend()
    if (suspended.ok || vm.state.type === 'powering-off') return
    this.asks = 0
    process.stderr.write(`vitrine: it cannot be suspended: ${suspended.problem.message}; it goes on\n`)
  }

  private report(end: RunEnd): number {
    const { vm } = this
    if (end.type === 'failed') throw new VmmError(end.code === 'internal/bug' ? 'internal/bug' : 'config/bad-option', end.problem ? `${end.problem.message}; ${end.problem.remedy}` : end.message)
    if (this.crash) return EXIT_CRASH
    if (vm && end.type === 'powered-off' && (end.end.kind === 'triple-fault' || end.end.kind === 'unimplemented')) {
      this.crashed(vm, end.end)
      return EXIT_CRASH
    }
    if (vm) this.say(vm, end.type, {})
    return 0
  }

  private say({ id }: RunningVm, event: string, more: Readonly<Record<string, string>>): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ event, id, ...more })}\n`)
  }
}
