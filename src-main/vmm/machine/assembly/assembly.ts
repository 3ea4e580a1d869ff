/** What boards are put together from, and what comes of it (create-machine.ts). */
import type { CharBackend } from '../../backends/chardev/char-backend'
import type { MmioBus } from '../../bus/mmio-bus'
import type { PioBus } from '../../bus/pio-bus'
import type { Vcpu } from '../../cpu/vcpu'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import type { GuestMemoryImpl } from '../../memory/guest-memory-impl'
import type { VmTime } from '../../support/branded'
import type { DeadlineQueue } from '../../time/deadline-queue'
import type { Board } from '../boards/board'
import type { DriveBay } from '../boards/drive-bay'
import type { MachineConfig, MachineEnd } from '../config'
import type { MachineGate } from '../host-gate'
import type { MachineClock } from '../machine-clock'
import type { MachineIo } from '../machine-io'
import type { OpenFiles } from '../open-files'

/** Everything but the board. */
export interface BoardParts {
  readonly config: MachineConfig
  readonly files: OpenFiles
  readonly drives: DriveBay
  readonly virtio: readonly VirtioDevice[]
  readonly serial: readonly CharBackend[]
  readonly debugConsole: CharBackend
  readonly pio: PioBus
  readonly mmio: MmioBus
  readonly io: MachineIo
  readonly memory: GuestMemoryImpl
  readonly vcpu: Vcpu
  readonly clock: MachineClock
  readonly deadlines: DeadlineQueue
  readonly gate: MachineGate
  /** What the RTC shows at power-on: milliseconds since 1970. */
  readonly startEpochMs: number
  readonly tscToTime: (tsc: number) => VmTime
  /** The running slice ends at the next instruction. */
  readonly leaveSlice: () => void
  readonly requestReset: () => void
  readonly end: (end: MachineEnd) => void
}

export interface Assembly {
  readonly board: Board
  /** Brings firmware or kernel into place and the vCPU to its entry; after power-on and after every reset. */
  readonly boot: () => void
  /** Called between slices. */
  readonly betweenSlices: () => void
}
