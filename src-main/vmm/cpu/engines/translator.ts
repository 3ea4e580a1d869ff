/**
 * The translator as an engine: the interpreter's run loop, and regions of hot code compiled to WebAssembly that it enters. The run loop asks for
 * the translation of a block that has become hot (wanted); plans gather for a moment and go to the compile thread as one module; its functions are put into the
 * table between two runs, and the guest goes on in the interpreter meanwhile. In synchronous mode, for tests, a region is there before wanted() returns.
 */
import { HostClock } from '../../time/host-clock'
import { CODE_CACHE_LIMITS, CodeCache, type CodeCacheLimits, type NewRegion } from '../code-cache/code-cache'
import { entryKey, type RegionFunction, type RegionSource } from '../code-cache/region'
import { PageHistory } from '../code-cache/page-history'
import type { Engine, Exit } from '../engine'
import { BUDGET, REC_BYTES, RETIRED, SLICE, VCPU_BASE } from '../layout'
import { HOT_THRESHOLD } from '../layout-decode'
import type { MachineCore } from '../machine-core'
import { planRegion as planTranslation } from '../translator/plan-region'
import type { RegionPlan } from '../translator/region-plan'
import { compileRegions, regionName, type CompileResult, type EmitRegion } from './compile-regions'
import { compileThread, type RegionCompiler } from './compile-thread'
import { InterpreterEngine } from './interpreter'
import { RegionInspector } from './region-inspector'
import type { TranslationStats } from './translation-stats'

export interface TranslatorOptions {
  /** How often a block runs before it is translated. */
  readonly threshold?: number
  /** Compile on the spot: runs are then the same in every respect, translations included. */
  readonly synchronous?: boolean
  readonly limits?: CodeCacheLimits
  readonly compiler?: RegionCompiler
  readonly plan?: (view: DataView, header: number) => RegionPlan | undefined
  readonly emit?: EmitRegion
  /** Wraps each region's function before it goes into the table: lockstep looks at what it does. */
  readonly decorate?: (fn: RegionFunction, source: RegionSource) => RegionFunction
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly directory?: string
}

export const DEFAULT_THRESHOLD = 400
/** A job is sent when this many plans have gathered, or after so many instructions since the first. */
const GATHER_PLANS = 24
const GATHER_INSTRUCTIONS = 200_000
/** A job holds no more: instantiating and linking cost the machine's thread some 100 µs for each region. */
const JOB_PLANS = 32
const JOB_INSTRUCTIONS = 8000
/** Plans that wait; beyond this hot blocks ask again later. */
const QUEUE_MAX = 512
/** Jobs that may fail before the machine stays with the interpreter. */
const JOB_FAILURES_MAX = 3
const NANOSECONDS_PER_MILLISECOND = 1e6

export class TranslatorEngine implements Engine {
  readonly name = 'translator'
  readonly cache: CodeCache
  readonly inspector: RegionInspector
  private readonly loop: InterpreterEngine
  private readonly view: DataView
  private readonly history = new PageHistory()
  private readonly clock = new HostClock()
  private readonly coreExports: ReadonlySet<string>
  private readonly compiler: RegionCompiler | undefined
  private readonly plan: (view: DataView, header: number) => RegionPlan | undefined
  private readonly queue: RegionSource[] = []
  /** Entry points that are queued or being compiled. */
  private readonly pending = new Set<number>()
  private readonly milliseconds = { plan: 0, emit: 0, encode: 0, compile: 0, instantiate: 0, link: 0, longestPause: 0 }
  private firstQueuedAt = 0
  private underWay: readonly RegionSource[] | undefined
  private finished: CompileResult | undefined
  private untranslatable = 0
  private failures = 0
  private jobFailures = 0
  private latestFailure = ''

  constructor(
    private readonly machine: MachineCore,
    private readonly options: TranslatorOptions = {},
  ) {
    this.loop = new InterpreterEngine(machine)
    this.view = new DataView(machine.memory.buffer)
    this.cache = new CodeCache(machine.memory, machine.regionTable, options.limits ?? CODE_CACHE_LIMITS, machine.core('code_block'))
    this.coreExports = new Set(Object.keys(machine.coreExports))
    this.inspector = new RegionInspector(this.cache, this.coreExports)
    this.plan = options.plan ?? planTranslation
    if (options.synchronous !== true) this.compiler = options.compiler ?? compileThread([...this.coreExports], options.directory)
    this.clock.resume()
    machine.regionHost = { wanted: (_vcpu, header) => this.wanted(header), codeDropped: (gpa, bytes) => this.codeDropped(gpa, bytes) }
    this.view.setUint32(HOT_THRESHOLD, Math.max(1, options.threshold ?? DEFAULT_THRESHOLD), true)
  }

  run(vcpuBase: number, budget: number, exact: boolean = true): Exit {
    if (this.finished !== undefined || this.queue.length > 0) this.pump()
    return this.loop.run(vcpuBase, budget, exact)
  }

  requestAttention(vcpuBase: number): void {
    this.loop.requestAttention(vcpuBase)
  }

  // ---- what the core asks and tells ---------------------------------------------------------------------------------------------------

  /** The interpreter has run this block so often that it should be translated. May be called from inside guest execution only. */
  wanted(header: number): void {
    const block = this.cache.block(header)
    if (block === undefined || this.jobFailures >= JOB_FAILURES_MAX) return
    if (this.cache.relink(block)) return
    const id = entryKey(block.gpa, block.key)
    const page = block.gpa - (block.gpa % 4096)
    if (this.pending.has(id)) return this.cache.setCounted(header, false)
    if (this.queue.length >= QUEUE_MAX || this.history.banned(page, this.retired)) return this.cache.setCounted(header, true)
    const start = this.clock.now()
    const plan = this.plan(this.view, header)
    const code = plan === undefined ? undefined : this.cache.codeOf(plan)
    this.milliseconds.plan += (this.clock.now() - start) / NANOSECONDS_PER_MILLISECOND
    this.cache.setCounted(header, false)
    if (plan === undefined || code === undefined) {
      this.untranslatable++
      return
    }
    const source: RegionSource = { plan, code }
    if (this.compiler === undefined) return this.install([source], compileRegions([plan], this.coreExports, this.options.emit))
    this.pending.add(id)
    if (this.queue.length === 0) this.firstQueuedAt = this.retired
    this.queue.push(source)
  }

  /** Decoded blocks within these bytes of guest-physical memory are gone. */
  codeDropped(gpa: number, bytes: number): void {
    for (const page of this.cache.codeDropped(gpa, bytes)) this.history.changed(page, this.retired)
  }

  // ---- compiling ------------------------------------------------------------------------------------------------------------------------

  /** Takes in what has been compiled, and sends off what has gathered. */
  private pump(): void {
    const { compiler, finished, underWay } = this
    if (finished !== undefined && underWay !== undefined) {
      this.finished = undefined
      this.underWay = undefined
      this.install(underWay, finished)
    }
    if (compiler === undefined || this.underWay !== undefined || this.queue.length === 0) return
    if (this.queue.length < GATHER_PLANS && this.retired - this.firstQueuedAt < GATHER_INSTRUCTIONS) return
    const job = this.nextJob()
    this.firstQueuedAt = this.retired
    if (job.length === 0) return
    this.underWay = job
    compiler.compile(
      job.map(({ plan }) => plan),
      (outcome) => {
        if (outcome.kind === 'done') this.finished = outcome.result
        else this.jobFailed(job, outcome.message)
      },
    )
  }

  private nextJob(): readonly RegionSource[] {
    let instructions = 0
    const job: RegionSource[] = []
    while (job.length < JOB_PLANS && instructions < JOB_INSTRUCTIONS) {
      const source = this.queue.shift()
      if (source === undefined) break
      if (this.cache.isEntered(source.plan)) {
        this.forgetPending(source.plan)
        continue
      }
      instructions += source.plan.records.length / REC_BYTES
      job.push(source)
    }
    return job
  }

  private install(sources: readonly RegionSource[], { modules, failures, times }: CompileResult): void {
    const start = this.clock.now()
    let linking = 0
    for (const { plan } of sources) this.forgetPending(plan)
    for (const { plan, message } of failures) this.failed(`region ${regionAddress(sources[plan]!.plan)}: ${message}`)
    for (const { module, bytes, members, functionBytes } of modules) {
      try {
        const { exports } = new WebAssembly.Instance(module, { env: { memory: this.machine.memory }, core: this.machine.coreExports })
        const { decorate = (fn): RegionFunction => fn } = this.options
        const made = members.map((plan, i): NewRegion => {
          const source = sources[plan]!
          return { source, fn: decorate(exports[regionName(plan)] as RegionFunction, source), wasmBytes: functionBytes[i] ?? 0 }
        })
        const instantiated = this.clock.now()
        this.cache.install(bytes, made)
        linking += (this.clock.now() - instantiated) / NANOSECONDS_PER_MILLISECOND
      } catch (error) {
        this.failed(error instanceof Error ? error.message : String(error))
      }
    }
    const pause = (this.clock.now() - start) / NANOSECONDS_PER_MILLISECOND
    this.milliseconds.instantiate += pause - linking
    this.milliseconds.link += linking
    this.milliseconds.longestPause = Math.max(this.milliseconds.longestPause, pause)
    for (const step of ['emit', 'encode', 'compile'] as const) this.milliseconds[step] += times[step]
  }

  private forgetPending(plan: RegionPlan): void {
    this.pending.delete(entryKey(plan.page + plan.blocks[0]!.offset, plan.key))
  }

  private jobFailed(job: readonly RegionSource[], message: string): void {
    this.underWay = undefined
    this.jobFailures++
    this.failed(message)
    for (const { plan } of job) this.forgetPending(plan)
  }

  private failed(message: string): void {
    this.failures++
    this.latestFailure = message
  }

  /** Instructions that the machine has retired: the time by which pages are judged. */
  private get retired(): number {
    const { view } = this
    return Number(view.getBigUint64(VCPU_BASE + RETIRED, true)) + view.getInt32(VCPU_BASE + SLICE, true) - view.getInt32(VCPU_BASE + BUDGET, true)
  }

  // ---- what can be seen -------------------------------------------------------------------------------------------------------------------

  translationStats(): TranslationStats {
    const { counters, size } = this.cache
    return {
      regionsTranslated: counters.installed,
      instructions: size.instructions,
      regionsCached: size.regions,
      regionsLinked: size.linked,
      modules: size.modules,
      wasmBytes: size.bytes,
      queued: this.queue.length + (this.underWay?.length ?? 0),
      invalidations: counters.invalidations,
      relinks: counters.relinks,
      evictions: counters.evictions,
      stale: counters.stale,
      untranslatable: this.untranslatable,
      pagesGivenUp: this.history.bans,
      failures: this.failures,
      latestFailure: this.latestFailure,
      milliseconds: { ...this.milliseconds },
    }
  }
}

function regionAddress({ page, blocks }: RegionPlan): string {
  return `0x${(page + (blocks[0]?.offset ?? 0)).toString(16)}`
}
