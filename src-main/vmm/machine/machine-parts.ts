/** What a machine is put together from (create-machine.ts): its run loop, statistics and saved state work on these. */
import type { NetBackend } from '../backends/net/net-backend'
import type { Engine } from '../cpu/engine'
import type { Vcpu } from '../cpu/vcpu'
import type { VirtioBalloon } from '../devices/virtio/balloon/balloon'
import type { HypervisorInterface } from '../paravirt/hypervisor-interface'
import type { DeadlineQueue } from '../time/deadline-queue'
import type { SliceWatch } from '../time/slice-watch'
import type { Board } from './boards/board'
import type { MachineGate } from './host-gate'
import type { KeyTypist } from './key-typist'
import type { MachineClock, Wakeable } from './machine-clock'
import type { MachineIo } from './machine-io'

export interface MachineParts {
  readonly memory: WebAssembly.Memory
  readonly engine: Engine
  readonly vcpu: Vcpu
  readonly vcpuBase: number
  readonly io: MachineIo
  readonly clock: MachineClock
  readonly deadlines: DeadlineQueue
  readonly gate: MachineGate
  readonly wakeable: Wakeable
  readonly watch: SliceWatch
  readonly board: Board
  /** Closed with the machine. */
  readonly networks: readonly NetBackend[]
  /** What guests that know of their hypervisor use. */
  readonly hypervisor: HypervisorInterface | undefined
  /** undefined: the machine has none. */
  readonly balloon: VirtioBalloon | undefined
  readonly typist: KeyTypist
  /** Brings firmware or kernel into place and the vCPU to its entry; after power-on and after every reset. */
  readonly boot: () => void
  /** Called between slices: direct boot enters its image here. */
  readonly betweenSlices: () => void
}
