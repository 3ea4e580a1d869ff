/** What a machine counted, as plain data for --stats and the inspector. */
import type { TranslationStats } from '../cpu/engines/translation-stats'
import type { BalloonFigures } from '../devices/virtio/balloon/balloon'
import type { HypervisorFigures } from '../paravirt/hypervisor-interface'
import type { MachineParts } from './machine-parts'
import type { DriveFigures } from './metered-drive'

export interface MachineStats {
  readonly engine: string
  readonly instructions: number
  readonly virtualSeconds: number
  readonly slices: number
  readonly halts: number
  readonly resets: number
  readonly exits: Readonly<Record<string, number>>
  /** Delivered vectors, e.g. { "0x20": 1234 }. */
  readonly interrupts: Readonly<Record<string, number>>
  readonly unclaimed: readonly { readonly bus: 'pio' | 'mmio'; readonly place: string; readonly reads: number; readonly writes: number }[]
  readonly unknownOpcodes: Readonly<Record<string, number>>
  /** Guest RAM that has been written to since power-on, and all of it. */
  readonly memory: { readonly touchedBytes: number; readonly bytes: number }
  /** Of a machine that has one. */
  readonly balloon?: BalloonFigures
  /** Traffic of each drive. */
  readonly disks: readonly DriveFigures[]
  /** Expired deadlines, by the timer's name. */
  readonly timers: Readonly<Record<string, number>>
  /** What the guest uses of its hypervisor's interface, if there is one. */
  readonly hypervisor?: HypervisorFigures
  /** Of an engine that translates. */
  readonly translation?: TranslationStats
}

/** With what its thread costs the host. */
export interface ThreadStats extends MachineStats {
  /** Of the host's clock, since power-on (or resume). */
  readonly uptimeSeconds: number
  /** That the thread has run on a host CPU; undefined: this host does not tell. */
  readonly hostCpuSeconds?: number
}

/** Counted by the loop itself. */
export interface LoopCounters {
  readonly retired: number
  readonly slices: number
  readonly halts: number
  readonly resets: number
}

const hex = (n: number): string => `0x${n.toString(16)}`

export function machineStats({ engine, io, clock, board, deadlines, hypervisor, balloon }: MachineParts, counters: LoopCounters): MachineStats {
  const interrupts: Record<string, number> = {}
  io.vectors.forEach((count, vector) => {
    if (count > 0) interrupts[hex(vector)] = count
  })
  const { retired, ...loop } = counters
  const translation = engine.translationStats?.()
  return {
    engine: engine.name,
    instructions: retired,
    virtualSeconds: clock.now() / 1e9,
    ...loop,
    exits: { ...io.counters },
    interrupts,
    unclaimed: [
      ...board.pio.unclaimed.list().map((count) => ({ bus: 'pio' as const, place: hex(count.place), reads: count.reads, writes: count.writes })),
      ...board.mmio.unclaimed.list().map((count) => ({ bus: 'mmio' as const, place: hex(count.place), reads: count.reads, writes: count.writes })),
    ],
    memory: board.memoryUse(),
    ...(balloon === undefined ? {} : { balloon: balloon.figures }),
    disks: board.driveFigures(),
    timers: Object.fromEntries(deadlines.expired),
    unknownOpcodes: Object.fromEntries([...io.unknownOpcodes].map(([opcode, count]) => [hex(opcode), count])),
    ...(hypervisor === undefined ? {} : { hypervisor: hypervisor.figures() }),
    ...(translation === undefined ? {} : { translation }),
  }
}
