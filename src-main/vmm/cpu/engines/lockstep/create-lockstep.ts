/** The two cores of a lockstep machine; to everyone else they look like one. */
import type { Engine } from '../../engine'
import { createMachineCore, type MachineCore, type MachineCoreOptions } from '../../machine-core'
import type { TranslatorOptions } from '../translator'
import { IoQueue, recordingIo, repeatingIo } from './io-queue'
import { LockstepEngine } from './lockstep'

/** What the machine's memory must tell: what is written to the leader by others than its vCPU. */
export interface FollowerMemory {
  readonly memory: WebAssembly.Memory
  /** Does something to the follower, at the instruction at which the leader is now. */
  effect(apply: () => void): void
  /** Decoded code of the follower is stale. */
  dropCode(gpa: number, bytes: number): void
}

export interface LockstepParts {
  readonly core: MachineCore
  readonly engine: Engine
  readonly mirror: FollowerMemory
}

/** Functions of the core by which the host changes what the vCPU has cached. */
const MIRRORED: ReadonlySet<string> = new Set(['reset_tlb', 'flush_write_tlb', 'flush_code', 'invalidate_code_range', 'set_a20'])

export function createLockstep(options: MachineCoreOptions, translator: TranslatorOptions): LockstepParts {
  const queue = new IoQueue()
  const made: { engine?: LockstepEngine } = {}
  const leader = createMachineCore({ ...options, io: recordingIo(options.io, queue, (ask) => (made.engine === undefined ? ask() : made.engine.around(ask))) })
  const follower = createMachineCore({ ...options, io: repeatingIo(queue) })
  const engine = new LockstepEngine(leader, follower, queue, options.ramBytes, translator)
  made.engine = engine
  const core: MachineCore = {
    ...leader,
    core: (name) => {
      const fn = leader.core(name)
      if (!MIRRORED.has(name)) return fn
      return (...args) => {
        const result = fn(...args)
        queue.effect(() => void follower.core(name)(...args))
        return result
      }
    },
  }
  const mirror: FollowerMemory = {
    memory: follower.memory,
    effect: (apply) => queue.effect(apply),
    dropCode: (gpa, bytes) => void follower.core('invalidate_code_range')(gpa, bytes),
  }
  return { core, engine, mirror }
}
