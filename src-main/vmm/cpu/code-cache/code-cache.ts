/**
 * The code cache: which translated regions there are, which of them the run loop can enter, and what becomes of them when the guest's code changes.
 *
 * A region is *linked* when its function stands in the table and the entry words of its entry blocks name that slot. Guest-physical addresses and
 * CODE_KEY are all that counts, so address spaces and vCPUs share regions and changes of CR3 concern nobody here. One invariant keeps them right:
 * every byte that a linked region was made from belongs to a decoded block in its page's list. A write to such a byte drops the block, the core
 * says so (codeDropped), and the region is unlinked before anything else runs.
 *
 * Unlinked regions stay: when the code comes back as it was (a page of data and code whose blocks were dropped, all decoded code flushed), the
 * bytes are compared and the region is linked again without compiling. Bounded in slots, regions and bytes of WebAssembly; the coldest module goes first,
 * as a module's memory is free only when all of its regions are gone.
 */
import { ENTRY_NEVER, ENTRY_SELECTOR_SHIFT, ENTRY_SLOT_MASK, ENTRY_TRANSLATED, REGION_COUNTS, REGION_SLOTS_MAX } from '../layout'
import { addressOf, pagesOf } from '../translator/region-plan'
import { BlockLists, PAGE_BYTES, type DecodedBlock } from './block-lists'
import { CodeBytes, type Decoder } from './code-bytes'
import { LinearPages, type Surroundings } from './linear-pages'
import { RegionWays, type LinearAddress } from './region-ways'
import { Region, entryKey, type Batch, type RegionFunction, type RegionSource } from './region'

export interface CodeCacheLimits {
  /** Regions that are linked at a time. */
  readonly slots: number
  /** Regions in all. */
  readonly regions: number
  /** Bytes of WebAssembly modules. */
  readonly bytes: number
}

export const CODE_CACHE_LIMITS: CodeCacheLimits = { slots: 16384, regions: 24576, bytes: 64 * 0x100000 }
/** Versions of one entry's code that are kept: pages that hold one program now, another then. */
const VERSIONS_MAX = 4
/** The newest modules have had no time to show that they are hot. */
const YOUNG_BATCHES = 2

export interface CodeCacheCounters {
  installed: number
  /** Links without compiling. */
  relinks: number
  /** Regions unlinked because their code was written to. */
  invalidations: number
  /** Regions removed for room. */
  evictions: number
  /** Regions whose code was no longer there when they came from the compiler. */
  stale: number
}

export interface NewRegion {
  readonly source: RegionSource
  readonly fn: RegionFunction
  /** Bytes of the function. */
  readonly wasmBytes?: number
}

export class CodeCache {
  readonly counters: CodeCacheCounters = { installed: 0, relinks: 0, invalidations: 0, evictions: 0, stale: 0 }
  private readonly lists: BlockLists
  private readonly counts: Uint32Array
  private readonly batches = new Set<Batch>()
  private readonly byEntry = new Map<number, Region[]>()
  private readonly linkedByPage = new Map<number, Set<Region>>()
  private readonly bySlot: (Region | undefined)[] = []
  private readonly freeSlots: number[] = []
  private readonly slotCount: number
  private readonly codeBytes: CodeBytes
  private readonly linear: LinearPages
  private readonly ways: RegionWays
  /** Slots that entry words in jump caches must not name any more: 1 for each. */
  private readonly lost = new Uint8Array(REGION_SLOTS_MAX)
  private anyLost = false
  private flushes: number
  private nextId = 1
  private bytes = 0
  private regionCount = 0

  constructor(
    memory: WebAssembly.Memory,
    private readonly table: WebAssembly.Table,
    private readonly limits: CodeCacheLimits = CODE_CACHE_LIMITS,
    decoder: Decoder = { block: () => 0, crossing: () => 0 },
  ) {
    this.lists = new BlockLists(memory)
    this.codeBytes = new CodeBytes(this.lists, decoder)
    this.linear = new LinearPages(memory, this.lists)
    this.ways = new RegionWays(memory)
    this.counts = new Uint32Array(memory.buffer, REGION_COUNTS, REGION_SLOTS_MAX)
    this.slotCount = Math.min(limits.slots, table.length, REGION_SLOTS_MAX, ENTRY_SLOT_MASK + 1)
    for (let slot = this.slotCount - 1; slot >= 0; slot--) this.freeSlots.push(slot)
    this.flushes = this.lists.flushes
  }

  /** What the run loop's call for a translation is about; undefined: a block that cannot be translated. */
  block(header: number): DecodedBlock | undefined {
    return this.lists.at(header)
  }

  /** The block is not counted any more (it is being translated, or cannot be); or counted from 0 again. */
  setCounted(header: number, counted: boolean): void {
    if ((this.lists.entry(header) & ENTRY_TRANSLATED) === 0) this.lists.setEntry(header, counted ? 0 : ENTRY_NEVER)
  }

  /** How often the block has been run by the interpreter; -1: it was dropped, or translated, or is not counted. */
  runsOf({ header, gpa, key }: DecodedBlock): number {
    const block = this.lists.at(header)
    if (block?.gpa !== gpa || block.key !== key) return -1
    const word = this.lists.entry(header)
    return word < ENTRY_NEVER ? word : -1
  }

  /**
   * The blocks inside a region that has just been linked are counted from `runs` again: how often they ran before says nothing about whether they are
   * ever reached from outside.
   */
  recount({ source: { plan } }: Region, runs: number): void {
    const inside = new Set(plan.blocks.map(({ offset }) => addressOf(plan, offset)))
    for (const { header, gpa, key } of pagesOf(plan).flatMap((page) => this.lists.ofPage(page))) {
      if (key !== plan.key || !inside.has(gpa)) continue
      const word = this.lists.entry(header)
      if (word > runs && word < ENTRY_NEVER) this.lists.setEntry(header, runs)
    }
  }

  /** How often everything decoded was dropped: headers of blocks are good for as long as this is the same. */
  get decodedFlushes(): number {
    return this.lists.flushes
  }

  /** Tells what lies around a block in linear memory. */
  around(block: DecodedBlock): Surroundings {
    return this.linear.around(block)
  }

  /** Linear addresses to which the run loop has gone from a linked region lately, and from those that it went to; those most often met first. */
  waysFrom(slot: number): readonly LinearAddress[] {
    return this.ways.from(slot)
  }

  /** The code bytes that a plan was made from, as they are now. */
  codeOf(plan: RegionSource['plan']): Uint8Array | undefined {
    return this.codeBytes.of(plan)
  }

  // ---- linking -------------------------------------------------------------------------------------------------------------------------

  /** Takes in the regions of one module and links those whose code is still what they were made from. */
  install(moduleBytes: number, made: readonly NewRegion[]): Region[] {
    this.noticeFlush()
    const batch: Batch = { id: this.nextId++, bytes: moduleBytes, regions: new Set() }
    this.batches.add(batch)
    this.bytes += moduleBytes
    const regions = made.map(({ source, fn, wasmBytes }) => {
      const region = new Region(this.nextId++, source, fn, batch, wasmBytes)
      batch.regions.add(region)
      this.regionCount++
      this.counters.installed++
      return region
    })
    this.makeRoom(batch)
    for (const region of regions) {
      this.index(region)
      if (!this.link(region, batch)) {
        this.counters.stale++
        this.countAgain(region)
      }
    }
    if (batch.regions.size === 0) this.forget(batch)
    this.forgetLost()
    return regions.filter((region) => region.slot >= 0)
  }

  /** Links a region that is in the cache already and begins at this block. */
  relink(block: DecodedBlock): boolean {
    this.noticeFlush()
    const linked = this.linkAgain(block)
    this.forgetLost()
    return linked
  }

  private linkAgain(block: DecodedBlock): boolean {
    for (const region of this.byEntry.get(entryKey(block.gpa, block.key)) ?? []) {
      if (region.source.plan.key !== block.key) continue
      if (region.slot >= 0) {
        // the block was decoded anew, or came into being, after the region was linked
        if (this.writeEntries(region)) return true
        continue
      }
      if (!this.link(region, region.batch)) continue
      this.counters.relinks++
      return true
    }
    return false
  }

  private link(region: Region, keep: Batch): boolean {
    if (!this.codeBytes.isCurrent(region.source.plan, region.source.code)) return false
    let slot = this.freeSlots.pop()
    while (slot === undefined) {
      if (!this.evictColdest(keep)) return false
      slot = this.freeSlots.pop()
    }
    region.slot = slot
    this.bySlot[slot] = region
    this.counts[slot] = 0
    if (!this.writeEntries(region)) {
      this.releaseSlot(region)
      return false
    }
    this.table.set(slot, region.fn)
    for (const page of pagesOf(region.source.plan)) {
      const linked = this.linkedByPage.get(page)
      if (linked === undefined) {
        this.linkedByPage.set(page, new Set([region]))
        this.lists.watch(page, true)
      } else linked.add(region)
    }
    return true
  }

  /** Writes the entry words of the region's entry blocks; false: all of them belong to other regions or are not there. */
  private writeEntries(region: Region): boolean {
    const { plan } = region.source
    const selectors = new Map(region.entries().map((gpa, selector) => [gpa, selector]))
    const robbed = new Set<Region>()
    let written = false
    for (const { header, gpa, key } of this.lists.ofPage(region.page)) {
      const selector = key === plan.key ? selectors.get(gpa) : undefined
      if (selector === undefined) continue
      const word = this.lists.entry(header)
      const owner = (word & ENTRY_TRANSLATED) === 0 ? undefined : this.bySlot[word & ENTRY_SLOT_MASK]
      if (owner !== undefined && owner !== region) {
        if (!region.hot || owner.hot) continue
        robbed.add(owner)
        this.lose(owner.slot)
      }
      this.lists.setEntry(header, (ENTRY_TRANSLATED | region.slot | (selector << ENTRY_SELECTOR_SHIFT)) >>> 0)
      written = true
    }
    for (const owner of robbed) if (this.entryOf(owner) === undefined) this.retire(owner)
    return written
  }

  /** The block at which a linked region can be entered, the first by selector. */
  private entryOf(region: Region): DecodedBlock | undefined {
    let first: DecodedBlock | undefined
    let least = Infinity
    for (const block of this.blocksOf(region)) {
      const selector = this.lists.entry(block.header) >>> ENTRY_SELECTOR_SHIFT
      if (selector < least) [first, least] = [block, selector]
    }
    return first
  }

  /** The blocks at which a linked region can be entered. */
  private blocksOf({ page, slot }: Region): DecodedBlock[] {
    return this.lists.ofPage(page).filter(({ header }) => {
      const word = this.lists.entry(header)
      return (word & ENTRY_TRANSLATED) !== 0 && (word & ENTRY_SLOT_MASK) === slot
    })
  }

  /** A hot region has taken all its entries. */
  private retire(region: Region): void {
    this.detach(region)
    this.remove(region)
  }

  // ---- what runs often ---------------------------------------------------------------------------------------------------------------------

  /**
   * Guest-physical addresses at which the linked regions of a page are entered, if that has happened `runs` times; the most often entered first. Hot ones
   * have been often enough, whatever they count since.
   */
  enteredIn(page: number, key: number, runs: number): number[] {
    const regions = [...(this.linkedByPage.get(page) ?? [])].filter(({ source }) => source.plan.key === key)
    const times = (region: Region): number => region.runs + (this.counts[region.slot] ?? 0)
    const often = regions.filter((region) => region.hot || times(region) >= runs).sort((a, b) => times(b) - times(a))
    return [...new Set(often.flatMap((region) => region.entries()))]
  }

  /**
   * Regions that are not hot ones and have been entered `runs` times (again), the most often entered first, at most `count`: each with the block at
   * which a better region should begin.
   */
  overdue(runs: number, count: number): { readonly region: Region; readonly block: DecodedBlock }[] {
    this.noticeFlush()
    const found: Region[] = []
    // slots are given out from 0 on
    for (let slot = 0; slot < this.bySlot.length; slot++) {
      if (this.counts[slot]! < runs) continue
      const region = this.bySlot[slot]
      if (region === undefined || region.slot !== slot || region.hot) continue
      this.collect(region)
      if (region.runs >= region.upgradeAt) found.push(region)
    }
    found.sort((a, b) => b.runs - b.upgradeAt - (a.runs - a.upgradeAt))
    return found.slice(0, count).flatMap((region) => {
      region.upgradeAt = region.runs + runs
      const block = this.entryOf(region)
      return block === undefined ? [] : [{ region, block }]
    })
  }

  private unlink(region: Region): void {
    for (const { header } of this.blocksOf(region)) this.lists.setEntry(header, 0)
    this.detach(region)
  }

  /** Takes a region whose entry words are gone out of the table. */
  private detach(region: Region): void {
    for (const page of pagesOf(region.source.plan)) {
      const linked = this.linkedByPage.get(page)
      linked?.delete(region)
      if (linked?.size !== 0) continue
      this.linkedByPage.delete(page)
      this.lists.watch(page, false)
    }
    this.collect(region)
    this.table.set(region.slot, null)
    this.releaseSlot(region)
  }

  private lose(slot: number): void {
    this.lost[slot] = 1
    this.anyLost = true
  }

  /** Before the guest runs again: jump caches have entry words, too. (When the core drops code it makes all that they have stale by itself.) */
  private forgetLost(): void {
    if (!this.anyLost) return
    this.lists.forgetSlots(this.lost, this.bySlot.length)
    this.lost.fill(0)
    this.anyLost = false
  }

  private releaseSlot(region: Region): void {
    this.lose(region.slot)
    this.bySlot[region.slot] = undefined
    this.freeSlots.push(region.slot)
    region.slot = -1
  }

  /** Blocks that wait for a translation that is of no use any more, and have been counted beyond the point at which they asked for it. */
  private countAgain(region: Region): void {
    const { plan } = region.source
    const entries = new Set(region.entries())
    for (const { header, gpa, key } of this.lists.ofPage(region.page)) {
      if (key === plan.key && entries.has(gpa) && (this.lists.entry(header) & ENTRY_TRANSLATED) === 0) this.lists.setEntry(header, 0)
    }
  }

  /** Forgets the linked regions with the block that begins at a guest-physical address. */
  drop(gpa: number, key: number): void {
    this.noticeFlush()
    for (const region of [...(this.linkedByPage.get(gpa - (gpa % PAGE_BYTES)) ?? [])]) {
      const { plan } = region.source
      if (plan.key !== key || !plan.blocks.some(({ offset }) => addressOf(plan, offset) === gpa)) continue
      this.unlink(region)
      this.remove(region)
    }
    this.forgetLost()
  }

  // ---- the guest's code changes -----------------------------------------------------------------------------------------------------------

  /**
   * Decoded blocks are gone, all of whose bytes are among these: regions that they watched over overlap them. Returns the pages on which regions were
   * unlinked. 0 bytes: a flush.
   */
  codeDropped(gpa: number, bytes: number): number[] {
    this.noticeFlush()
    const changed: number[] = []
    const end = gpa + bytes
    for (let page = gpa - (gpa % PAGE_BYTES); page < end; page += PAGE_BYTES) {
      const linked = this.linkedByPage.get(page)
      if (linked === undefined) continue
      let hit = false
      for (const region of [...linked]) {
        if (!region.has(gpa, bytes)) continue
        this.unlink(region)
        this.counters.invalidations++
        hit = true
      }
      if (hit) changed.push(page)
    }
    return changed
  }

  /** After everything decoded was dropped no entry word is left; its memory may hold anything. */
  noticeFlush(): void {
    const { flushes } = this.lists
    if (flushes === this.flushes) return
    this.flushes = flushes
    for (const linked of [...this.linkedByPage.values()]) for (const region of [...linked]) this.detach(region)
  }

  // ---- room ---------------------------------------------------------------------------------------------------------------------------------

  private makeRoom(keep: Batch): void {
    while (this.bytes > this.limits.bytes || this.regionCount > this.limits.regions) if (!this.evictColdest(keep)) return
  }

  /** Removes the module whose regions ran least since the last look; false: there is none but `keep`. */
  private evictColdest(keep: Batch): boolean {
    const young = Math.max(0, this.batches.size - YOUNG_BATCHES)
    let coldest: Batch | undefined
    let least = Infinity
    let position = 0
    for (const batch of this.batches) {
      // sets keep the order of insertion: the young come last, and only go when nothing else is left
      const heat = this.heat(batch) + (position++ >= young ? Number.MAX_SAFE_INTEGER / 2 : 0)
      if (batch === keep || heat >= least) continue
      coldest = batch
      least = heat
    }
    if (coldest === undefined) return false
    for (const region of [...coldest.regions]) {
      if (region.slot >= 0) this.unlink(region)
      this.remove(region)
      this.counters.evictions++
    }
    this.forget(coldest)
    return true
  }

  /** Entries since the last look count whole, older ones less and less. */
  private heat(batch: Batch): number {
    let heat = 0
    for (const region of batch.regions) {
      this.collect(region)
      heat += region.runs - region.runsSeen
      region.runsSeen += (region.runs - region.runsSeen) / 2
    }
    return heat
  }

  private collect(region: Region): void {
    if (region.slot < 0) return
    region.runs += this.counts[region.slot] ?? 0
    this.counts[region.slot] = 0
  }

  private index(region: Region): void {
    const { key } = region.source.plan
    for (const gpa of region.entries()) {
      const id = entryKey(gpa, key)
      const versions = this.byEntry.get(id)
      if (versions === undefined) this.byEntry.set(id, [region])
      else {
        // hot regions are found first
        if (region.hot) versions.unshift(region)
        else versions.push(region)
        const oldest = versions.length > VERSIONS_MAX ? versions.find((version) => version.slot < 0 && version !== region) : undefined
        if (oldest !== undefined) this.remove(oldest)
      }
    }
  }

  /** And its module, if nothing else is in it. */
  private remove(region: Region): void {
    const { key } = region.source.plan
    for (const gpa of region.entries()) {
      const id = entryKey(gpa, key)
      const left = (this.byEntry.get(id) ?? []).filter((other) => other !== region)
      if (left.length === 0) this.byEntry.delete(id)
      else this.byEntry.set(id, left)
    }
    if (region.batch.regions.delete(region)) this.regionCount--
    if (region.batch.regions.size === 0) this.forget(region.batch)
  }

  private forget(batch: Batch): void {
    if (this.batches.delete(batch)) this.bytes -= batch.bytes
  }

  // ---- what can be seen -----------------------------------------------------------------------------------------------------------------------

  get size(): { readonly regions: number; readonly linked: number; readonly bytes: number; readonly modules: number; readonly instructions: number } {
    let linked = 0
    let instructions = 0
    for (const region of this.regions()) {
      instructions += region.instructions
      if (region.slot >= 0) linked++
    }
    return { regions: this.regionCount, linked, bytes: this.bytes, modules: this.batches.size, instructions }
  }

  /** All regions, with up-to-date run counts. */
  *regions(): Generator<Region> {
    for (const batch of this.batches) {
      for (const region of batch.regions) {
        this.collect(region)
        yield region
      }
    }
  }

  regionAt(slot: number): Region | undefined {
    return this.bySlot[slot]
  }
}
