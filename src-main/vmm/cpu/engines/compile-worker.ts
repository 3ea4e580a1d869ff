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
 * V8 compiles a function of a module when it is first called, in the thread that calls it; here it shall be done in this thread, and by the optimizing compiler at
 * once. Measured on Node 20, two cores, seconds of system/files, system/fork, system/fork-exec and of an i386 kernel's start: baseline code that V8 replaces
 * in the background 3.1, 1.7, 1.8 and 8.1; baseline code only 2.9, 1.7, 1.9 and 7.5; optimized at once 2.6, 1.5, 1.3 and 7.1. The flag is the process's, so it is put
 * back: the core's modules, of which each machine uses a tenth, stay lazy.
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
  port.on('message', ({ id, plans }: CompileJob) => port.postMessage({ id, result: eagerly(() => compileRegions(plans, coreExports, { optimized: true })) } satisfies CompileAnswer))
}
