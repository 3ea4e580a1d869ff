/** An engine with the machine core that it runs. */
import type { Engine } from '../engine'
import { createMachineCore, type MachineCore, type MachineCoreOptions } from '../machine-core'
import { InterpreterEngine } from './interpreter'
import { TranslatorEngine, type TranslatorOptions } from './translator'

export interface EngineParts {
  readonly core: MachineCore
  readonly engine: Engine
}

export type EngineOptions = Pick<TranslatorOptions, 'threshold' | 'synchronous' | 'limits'>

export function createEngine(name: 'interpreter' | 'translator', options: MachineCoreOptions, translator: EngineOptions = {}): EngineParts {
  const core = createMachineCore(options)
  if (name === 'interpreter') return { core, engine: new InterpreterEngine(core) }
  const directory = options.directory === undefined ? {} : { directory: options.directory }
  return { core, engine: new TranslatorEngine(core, { ...directory, ...translator }) }
}
