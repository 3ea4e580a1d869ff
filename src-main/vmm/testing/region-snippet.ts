/** The region of a few instructions, as the translator plans it after they have run once: for golden files and looking into. */
import { HelperImports } from '../cpu/emit/helper-imports'
import { helperTable } from '../cpu/helpers/index'
import * as L from '../cpu/layout'
import { emitRegion } from '../cpu/translator/emit-region'
import { planRegion } from '../cpu/translator/plan-region'
import type { RegionPlan } from '../cpu/translator/region-plan'
import { encodeModule } from '../cpu/wasm/emit'
import { print, verify } from '../cpu/wasm/ir'
import { CODE_ADDRESS, SnippetMachine } from './snippet-machine'
import type { CodeMode, RegisterName } from './snippet-machine'

export interface TranslatedSnippet {
  readonly plan: RegionPlan
  /** Where the code lies. */
  readonly address: number
  /** Text of the IR. */
  readonly ir: string
  /** A module with the region as its one function. */
  readonly wasm: Uint8Array<ArrayBuffer>
}

/** Runs the code (a HLT follows it) in the interpreter and translates what it has decoded. */
export const translateSnippet = (mode: CodeMode, code: readonly number[], registers: Partial<Record<RegisterName, number | bigint>> = {}): TranslatedSnippet => {
  const m = new SnippetMachine(mode)
  for (const [name, value] of Object.entries(registers)) m.set(name as RegisterName, value)
  m.runSnippet(code)
  const header = m.machine.core('code_block')(CODE_ADDRESS, m.state32(L.CODE_KEY)) >>> 0
  const plan = header === 0 ? undefined : planRegion(new DataView(m.machine.memory.buffer), header)
  if (plan === undefined) throw new Error('the snippet cannot be translated')
  const helpers = new HelperImports(helperTable, new Set(Object.keys(m.machine.coreExports)))
  const fn = emitRegion('region', plan, helpers)
  verify(fn)
  return { plan, address: CODE_ADDRESS, ir: print(fn), wasm: encodeModule({ imports: helpers.imports, functions: [fn], exports: [fn], names: true }) }
}
