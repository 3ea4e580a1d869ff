/** The hypervisor's interface that a machine's guest finds, and how vCPUs reach it. */
import type { CpuidEntry } from '../cpu/cpuid'
import type { Vcpu } from '../cpu/vcpu'
import type { GuestMemory } from '../memory/guest-memory'
import type { HypervisorInterface } from '../paravirt/hypervisor-interface'
import { Kvm } from '../paravirt/kvm/kvm'
import { Vmware } from '../paravirt/vmware/vmware'
import { signatureLeaf } from '../paravirt/signature-leaf'
import { XEN_BLOCK_BYTES } from '../paravirt/xen/xen-interface'
import type { TimerService } from '../time/clock'
import type { Board } from './boards/board'
import type { MachineConfig, MachineEnd, ParavirtInterface } from './config'
import type { ProcessorBus } from './machine-io'
import { createXen, type XenParts } from './xen-machine'

/** What CPUID tells of us when we offer nothing behind it. */
const OWN_SIGNATURE = 'VitrineVitri'

/** A microvm lacks what other guests measure time by: its guests find KVM's interface unless something else is said. */
export function paravirtOf({ paravirt, board }: Pick<MachineConfig, 'paravirt' | 'board'>): ParavirtInterface {
  return paravirt ?? (board === 'microvm' ? 'kvm' : 'minimal')
}

/** undefined: there is nothing behind the CPUID leaves. */
export function createHypervisor(config: MachineConfig, parts: XenParts): HypervisorInterface | undefined {
  const kind = paravirtOf(config)
  switch (kind) {
    case 'none':
    case 'minimal':
      return undefined
    case 'kvm':
      return new Kvm(config.paravirtDisabled)
    case 'xen':
      return createXen(config, parts)
    case 'vmware':
      return new Vmware(config.paravirtDisabled)
  }
}

/** The leaves 4000_0000h and up; [] hides that there is a hypervisor. */
export function hypervisorLeaves(config: MachineConfig, hypervisor: HypervisorInterface | undefined): readonly CpuidEntry[] {
  if (hypervisor) return hypervisor.leaves
  return paravirtOf(config) === 'none' ? [] : [signatureLeaf(OWN_SIGNATURE, 0x40000000)]
}

/** Memory that the interface needs of the machine, beyond RAM and the board's. */
export function hypervisorBytes(config: MachineConfig): number {
  return paravirtOf(config) === 'xen' ? XEN_BLOCK_BYTES : 0
}

export interface HypervisorConnections {
  readonly board: Board
  readonly memory: GuestMemory
  readonly vcpu: Vcpu
  readonly time: TimerService
  readonly epochMs: () => number
  readonly stolenNs: () => number
  readonly leaveSlice: () => void
  readonly requestReset: () => void
  readonly end: (end: MachineEnd) => void
}

/** Makes the interface a part of the board. What comes back is what vCPUs go through from now on. */
export function connectHypervisor(hypervisor: HypervisorInterface | undefined, { board, vcpu, ...parts }: HypervisorConnections): ProcessorBus {
  const { processorBus } = board
  if (hypervisor === undefined) return processorBus
  board.add(hypervisor)
  hypervisor.connect({
    memory: parts.memory,
    time: parts.time,
    epochMs: parts.epochMs,
    stolenNs: parts.stolenNs,
    processor: () => vcpu,
    interrupt: (_processor, vector) => processorBus.interrupt(vector),
    setEoiShortcut: (_processor, shortcut) => processorBus.setEoiShortcut(shortcut),
    setDirectInterrupt: (_processor, vector) => processorBus.setDirectInterrupt(vector),
    directInterruptChanged: () => processorBus.directInterruptChanged(),
    leaveSlice: parts.leaveSlice,
    requestReset: parts.requestReset,
    powerOff: () => parts.end({ kind: 'power-off' }),
  })
  return {
    ...processorBus,
    readMsr: (index) => hypervisor.readMsr(0, index) ?? processorBus.readMsr(index),
    writeMsr: (index, low, high) => hypervisor.writeMsr(0, index, low, high) ?? processorBus.writeMsr(index, low, high),
    hypercall: (processor) => hypervisor.hypercall(processor),
  }
}
