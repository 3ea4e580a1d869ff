/** A VM as the window lists it: what the library knows of its files and, if this process runs it, what it is doing. */
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { LibraryVm, MachineEnd, RunState, SerialPortJson } from '../vmm'
import type { DeviceSummary, EndCause, PowerState, RunStateType, VmCard } from './contract'
import { problemDto } from './problem-dto'

/** What this process knows of a VM besides its files. */
export interface RunFacts {
  /** It runs here, now. */
  readonly state?: RunState | undefined
  readonly lastEnd?: MachineEnd | undefined
  readonly failure?: Extract<PowerState, { type: 'failed' }> | undefined
  /** What it is doing in another process that holds it. */
  readonly elsewhere?: RunStateType | undefined
  /** Files into which serial output goes too, by port. */
  readonly serialLogs?: ReadonlyMap<number, string> | undefined
}

export function vmCard(vm: LibraryVm, devices: readonly DeviceSummary[], facts: RunFacts, temporary: boolean): VmCard {
  const { id, name, path, favourite, folder, config } = vm
  return {
    id, name, path, favourite, temporary,
    ...(folder === undefined ? {} : { folder }),
    power: powerState(vm, facts),
    problems: vm.problems.map(problemDto),
    description: config?.description ?? '',
    guest: config?.guest ?? { family: 'other', system: '' },
    engine: config?.hardware.engine ?? '',
    firmware: config?.hardware.firmware.kind === 'file' ? config.hardware.firmware.file : 'builtin',
    ...(config?.hardware.boot.kernel ? { kernel: config.hardware.boot.kernel.file } : {}),
    devices: devices.map((device) => withLog(device, facts)),
    powerControls: config?.options.power ?? { powerOff: 'hard', reset: 'hard' },
    onClose: config?.options.onClose ?? 'ask',
    paste: config?.options.isolation.paste ?? false,
  }
}

function withLog(device: DeviceSummary, { serialLogs }: RunFacts): DeviceSummary {
  const log = device.kind === 'serial-port' ? serialLogs?.get(device.index) : undefined
  return log === undefined || device.kind !== 'serial-port' ? device : { ...device, log }
}

export function powerState(vm: LibraryVm, { state, lastEnd, failure, elsewhere }: RunFacts): PowerState {
  if (state) return runPowerState(state)
  if (vm.state === 'in-use' && vm.holder) {
    // Ours, and not running (yet, or any more): its files are being opened or closed.
    if (vm.holder.pid === process.pid) return { type: 'starting', resuming: false }
    const { program, pid, host } = vm.holder
    return { type: 'in-use', program, pid, host, ...(elsewhere === undefined ? {} : { state: elsewhere }) }
  }
  if (failure) return failure
  if (vm.state === 'suspended') return { type: 'suspended', ...(vm.suspendedAt === undefined ? {} : { at: vm.suspendedAt }) }
  return { type: 'powered-off', ...(lastEnd ? { lastEnd: endCause(lastEnd) } : {}) }
}

/** Of one that runs in this process: nothing else counts then. */
export function runPowerState(state: RunState): PowerState {
  if (state.type === 'crashed') return { type: 'crashed', end: endCause(state.end) }
  if (state.type === 'suspending') return { type: 'suspending', ...(state.progress ? { progress: { ...state.progress } } : {}) }
  return state
}

export function endCause(end: MachineEnd): EndCause {
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

/** One line a device, in the order of the settings dialog. */
export async function deviceSummaries({ config, path: folder }: LibraryVm): Promise<readonly DeviceSummary[]> {
  if (!config) return []
  const { hardware } = config
  const sizes = await Promise.all(hardware.disks.map(({ file }) => stat(resolve(folder, file)).then(({ size }) => size, () => undefined)))
  return [
    { kind: 'memory', mebibytes: hardware.memoryMiB },
    { kind: 'processors', count: hardware.processors.count },
    ...hardware.disks.map(({ file, readOnly }, index): DeviceSummary => {
      const bytes = sizes[index]
      return { kind: 'disk', index, file: basename(file), readOnly, ...(bytes === undefined ? {} : { bytes }) }
    }),
    ...(hardware.demoDisk ? [{ kind: 'demo-disk' } as const] : []),
    ...hardware.cdroms.map(({ file, connected }, index): DeviceSummary => ({ kind: 'cdrom', index, connected, ...(file === undefined ? {} : { file: basename(file) }) })),
    ...hardware.serialPorts.map((port, index): DeviceSummary => ({ kind: 'serial-port', index, to: port.kind, detail: serialDetail(port) })),
    { kind: 'display', videoMemoryMiB: hardware.display.videoMemoryMiB },
  ]
}

function serialDetail(port: SerialPortJson): string {
  switch (port.kind) {
    case 'file':
      return basename(port.file)
    case 'tcp':
      return `${port.protocol === 'telnet' ? 'telnet' : 'tcp'}://127.0.0.1:${port.port}`
    case 'terminal':
    case 'none':
      return ''
  }
}
