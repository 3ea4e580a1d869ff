/** What hypercalls work on: everything that there is of the guest's domain. */
import type { GuestMemory } from '../../../memory/guest-memory'
import type { EventChannels } from '../event-channels'
import type { GrantTable } from '../grant-table'
import type { GuestFrames } from '../guest-frames'
import type { HypercallCall } from '../hypercall-call'
import type { SharedInfo } from '../shared-info'
import type { VcpuTime } from '../vcpu-time'
import type { HvmParameters } from '../hvm-parameters'

export interface E820Entry {
  readonly address: number
  readonly bytes: number
  readonly type: number
}

export interface Domain {
  readonly frames: GuestFrames
  readonly shared: SharedInfo
  readonly events: EventChannels
  readonly grants: GrantTable
  readonly time: VcpuTime
  readonly parameters: HvmParameters
  readonly memory: GuestMemory
  /** As the firmware tells it. */
  readonly memoryMap: readonly E820Entry[]
  /** 16 bytes. */
  readonly uuid: Uint8Array
  /** SCHEDOP_shutdown. */
  shutdown(reason: number): void
  /** The running slice ends: something that the guest waits for can come in. */
  leaveSlice(): void
  /** CONSOLEIO_write: the hypervisor's own console. */
  print(text: Uint8Array): void
}

/** The result in RAX, or an error by refuse(). 'block': the vCPU waits for an interrupt. */
export type Hypercall = (call: HypercallCall, domain: Domain) => bigint | number | 'block'
