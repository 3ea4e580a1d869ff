/** Builds the interpreter: one handler for each form, from its operation's meaning, and the run loop over them and over translated regions. */
import { HelperImports } from '../emit/helper-imports'
import { OperationEmitter } from '../emit/operation-emitter'
import type { HelperTable } from '../helpers/signature'
import type { Form } from '../isa/form'
import type { SemanticsTable } from '../semantics/emitter'
import { buildStoreFlags } from '../translator/flag-words'
import { encodeModule } from '../wasm/emit'
import { FunctionBuilder, print, verify } from '../wasm/ir'
import { REGION_SIGNATURE, buildDispatch } from './dispatch'
import { RecordBinding } from './record-binding'
import { buildRunLoop } from './run-loop'

export interface InterpreterSources {
  readonly forms: readonly Form[]
  readonly semantics: SemanticsTable
  readonly helpers: HelperTable
  /** What the core exports; forms that need more raise #UD. undefined: everything. */
  readonly coreExports?: ReadonlySet<string>
  /** Adds names for profiles. */
  readonly names?: boolean
}

export interface InterpreterBuild {
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Forms that raise #UD because their operation has no meaning, or one that cannot be emitted. */
  readonly missing: readonly { readonly form: Form; readonly why: string }[]
  /** Handlers after merging those with equal code. */
  readonly handlers: number
}

export function buildInterpreter(sources: InterpreterSources): InterpreterBuild {
  const helpers = new HelperImports(sources.helpers, sources.coreExports)
  const missing: { form: Form; why: string }[] = []
  const handlers: FunctionBuilder[] = []
  const indexOfText = new Map<string, number>()
  const targets: number[] = []

  const add = (handler: FunctionBuilder): number => {
    const text = print(handler)
    const body = text.slice(text.indexOf('\n'))
    let index = indexOfText.get(body)
    if (index === undefined) {
      index = handlers.push(handler) - 1
      indexOfText.set(body, index)
    }
    return index
  }
  const { unknown } = sources.semantics
  if (unknown === undefined) throw new Error('the meaning of unknown opcodes is missing')

  for (const form of sources.forms) {
    if (form.handler !== targets.length) throw new Error(`form ${form.key} has handler ${form.handler}, not ${targets.length}`)
    let handler: FunctionBuilder
    try {
      const meaning = sources.semantics[form.operation]
      if (meaning === undefined) throw new Error('no meaning')
      handler = buildHandler(form, meaning, helpers)
    } catch (error) {
      missing.push({ form, why: error instanceof Error ? error.message : String(error) })
      handler = buildHandler(form, unknown, helpers)
    }
    targets.push(add(handler))
  }
  // beyond the last handler: a record that no decoder makes
  targets.push(targets[0] ?? 0)

  const regions = buildDispatch()
  verify(regions)
  const run = buildRunLoop({ handlers, targets, regions }, helpers)
  verify(run)
  const storeFlags = buildStoreFlags()
  verify(storeFlags)
  const wasm = encodeModule({
    imports: helpers.imports,
    functions: [...handlers, regions, run, storeFlags],
    exports: [run, storeFlags],
    table: { module: 'env', name: 'regions', signatures: [REGION_SIGNATURE] },
    names: sources.names ?? false,
  })
  return { wasm, missing, handlers: handlers.length }
}

/** The handler of one form. */
export function buildHandler(form: Form, meaning: SemanticsTable[string], helpers: HelperImports): FunctionBuilder {
  const builder = new FunctionBuilder(form.key, ['i32', 'i32'], ['i32'])
  const emitter = new OperationEmitter(builder, new RecordBinding(builder), form, helpers)
  meaning(emitter)
  emitter.finish()
  verify(builder)
  return builder
}
