/** Plans -> a compiled WebAssembly module: the work of the compile thread, or of the caller's in synchronous mode. */
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { HostClock } from '../../time/host-clock'
import { emitRegion } from '../translator/emit-region'
import type { RegionPlan } from '../translator/region-plan'
import { encodeModule, functionSizes } from '../wasm/emit'
import type { IrFunction } from '../wasm/ir'

export type EmitRegion = (name: string, plan: RegionPlan, helpers: HelperImports) => IrFunction

/** Milliseconds of each step. */
export interface CompileTimes {
  emit: number
  encode: number
  compile: number
}

export interface CompiledModule {
  readonly module: WebAssembly.Module
  readonly bytes: number
  /** Which plans it holds; plan i is the export regionName(i). */
  readonly members: readonly number[]
  /** Bytes of each member's function. */
  readonly functionBytes: readonly number[]
}

export interface CompileResult {
  readonly modules: readonly CompiledModule[]
  /** Plans that could not be compiled: a bug of the translator, which costs speed only. */
  readonly failures: readonly { readonly plan: number; readonly message: string }[]
  readonly times: CompileTimes
}

export const regionName = (plan: number): string => `region${plan}`

const NANOSECONDS_PER_MILLISECOND = 1e6

export interface CompileOptions {
  readonly emit?: EmitRegion
  /** By V8's optimizing compiler, now: for a thread that nobody waits for. Otherwise V8 compiles a function when it is first called. */
  readonly optimized?: boolean
}

/** `coreExports`: what regions may import. */
export function compileRegions(
  plans: readonly RegionPlan[],
  coreExports: ReadonlySet<string>,
  { emit = emitRegion, optimized = false }: CompileOptions = {},
): CompileResult {
  const times: CompileTimes = { emit: 0, encode: 0, compile: 0 }
  const failures: { plan: number; message: string }[] = []
  const clock = new HostClock()
  clock.resume()
  const timed = <T>(step: keyof CompileTimes, work: () => T): T => {
    const start = clock.now()
    try {
      return work()
    } finally {
      times[step] += (clock.now() - start) / NANOSECONDS_PER_MILLISECOND
    }
  }
  /** One module of these plans; those that cannot be emitted are left out. */
  const make = (members: readonly number[]): CompiledModule | undefined => {
    const helpers = new HelperImports(helperTable, coreExports)
    const functions: IrFunction[] = []
    const emitted: number[] = []
    for (const plan of members) {
      try {
        functions.push(timed('emit', () => emit(regionName(plan), plans[plan]!, helpers)))
        emitted.push(plan)
      } catch (error) {
        failures.push({ plan, message: describe(error) })
      }
    }
    if (emitted.length === 0) return undefined
    const wasm = timed('encode', () => encodeModule({ imports: helpers.imports, functions, exports: functions, optimized }))
    return { module: timed('compile', () => new WebAssembly.Module(wasm)), bytes: wasm.length, members: emitted, functionBytes: functionSizes(wasm).slice(0, emitted.length) }
  }

  const all = plans.map((_, plan) => plan)
  try {
    const module = make(all)
    return { modules: module === undefined ? [] : [module], failures, times }
  } catch {
    // One of them makes no valid module: each by itself, so that the others do not suffer.
    failures.length = 0
    const modules = all.flatMap((plan) => {
      try {
        return make([plan]) ?? []
      } catch (error) {
        failures.push({ plan, message: describe(error) })
        return []
      }
    })
    return { modules, failures, times }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
