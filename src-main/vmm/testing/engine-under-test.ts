/** The engine that tests of the processor run on: they say what an instruction does, whoever executes it. vitest.config.ts runs them once for each. */
import type { Engine } from '../cpu/engine'
import { InterpreterEngine } from '../cpu/engines/interpreter'
import { TranslatorEngine } from '../cpu/engines/translator'
import type { MachineCore } from '../cpu/machine-core'

/** The translator translates each block before it runs for the first time. */
export const engineUnderTest = (core: MachineCore): Engine =>
  process.env['VITRINE_TEST_ENGINE'] === 'translator' ? new TranslatorEngine(core, { synchronous: true, threshold: 1 }) : new InterpreterEngine(core)
