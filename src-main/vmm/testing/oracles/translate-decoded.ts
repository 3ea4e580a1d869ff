/**
 * Translates at once all that the interpreter has decoded, in a few modules: what a test runs afterwards runs in regions. A loop that a region has left in
 * its middle asks for one that begins with it, as always. Each region is entered through a little function that looks at what the region did, so that a test
 * can say how much of a program was translated code.
 */
import { CODE_CACHE_LIMITS, type NewRegion } from '../../cpu/code-cache/code-cache'
import { BlockLists } from '../../cpu/code-cache/block-lists'
import type { RegionFunction, RegionSource } from '../../cpu/code-cache/region'
import { compileRegions, regionName, type EmitRegion } from '../../cpu/engines/compile-regions'
import { TranslatorEngine } from '../../cpu/engines/translator'
import * as L from '../../cpu/layout'
import { HOT_THRESHOLD } from '../../cpu/layout-decode'
import type { MachineCore } from '../../cpu/machine-core'
import { emitRegion } from '../../cpu/translator/emit-region'
import { COLDNESS, planRegion } from '../../cpu/translator/plan-region'
import { encodeModule } from '../../cpu/wasm/emit'
import { FunctionBuilder } from '../../cpu/wasm/ir'

/** One module for a batch: the cache makes room by modules, and would take new ones that have not run for cold. */
const MODULE_REGIONS = 4096
const PAGE_BYTES = 0x1000
/** Once there are regions: a block that has run once is warm. */
const ASKED_AFTER = COLDNESS

export interface RegionTally {
  /** Regions entered, and instructions that retired in them. */
  entries: number
  instructions: number
  /** How often regions came back with each STATUS_*. */
  readonly statuses: number[]
}

export const newTally = (): RegionTally => ({ entries: 0, instructions: 0, statuses: [0, 0, 0, 0, 0] })

export class DecodedTranslator {
  readonly engine: TranslatorEngine
  readonly tally: RegionTally = newTally()
  private readonly view: DataView
  private readonly lists: BlockLists
  private readonly coreExports: ReadonlySet<string>
  private readonly watcher: WebAssembly.Module

  constructor(
    private readonly core: MachineCore,
    private readonly emit: EmitRegion = emitRegion,
  ) {
    const limits = { ...CODE_CACHE_LIMITS, regions: CODE_CACHE_LIMITS.slots }
    // what it plans itself are regions in the place of others that kept leaving blocks to the interpreter
    this.engine = new TranslatorEngine(core, { synchronous: true, limits, emit, decorate: (fn) => this.watched(fn) })
    this.view = new DataView(core.memory.buffer)
    this.lists = new BlockLists(core.memory)
    this.coreExports = new Set(Object.keys(core.coreExports))
    this.watcher = watcherModule()
  }

  /** From now on only the interpreter runs: nothing is asked for, and no block counts as too cold for a region. */
  collect(): void {
    this.view.setUint32(HOT_THRESHOLD, 0, true)
  }

  /** Translates what is decoded in these guest-physical pages. Throws when something cannot be compiled. Returns the number of regions. */
  translate(first: number, bytes: number): number {
    const sources: RegionSource[] = []
    for (let page = first; page < first + bytes; page += PAGE_BYTES) sources.push(...this.planPage(page))
    for (let at = 0; at < sources.length; at += MODULE_REGIONS) this.install(sources.slice(at, at + MODULE_REGIONS))
    for (let page = first; page < first + bytes; page += PAGE_BYTES) for (const { header } of this.lists.ofPage(page)) this.engine.cache.setCounted(header, true)
    this.view.setUint32(HOT_THRESHOLD, ASKED_AFTER, true)
    return sources.length
  }

  private planPage(page: number): RegionSource[] {
    const sources: RegionSource[] = []
    const covered = new Set<number>()
    const blocks = this.lists.ofPage(page).sort((a, b) => a.gpa - b.gpa)
    for (const { header, gpa, key } of blocks) {
      const offset = gpa - page
      if (covered.has(offset * 16 + key)) continue
      const plan = planRegion(this.view, header)
      const code = plan === undefined ? undefined : this.engine.cache.codeOf(plan)
      if (plan === undefined || code === undefined) continue
      for (const block of plan.blocks) covered.add(block.offset * 16 + key)
      sources.push({ plan, code })
    }
    return sources
  }

  private install(sources: readonly RegionSource[]): void {
    const { modules, failures } = compileRegions(sources.map(({ plan }) => plan), this.coreExports, { emit: this.emit })
    const [failure] = failures
    if (failure !== undefined) throw new Error(`a region cannot be compiled: ${failure.message}`)
    for (const { module, bytes, members } of modules) {
      const { exports } = new WebAssembly.Instance(module, { env: { memory: this.core.memory }, core: this.core.coreExports })
      const made = members.map((plan): NewRegion => ({ source: sources[plan]!, fn: this.watched(exports[regionName(plan)] as RegionFunction) }))
      this.engine.cache.install(bytes, made)
    }
  }

  private watched(fn: RegionFunction): RegionFunction {
    const { tally, view } = this
    const watch: RegionFunction = (vcpu, selector) => {
      const before = view.getInt32(vcpu + L.BUDGET, true)
      const status = fn(vcpu, selector)
      tally.entries++
      tally.instructions += before - view.getInt32(vcpu + L.BUDGET, true)
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1
      return status
    }
    const { exports } = new WebAssembly.Instance(this.watcher, { env: { memory: this.core.memory }, test: { watch } })
    return exports['enter'] as RegionFunction
  }
}

/** (vcpu, selector) -> watch(vcpu, selector): the table takes WebAssembly functions only. */
function watcherModule(): WebAssembly.Module {
  const watch = { module: 'test', name: 'watch', params: ['i32', 'i32'], results: ['i32'] } as const
  const b = new FunctionBuilder('enter', ['i32', 'i32'], ['i32'])
  b.return(b.call(watch, [b.param(0), b.param(1)]))
  return new WebAssembly.Module(encodeModule({ imports: [watch], functions: [b], exports: [b] }))
}
