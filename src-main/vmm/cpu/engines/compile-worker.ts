/** Entry of the compile thread (out/core/compile-worker.cjs, built by tools/build-core.ts): plans come in, compiled modules go out. */
import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import type { RegionPlan } from '../translator/region-plan'
import { compileRegions, type CompileResult } from './compile-regions'
import { useBuiltExecutions } from './executions'

/** Given to the thread at its start. */
export interface CompileWorkerData {
  readonly coreExports: readonly string[]
}

export interface CompileJob {
  readonly id: number
  readonly plans: readonly RegionPlan[]
}

export interface CompileAnswer {
  readonly id: number
  readonly result: CompileResult
}

/**
 * V8 compiles a function of a module when it is first called, in the thread that calls it; here it shall be done in this thread. Measured on Node 20
 * (a Debian kernel's first 10^9 instructions, CPU seconds of the machine's thread): lazy compilation 2.89, without it 2.39. Without the baseline
 * compiler (--no-liftoff) 2.51 and three times the compile time; tiering up sooner (--wasm-tiering-budget=200000, 20000) 2.45 and 2.52: left as V8 has it. The flag
 * is the process's, so it is put back: the core's modules, of which each machine uses a tenth, stay lazy.
 */
function eagerly<T>(work: () => T): T {
  setFlagsFromString('--no-wasm-lazy-compilation')
  try {
    return work()
  } finally {
    setFlagsFromString('--wasm-lazy-compilation')
  }
}

if (parentPort) {
  const port = parentPort
  // the thread's file is bundled into the same folder
  useBuiltExecutions(__dirname)
  const coreExports = new Set((workerData as CompileWorkerData).coreExports)
  port.on('message', ({ id, plans }: CompileJob) => port.postMessage({ id, result: eagerly(() => compileRegions(plans, coreExports)) } satisfies CompileAnswer))
}
