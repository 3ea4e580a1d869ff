/**
 * All about one region, made anew from its snapshot, on whatever thread asks: the machine's own is not kept busy. Emission depends on nothing but the
 * snapshot, so this is what the machine runs.
 */
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { HostClock } from '../../time/host-clock'
import { emitRegion } from '../translator/emit-region'
import { encodeModule, functionSizes } from '../wasm/emit'
import { FunctionBuilder, print, verify, type IrFunction } from '../wasm/ir'
import { regionName } from './compile-regions'
import { disassembleRegion, type RegionSnapshot } from './region-inspector'
import { wasmText } from './wasm-text'

export interface RegionPass {
  readonly name: string
  /** What it does. */
  readonly summary: string
  /** The IR after it. */
  readonly text: string
  readonly lines: number
}

export interface RegionStep {
  readonly name: string
  /** The fastest of a few runs on the thread that made the report. */
  readonly milliseconds: number
}

export interface RegionReport {
  /** One line for each instruction; blocks begin with a line "address:". */
  readonly x86: readonly string[]
  /** The IR after each pass, in order; each works on the text before it. */
  readonly passes: readonly RegionPass[]
  readonly steps: readonly RegionStep[]
  /** The function in a module of its own, with those it calls. */
  readonly wasm: Uint8Array
  readonly wasmText: string
  /** Bytes of the function in it. */
  readonly functionBytes: number
}

/** The first runs are slow, as V8 has not compiled the compiler yet; large regions get no more than that many milliseconds. */
const ROUNDS = 20
const ROUNDS_MILLISECONDS = 60
const NANOSECONDS_PER_MILLISECOND = 1e6

interface Made {
  readonly fn: IrFunction
  readonly helpers: HelperImports
}

export async function reportRegion(snapshot: RegionSnapshot): Promise<RegionReport> {
  const { plan } = snapshot.source
  const exported = new Set(snapshot.coreExports)
  const emit = (Builder?: typeof FunctionBuilder): Made => {
    const helpers = new HelperImports(helperTable, exported)
    return { fn: emitRegion(regionName(0), plan, helpers, Builder === undefined ? {} : { Builder }), helpers }
  }
  const encode = ({ fn, helpers }: Made): Uint8Array<ArrayBuffer> =>
    encodeModule({ imports: helpers.imports, functions: [fn], exports: [fn], names: true })

  const stopwatch = new Stopwatch()
  for (let round = 0; round < ROUNDS && stopwatch.elapsed < ROUNDS_MILLISECONDS; round++) {
    const made = stopwatch.time('emit and fold', () => emit())
    stopwatch.time('verify', () => verify(made.fn))
    const wasm = stopwatch.time('liveness, locals, encoding', () => encode(made))
    stopwatch.time('WebAssembly.Module', () => new WebAssembly.Module(wasm))
  }

  const folded = emit()
  const before = print(folded.fn)
  const wasm = encode(folded)
  return {
    x86: disassembleRegion(snapshot.source),
    passes: [
      pass('emit', 'the meanings of the instructions, registers and flags in variables', print(emit(FunctionBuilder).fn)),
      pass('fold', 'constants folded and operations simplified; done while emit goes on', before),
      pass('liveness and locals', 'what nobody uses is gone, single uses stand in place, the rest is in locals (!n) that values share', print(folded.fn, true)),
    ],
    steps: stopwatch.steps,
    wasm,
    wasmText: await wasmText(wasm),
    functionBytes: functionSizes(wasm)[0] ?? 0,
  }
}

function pass(name: string, summary: string, text: string): RegionPass {
  return { name, summary, text, lines: text.split('\n').length - 1 }
}

class Stopwatch {
  private readonly least = new Map<string, number>()
  private readonly clock = new HostClock()

  constructor() {
    this.clock.resume()
  }

  time<T>(name: string, work: () => T): T {
    const start = this.clock.now()
    const result = work()
    const milliseconds = (this.clock.now() - start) / NANOSECONDS_PER_MILLISECOND
    this.least.set(name, Math.min(this.least.get(name) ?? Infinity, milliseconds))
    return result
  }

  /** Milliseconds since it was made. */
  get elapsed(): number {
    return this.clock.now() / NANOSECONDS_PER_MILLISECOND
  }

  get steps(): RegionStep[] {
    return [...this.least].map(([name, milliseconds]) => ({ name, milliseconds }))
  }
}
