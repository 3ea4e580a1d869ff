/** Entry of the compile thread (out/core/compile-worker.cjs, built by tools/build-core.ts): plans come in, compiled modules go out. */
import { parentPort, workerData } from 'node:worker_threads'
import type { RegionPlan } from '../translator/region-plan'
import { compileRegions, type CompileResult } from './compile-regions'

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

if (parentPort) {
  const port = parentPort
  const coreExports = new Set((workerData as CompileWorkerData).coreExports)
  port.on('message', ({ id, plans }: CompileJob) => port.postMessage({ id, result: compileRegions(plans, coreExports) } satisfies CompileAnswer))
}
