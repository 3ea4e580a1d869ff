/**
 * A look into a machine, read-only: what the inspection tab shows. Made between two slices from what the parts save and route by, so that looking changes
 * nothing that the guest could see.
 */
import { modeText, registerViews, type RegisterView } from '../../cpu/vcpu-view'
import type { ControllerView } from '../../devices/controller-view'
import type { MachineParts } from '../machine-parts'
import { memoryMap, portMap, unclaimedAccesses, type RangeView } from './address-map'
import { instructionViews, type InstructionView } from './disassembly'
import { pciFunctionViews, type PciFunctionView } from './pci-view'

export interface TimerView {
  readonly name: string
  /** Nanoseconds of virtual time until it expires; undefined: it is not armed. */
  readonly inNs?: number
  /** Times that it has expired since power-on. */
  readonly fired: number
}

export interface Inspection {
  /** In words of the manual, such as "64-bit mode, CPL 3, 4-level paging". */
  readonly mode: string
  readonly halted: boolean
  readonly registers: readonly RegisterView[]
  readonly disassembly: readonly InstructionView[]
  readonly controllers: readonly ControllerView[]
  readonly pci: readonly PciFunctionView[]
  readonly memoryMap: readonly RangeView[]
  readonly portMap: readonly RangeView[]
  readonly unclaimed: readonly RangeView[]
  readonly timers: readonly TimerView[]
}

const INSTRUCTIONS = 24

export function inspectMachine(parts: MachineParts): Inspection {
  const { vcpu, board } = parts
  return {
    mode: modeText(vcpu),
    halted: vcpu.halted,
    registers: registerViews(vcpu),
    disassembly: instructionViews(vcpu, INSTRUCTIONS),
    controllers: board.controllers(),
    pci: pciFunctionViews(board.pciFunctions()),
    memoryMap: memoryMap(board),
    portMap: portMap(board),
    unclaimed: unclaimedAccesses(board),
    timers: timerViews(parts),
  }
}

/** Armed ones first, the next to expire at the top. */
function timerViews({ deadlines, clock }: MachineParts): readonly TimerView[] {
  const now = clock.now()
  const armed = new Map<string, TimerView>()
  for (const { name, deadline } of deadlines.pending()) if (!armed.has(name)) armed.set(name, { name, inNs: Math.max(0, deadline - now), fired: deadlines.expired.get(name) ?? 0 })
  const rest = [...deadlines.expired].filter(([name]) => !armed.has(name)).map(([name, fired]): TimerView => ({ name, fired }))
  return [...armed.values(), ...rest]
}
