/** All VMs that this process runs, each with its machine in a thread of its own. */
import type { MachineConfig } from '../../machine/config'
import type { Library } from '../library/library'
import { fail, ok, problem, type Result } from '../library/problem'
import type { VmSession } from '../library/vm-session'
import type { WorkerFactory } from '../vm-host'
import { RunningVm } from './running-vm'
import type { RunObserver } from './vm-events'

export interface VmManagerOptions {
  readonly library: Library
  readonly workers: WorkerFactory
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly coreDirectory?: string
}

export class VmManager {
  private readonly vms = new Set<RunningVm>()

  constructor(private readonly options: VmManagerOptions) {}

  running(id: string): RunningVm | undefined {
    return this.all().find((vm) => vm.id === id)
  }

  all(): readonly RunningVm[] {
    return [...this.vms]
  }

  /** Locks, checks and starts (or resumes) a VM. toFirmware: into the boot menu of the built-in firmware; a suspended VM is resumed all the same. */
  async powerOn(path: string, observe: (vm: RunningVm) => RunObserver, { toFirmware = false }: { readonly toFirmware?: boolean } = {}): Promise<Result<RunningVm>> {
    const { library, ...options } = this.options
    const begun = await library.begin(path)
    if (!begun.ok) return begun
    const session = begun.value
    const machine = toFirmware && !session.suspended ? toBootMenu(session) : ok(session.machine)
    if (!machine.ok) {
      await session.end(machine.problem.message)
      return machine
    }
    const vm = new RunningVm({ ...options, session, machine: machine.value, gone: () => void this.vms.delete(vm) })
    this.vms.add(vm)
    await vm.begin(observe(vm))
    return ok(vm)
  }
}

/** A kernel that would be booted directly stays out: whoever wants the menu wants to choose. */
function toBootMenu({ machine, config }: VmSession): Result<MachineConfig> {
  if (config.hardware.firmware.kind === 'file') return fail(problem('boot-menu-with-firmware-file', {}, { key: 'hardware.firmware' }))
  const { kernel: _kernel, initrd: _initrd, linuxEntry: _entry, ...rest } = machine
  return ok({ ...rest, modules: [], append: '', bootMenu: 'once' })
}
