/** An engine with the machine core that it runs. */
import type { Engine } from '../engine'
import { createMachineCore, type MachineCore, type MachineCoreOptions } from '../machine-core'
import { InterpreterEngine } from './interpreter'
import { createLockstep, type FollowerMemory } from './lockstep/create-lockstep'
import { TranslatorEngine, type TranslatorOptions } from './translator'

export interface EngineParts {
  readonly core: MachineCore
  readonly engine: Engine
  /** Memory that must see what the host writes, too. */
  readonly mirror?: FollowerMemory
}

export type EngineOptions = Pick<TranslatorOptions, 'threshold' | 'synchronous' | 'limits'>

export function createEngine(name: 'interpreter' | 'translator' | 'lockstep', options: MachineCoreOptions, translator: EngineOptions = {}): EngineParts {
  if (name === 'lockstep') return createLockstep(options, translator)
  const core = createMachineCore(options)
  if (name === 'interpreter') return { core, engine: new InterpreterEngine(core) }
  const directory = options.directory === undefined ? {} : { directory: options.directory }
  return { core, engine: new TranslatorEngine(core, { ...directory, ...translator }) }
}
