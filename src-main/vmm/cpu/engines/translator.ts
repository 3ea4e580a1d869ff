/**
 * The translator as an engine: the interpreter's run loop, and regions of hot code compiled to WebAssembly that it enters. The run loop asks for
 * the translation of a block that has become hot (wanted); such blocks gather for a moment, are planned, the hottest first, and go to the compile thread as
 * one module; its functions are put into the table between two runs, and the guest goes on in the interpreter meanwhile.
 *
 * Two tiers. Regions are planned sparingly at first: little is compiled twice, so that all that is warm is translated soon. Those that turn out to
 * run very often are planned again, generously (loops with all the functions that they call), and take the place of the first.
 *
 * In synchronous mode, for tests, a region is there before wanted() returns.
 */
import { dirname } from 'node:path'
import { packageFile } from '../../support/package-folder'
import { HostClock } from '../../time/host-clock'
import { CODE_CACHE_LIMITS, CodeCache, type CodeCacheLimits, type NewRegion } from '../code-cache/code-cache'
import type { DecodedBlock } from '../code-cache/block-lists'
import type { Surroundings } from '../code-cache/linear-pages'
import { entryKey, type RegionFunction, type RegionSource } from '../code-cache/region'
import { PageHistory } from '../code-cache/page-history'
import { UnusualStacks } from '../code-cache/unusual-stacks'
import type { Engine, Exit } from '../engine'
import { BUDGET, REC_BYTES, RETIRED, SLICE, VCPU_BASE } from '../layout'
import { HOT_THRESHOLD } from '../layout-decode'
import type { MachineCore } from '../machine-core'
import { COLDNESS, GENEROUS, planRegion as planTranslation, SPARING, type RegionRules } from '../translator/plan-region'
import { addressOf, type RegionPlan } from '../translator/region-plan'
import { compileRegions, regionName, type CompileResult, type EmitRegion } from './compile-regions'
import { compileThread, type RegionCompiler } from './compile-thread'
import { useBuiltExecutions } from './executions'
import { InterpreterEngine } from './interpreter'
import { RegionInspector } from './region-inspector'
import type { TranslationStats } from './translation-stats'
import { WarmBlocks } from './warm-blocks'

export interface TranslatorOptions {
  /** How often a block runs before it is translated. */
  readonly threshold?: number
  /** Compile on the spot: runs are then the same in every respect, translations included. */
  readonly synchronous?: boolean
  /** Plan sparingly first, then generously what is entered so often; 0: generously at once. */
  readonly hotEntries?: number
  readonly limits?: CodeCacheLimits
  readonly compiler?: RegionCompiler
  readonly plan?: (view: DataView, header: number, rules: RegionRules) => RegionPlan | undefined
  readonly emit?: EmitRegion
  /** Wraps each region's function before it goes into the table: lockstep looks at what it does. */
  readonly decorate?: (fn: RegionFunction, source: RegionSource) => RegionFunction
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly directory?: string
}

/**
 * Runs of a block that cost the interpreter about as much as its translation costs all threads together. Measured, seconds of system/fork and of an i386
 * kernel's start: 400: 5.5 and 8.3; 800: 4.9 and 7.6; 1500: 4.5 and 7.3; 3000: 3.9 and 7.3.
 */
export const DEFAULT_THRESHOLD = 2000
/**
 * Entries after which a region is planned again: so many cost about as much as compiling the generous one. A tight loop in two regions has them
 * within some milliseconds.
 */
export const DEFAULT_HOT_ENTRIES = 150_000
/** Instructions between two looks for such regions. */
const HOT_INTERVAL = 1_000_000
/** A job is sent when this many blocks have gathered, or after so many instructions since the first. */
const GATHER_BLOCKS = 24
const GATHER_INSTRUCTIONS = 200_000
/** A job holds no more: planning, instantiating and linking cost the machine's thread some 100 µs for each region, and small jobs are back soon. */
const JOB_PLANS = 24
const JOB_INSTRUCTIONS = 1200
/** Regions that are planned again in one go, and the entries of each. */
const HOT_JOB_PLANS = 6
const HOT_ENTRIES_MAX = 12
/** Blocks that wait; beyond this hot blocks ask again later. */
const WAITING_MAX = 0x4000
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
  private readonly unusualStacks = new UnusualStacks()
  private readonly clock = new HostClock()
  private readonly coreExports: ReadonlySet<string>
  private readonly compiler: RegionCompiler | undefined
  private readonly plan: (view: DataView, header: number, rules: RegionRules) => RegionPlan | undefined
  private readonly warm: WarmBlocks
  /** All entry points of regions that are being compiled. */
  private readonly pending = new Set<number>()
  private readonly hotEntries: number
  private readonly threshold: number
  private readonly sparing: RegionRules
  private readonly generous: RegionRules
  private readonly milliseconds = { plan: 0, emit: 0, encode: 0, compile: 0, instantiate: 0, link: 0, longestPause: 0 }
  private lastJobAt = 0
  private lookedForHotAt = 0
  private hotRegions = 0
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
    const crossing = machine.core('code_crossing')
    const isUntracked = (gpa: number, key: number): boolean => this.unusualStacks.has(entryKey(gpa, key))
    this.generous = { ...GENEROUS, crossing, isUntracked }
    this.sparing = { ...SPARING, crossing, isUntracked, isPending: (gpa, key) => this.pending.has(entryKey(gpa, key)) }
    this.cache = new CodeCache(machine.memory, machine.regionTable, options.limits ?? CODE_CACHE_LIMITS, { block: machine.core('code_block'), crossing })
    useBuiltExecutions(options.directory ?? dirname(packageFile('out/core/core.wasm')))
    this.coreExports = new Set(Object.keys(machine.coreExports))
    this.inspector = new RegionInspector(this.cache, this.coreExports)
    this.threshold = Math.max(1, options.threshold ?? DEFAULT_THRESHOLD)
    this.warm = new WarmBlocks(this.cache, WAITING_MAX, this.threshold)
    this.hotEntries = options.hotEntries ?? (options.synchronous === true ? 0 : DEFAULT_HOT_ENTRIES)
    this.plan = options.plan ?? planTranslation
    if (options.synchronous !== true) this.compiler = options.compiler ?? compileThread([...this.coreExports], options.directory)
    this.clock.resume()
    machine.regionHost = {
      wanted: (_vcpu, header) => this.wanted(header),
      codeDropped: (gpa, bytes) => this.codeDropped(gpa, bytes),
      blockRefused: (gpa, key) => this.blockRefused(gpa, key),
    }
    this.view.setUint32(HOT_THRESHOLD, this.threshold, true)
  }

  run(vcpuBase: number, budget: number, exact: boolean = true): Exit {
    this.pump()
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
    if (this.compiler === undefined) {
      const source = this.makePlan(block, this.hotEntries === 0 ? this.generousRules(block) : this.sparingRules(block))
      if (source !== undefined) this.compileNow(source)
      return
    }
    // when a region that begins with it is being made its entry word is written soon, or it is counted from 0
    if (this.pending.has(entryKey(block.gpa, block.key))) return
    if (this.warm.size === 0) this.lastJobAt = this.retired
    if (!this.warm.add(block, this.retired)) this.cache.setCounted(header, true)
  }

  /** Decoded blocks within these bytes of guest-physical memory are gone. */
  codeDropped(gpa: number, bytes: number): void {
    for (const page of this.cache.codeDropped(gpa, bytes)) this.history.changed(page, this.retired)
  }

  /** Regions with a block that keeps refusing are dropped. Their blocks are counted from 0 again, and planned again when they are hot, that one untracked. */
  blockRefused(gpa: number, key: number): void {
    if (this.unusualStacks.refused(entryKey(gpa, key), this.retired)) this.cache.drop(gpa, key)
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
    if (this.underWay !== undefined || this.jobFailures >= JOB_FAILURES_MAX) return
    const now = this.retired
    const lookForHot = this.hotEntries > 0 && now - this.lookedForHotAt >= HOT_INTERVAL
    const gathered = this.warm.size >= GATHER_BLOCKS || (this.warm.size > 0 && now - this.lastJobAt >= GATHER_INSTRUCTIONS)
    if (!lookForHot && !gathered) return
    const start = this.clock.now()
    const job: RegionSource[] = []
    if (lookForHot) {
      this.lookedForHotAt = now
      this.planHot(job)
    }
    if (gathered && job.length === 0) this.planWarm(job, now)
    this.countPlanning(start)
    this.lastJobAt = now
    if (job.length === 0) return
    if (compiler === undefined) {
      for (const source of job) this.compileNow(source)
      return
    }
    this.underWay = job
    compiler.compile(
      job.map(({ plan }) => plan),
      (outcome) => {
        if (outcome.kind === 'done') this.finished = outcome.result
        else this.jobFailed(job, outcome.message)
      },
    )
  }

  /** Regions that run very often, again. By themselves in their job: nothing is worth more. */
  private planHot(job: RegionSource[]): void {
    for (const { region, block } of this.cache.overdue(this.hotEntries, HOT_JOB_PLANS)) {
      const source = this.makePlan(block, { ...this.generousRules(block, region.slot), entries: HOT_ENTRIES_MAX, entered: region.entries() })
      if (source === undefined) continue
      this.hotRegions++
      job.push({ ...source, hot: true })
    }
  }

  private planWarm(job: RegionSource[], now: number): void {
    let instructions = 0
    // what another region of the job has inside is counted anew when that is linked
    const inside = new Set<number>()
    this.warm.takeHottest(JOB_PLANS, now, (block) => {
      if (inside.has(entryKey(block.gpa, block.key))) return true
      const source = this.makePlan(block, this.sparingRules(block))
      if (source === undefined) return true
      for (const entry of entryKeys(source.plan)) this.pending.add(entry)
      for (const { offset } of source.plan.blocks) inside.add(entryKey(addressOf(source.plan, offset), source.plan.key))
      job.push(source)
      instructions += source.plan.records.length / REC_BYTES
      return instructions < JOB_INSTRUCTIONS
    })
  }

  /** undefined: the block is not to be translated now, or never. */
  private makePlan({ header, gpa, key }: DecodedBlock, rules: RegionRules): RegionSource | undefined {
    if (this.pending.has(entryKey(gpa, key))) return undefined
    if (this.history.banned(gpa - (gpa % 4096), this.retired)) {
      this.cache.setCounted(header, true)
      return undefined
    }
    const plan = this.plan(this.view, header, rules)
    const code = plan === undefined ? undefined : this.cache.codeOf(plan)
    if (plan !== undefined && code !== undefined) return { plan, code }
    this.untranslatable++
    this.cache.setCounted(header, false)
    return undefined
  }

  private sparingRules(block: DecodedBlock): RegionRules {
    return { ...this.sparing, pageAt: this.otherPages(this.cache.around(block)) }
  }

  /**
   * Indirect jumps may go where the run loop went from the region in `slot` lately, and where other regions of the page are entered, not just now and then.
   */
  private generousRules(block: DecodedBlock, slot?: number): RegionRules {
    const around = this.cache.around(block)
    const page = block.gpa - (block.gpa % 4096)
    const aims = slot === undefined ? [] : this.cache.waysFrom(slot).flatMap(({ low, high }) => around.offsetOf(low, high) ?? [])
    for (const gpa of this.cache.enteredIn(page, block.key, this.hotEntries / COLDNESS)) aims.push(gpa - page)
    return { ...this.generous, aims, pageAt: this.otherPages(around) }
  }

  /** How a region finds the other pages that it goes to: not those that are given up. */
  private otherPages({ pageAt }: Surroundings): (offset: number) => number | undefined {
    return (offset) => {
      const page = pageAt(offset)
      return page === undefined || this.history.banned(page, this.retired) ? undefined : page
    }
  }

  private countPlanning(start: number): void {
    const pause = (this.clock.now() - start) / NANOSECONDS_PER_MILLISECOND
    this.milliseconds.plan += pause
    this.milliseconds.longestPause = Math.max(this.milliseconds.longestPause, pause)
  }

  private compileNow(source: RegionSource): void {
    this.install([source], compileRegions([source.plan], this.coreExports, this.options))
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
        const regions = this.cache.install(bytes, made)
        if (this.hotEntries > 0) for (const region of regions) this.cache.recount(region, Math.ceil(this.threshold / COLDNESS))
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
    for (const entry of entryKeys(plan)) this.pending.delete(entry)
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
      hotRegions: this.hotRegions,
      regionsCached: size.regions,
      regionsLinked: size.linked,
      modules: size.modules,
      wasmBytes: size.bytes,
      queued: this.warm.size + (this.underWay?.length ?? 0),
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

function entryKeys({ page, key, blocks, entries }: RegionPlan): number[] {
  return entries.map((entry) => entryKey(page + blocks[entry]!.offset, key))
}

function regionAddress({ page, blocks }: RegionPlan): string {
  return `0x${(page + (blocks[0]?.offset ?? 0)).toString(16)}`
}
