/**
 * The compile thread: one for each thread that runs machines, shared by its machines, started when the first region is wanted. It does all that is
 * slow (emitting, encoding, compiling); the machine's thread plans and instantiates.
 *
 * It is told by messages and never waited for: a machine goes on in the interpreter. The thread keeps no process alive.
 */
import { Worker } from 'node:worker_threads'
import { packageFile } from '../../support/package-folder'
import type { RegionPlan } from '../translator/region-plan'
import type { CompileResult } from './compile-regions'
import type { CompileAnswer, CompileJob, CompileWorkerData } from './compile-worker'

export type CompileOutcome = { readonly kind: 'done'; readonly result: CompileResult } | { readonly kind: 'failed'; readonly message: string }

/** Compiles plans some time; `done` is called once, never from inside compile(). */
export interface RegionCompiler {
  compile(plans: readonly RegionPlan[], done: (outcome: CompileOutcome) => void): void
}

/** The IR of a job is garbage at once: with V8's usual young generation a third of the thread's time went into copying it. */
const YOUNG_MIB = 64

export const COMPILE_WORKER_FILE = 'out/core/compile-worker.cjs'

export class CompileThread implements RegionCompiler {
  private worker: Worker | undefined
  private readonly waiting = new Map<number, (outcome: CompileOutcome) => void>()
  private nextId = 1

  constructor(
    private readonly file: string,
    private readonly coreExports: readonly string[],
  ) {}

  compile(plans: readonly RegionPlan[], done: (outcome: CompileOutcome) => void): void {
    const id = this.nextId++
    this.waiting.set(id, done)
    this.started().postMessage({ id, plans } satisfies CompileJob)
  }

  private started(): Worker {
    if (this.worker !== undefined) return this.worker
    const worker = new Worker(this.file, { workerData: { coreExports: this.coreExports } satisfies CompileWorkerData, name: 'compile', resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } })
    worker.unref()
    worker.on('message', ({ id, result }: CompileAnswer) => {
      const done = this.waiting.get(id)
      this.waiting.delete(id)
      done?.({ kind: 'done', result })
    })
    worker.on('messageerror', (error) => this.lost(worker, error.message))
    worker.on('error', (error) => this.lost(worker, error.message))
    worker.on('exit', (status) => this.lost(worker, `the compile thread ended with status ${status}`))
    this.worker = worker
    return worker
  }

  /** What was under way is lost; the next job starts a new thread. */
  private lost(worker: Worker, message: string): void {
    if (this.worker !== worker) return
    this.worker = undefined
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const done of waiting) done({ kind: 'failed', message })
    void worker.terminate()
  }
}

const threads = new Map<string, CompileThread>()

/** This thread's compile thread. `directory`: the folder of the core's WebAssembly, when it is not found by itself. */
export function compileThread(coreExports: readonly string[], directory?: string): CompileThread {
  const file = directory === undefined ? packageFile(COMPILE_WORKER_FILE) : `${directory}/compile-worker.cjs`
  let thread = threads.get(file)
  if (thread === undefined) threads.set(file, (thread = new CompileThread(file, coreExports)))
  return thread
}
