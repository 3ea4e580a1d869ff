/**
 * Translator and interpreter side by side, to find where they differ. Two machine cores with a memory each: the leader (translator) has the devices; the
 * follower (interpreter) meets the leader's accesses in the same order and gets the recorded answers (io-queue.ts), and whatever the host changes in the
 * leader's memory or vCPU is done to it at the same instruction. Each time a region has run, the follower runs as many instructions, and
 * the two are compared; so they are at the end of each slice, and from time to time all RAM pages that either wrote to.
 *
 * Slices end after an instruction that retired: only there do both mean the same by "so many instructions have run" (an interrupt or fault that was
 * delivered last is still ahead of the follower).
 */
import { VmmError } from '../../../errors/vmm-error'
import type { RegionFunction, RegionSource } from '../../code-cache/region'
import type { Engine, Exit } from '../../engine'
import * as L from '../../layout'
import type { MachineCore } from '../../machine-core'
import { InterpreterEngine } from '../interpreter'
import { disassembleRegion, type RegionInspector } from '../region-inspector'
import type { TranslationStats } from '../translation-stats'
import { TranslatorEngine, type TranslatorOptions } from '../translator'
import { Difference, type IoQueue } from './io-queue'
import { observed } from './observed-region'
import { CHANGEABLE, COMPARED, LAZY_FLAGS, RIP_WORDS, nameOf } from './vcpu-words'

/** Instructions between two comparisons of memory. */
const MEMORY_INTERVAL = 20_000_000
const PAGE = 4096
const TWO_TO_32 = 0x100000000
/** A guest that faults forever ends the interpreter's run without retiring anything. */
const RUNS_WITHOUT_PROGRESS = 100
const DIFFERENCES_SHOWN = 20
/** Both kinds of regions shall be compared, the generous ones soon. */
const HOT_ENTRIES = 3000
/** Parts of a vCPU that are caches: of no meaning to the other machine. */
const TLB_END = L.TLB + L.TLB_CONTEXTS * L.TLB_CONTEXT_BYTES
const JUMP_CACHE_END = L.JUMP_RECORDS + L.JUMP_CACHE_ENTRIES * 4
/** Changes of these alone need no derived state to be made anew. */
const PLAIN_STATE_END = L.SEGMENTS

interface Entered {
  readonly source: RegionSource
  retired: number
  registers: Int32Array
}

export class LockstepEngine implements Engine {
  readonly name = 'lockstep'
  readonly leader: TranslatorEngine
  private readonly follower: InterpreterEngine
  private readonly ours: Int32Array
  private readonly theirs: Int32Array
  private readonly vcpu = L.VCPU_BASE
  private readonly word = L.VCPU_BASE >> 2
  private readonly before = new Int32Array(L.SYSTEM_EXTRA >> 2)
  /** The leader's vCPU at the end of the latest slice; undefined: nothing has run yet. */
  private atEnd: Int32Array | undefined
  private entered: Entered | undefined
  private memoryComparedAt = 0
  private comparisons = 0

  constructor(
    private readonly leaderCore: MachineCore,
    private readonly followerCore: MachineCore,
    private readonly queue: IoQueue,
    private readonly ramBytes: number,
    options: TranslatorOptions,
  ) {
    this.ours = new Int32Array(leaderCore.memory.buffer)
    this.theirs = new Int32Array(followerCore.memory.buffer)
    this.follower = new InterpreterEngine(followerCore)
    this.leader = new TranslatorEngine(leaderCore, { hotEntries: HOT_ENTRIES, ...options, synchronous: true, decorate: (fn, source) => this.observe(fn, source) })
  }

  run(vcpuBase: number, budget: number): Exit {
    this.adoptChanges()
    try {
      const exit = this.runLeader(vcpuBase, budget)
      if (exit.kind === 'shutdown' || exit.kind === 'unimplemented') return exit
      this.catchUp(this.retired(this.ours))
      const owed = this.queue.owed()
      if (owed !== undefined) throw new Difference(`the translator has made an access that the interpreter does not: ${owed}`)
      this.compare()
      if (this.retired(this.ours) - this.memoryComparedAt >= MEMORY_INTERVAL) this.compareMemory()
      this.atEnd = this.ours.slice(this.word, this.word + (L.TLB >> 2))
      return exit
    } catch (error) {
      if (error instanceof Difference) throw new VmmError('internal/bug', this.report(error.message))
      throw error
    }
  }

  requestAttention(vcpuBase: number): void {
    this.leader.requestAttention(vcpuBase)
  }

  get inspector(): RegionInspector {
    return this.leader.inspector
  }

  translationStats(): TranslationStats {
    return this.leader.translationStats()
  }

  /** How often leader and follower were compared. */
  get compared(): number {
    return this.comparisons
  }

  private runLeader(vcpuBase: number, budget: number): Exit {
    const exit = this.leader.run(vcpuBase, budget)
    if (exit.kind !== 'mailbox') return exit
    // it may have stopped right after it delivered something
    for (let i = 0; i < RUNS_WITHOUT_PROGRESS; i++) {
      const more = this.leader.run(vcpuBase, 1)
      if (more.kind === 'deadline') return exit
      if (more.kind !== 'mailbox') return more
    }
    return exit
  }

  // ---- what the host changes ------------------------------------------------------------------------------------------------------------

  /** Runs a device's work for the leader, and notes what it changed in the vCPU. */
  around<T>(ask: () => T): T {
    const { ours, word, queue, before } = this
    before.set(ours.subarray(word, word + before.length))
    const answer = ask()
    const changes: (readonly [at: number, value: number])[] = []
    for (const at of CHANGEABLE) if (ours[word + at] !== before[at]) changes.push([at, ours[word + at]!])
    const changed = (before[L.ATTENTION >> 2]! ^ ours[word + (L.ATTENTION >> 2)]!) & ~L.ATTENTION_HOST
    if (changes.length > 0 || changed !== 0) {
      const set = ours[word + (L.ATTENTION >> 2)]! & changed
      queue.effect(() => this.changeFollower(changes, changed, set))
    }
    return answer
  }

  private changeFollower(changes: readonly (readonly [at: number, value: number])[], attention: number, set: number): void {
    const { theirs, word } = this
    for (const [at, value] of changes) theirs[word + at] = value
    theirs[word + (L.ATTENTION >> 2)] = (theirs[word + (L.ATTENTION >> 2)]! & ~attention) | set
    if (changes.some(([at]) => at * 4 >= PLAIN_STATE_END && at * 4 < L.ATTENTION)) {
      this.followerCore.core('refresh_mode')(this.vcpu)
      this.followerCore.core('reset_tlb')(this.vcpu)
    }
  }

  /** Between two slices: requests for attention are passed on; a vCPU that was set up anew means that memory was, too. */
  private adoptChanges(): void {
    const { ours, theirs, word, atEnd } = this
    if (atEnd === undefined || CHANGEABLE.some((at) => ours[word + at] !== atEnd[at])) this.copyAll()
    theirs[word + (L.ATTENTION >> 2)] = ours[word + (L.ATTENTION >> 2)]! & ~L.ATTENTION_HOST
  }

  /** Makes the follower what the leader is. */
  private copyAll(): void {
    const { ours, theirs, word } = this
    this.followerCore.core('flush_code')()
    for (const [from, to] of [[0, L.TLB], [TLB_END, L.JUMP_CACHE], [JUMP_CACHE_END, L.VCPU_STRIDE]] as const) {
      theirs.set(ours.subarray(word + (from >> 2), word + (to >> 2)), word + (from >> 2))
    }
    theirs[word + (L.CURRENT_RECORD >> 2)] = 0
    theirs[word + (L.RETIRED >> 2)] = this.retired(ours) % TWO_TO_32
    theirs[word + (L.RETIRED >> 2) + 1] = Math.floor(this.retired(ours) / TWO_TO_32)
    theirs[word + (L.BUDGET >> 2)] = 0
    theirs[word + (L.SLICE >> 2)] = 0
    for (let at = L.PHYSMAP >> 2; at < (L.PHYSMAP >> 2) + L.PHYSMAP_PAGES; at++) theirs[at] = ours[at]! & ~L.PHYS_CODE
    for (let page = L.RAM_BASE; page < ours.byteLength; page += PAGE) if (!this.samePage(page)) this.copyPage(page)
    this.followerCore.core('refresh_mode')(this.vcpu)
    this.followerCore.core('reset_tlb')(this.vcpu)
  }

  private copyPage(page: number): void {
    this.theirs.set(this.ours.subarray(page >>> 2, (page + PAGE) >>> 2), page >>> 2)
  }

  private samePage(page: number): boolean {
    const { ours, theirs } = this
    for (let at = page >>> 2; at < (page + PAGE) >>> 2; at++) if (ours[at] !== theirs[at]) return false
    return true
  }

  // ---- running side by side ---------------------------------------------------------------------------------------------------------------

  private observe(fn: RegionFunction, source: RegionSource): RegionFunction {
    const entered: Entered = { source, retired: 0, registers: new Int32Array(0) }
    return observed(
      this.leaderCore.memory,
      fn,
      () => {
        entered.retired = this.retired(this.ours)
        entered.registers = this.ours.slice(this.word, this.word + (L.SEGMENTS >> 2))
      },
      () => {
        const retired = this.retired(this.ours)
        if (retired === entered.retired) return
        this.entered = entered
        this.catchUp(retired)
        this.compare()
        this.entered = undefined
      },
    )
  }

  private retired(words: Int32Array): number {
    const at = (offset: number): number => words[this.word + (offset >> 2)]!
    return (at(L.RETIRED) >>> 0) + at(L.RETIRED + 4) * TWO_TO_32 + at(L.SLICE) - at(L.BUDGET)
  }

  private catchUp(target: number): void {
    let fruitless = 0
    for (let left = target - this.retired(this.theirs); left !== 0;) {
      if (left < 0) throw new Difference(`the interpreter is ${-left} instructions ahead`)
      const exit = this.follower.run(this.vcpu, left)
      const now = target - this.retired(this.theirs)
      if (now > 0 && (exit.kind === 'halted' || exit.kind === 'shutdown')) throw new Difference(`the interpreter is ${exit.kind}, ${now} instructions early`)
      if (now === left && ++fruitless > RUNS_WITHOUT_PROGRESS) throw new Difference('the interpreter makes no progress')
      left = now
    }
  }

  private compare(): void {
    const { ours, theirs, word } = this
    this.comparisons++
    for (const at of COMPARED) if (ours[word + at] !== theirs[word + at]) throw new Difference('registers differ')
    if (RIP_WORDS.some((at) => ours[word + at] !== theirs[word + at])) throw new Difference('RIP differs')
    if (LAZY_FLAGS.some((at) => ours[word + at] !== theirs[word + at]) && this.flags(this.leaderCore) !== this.flags(this.followerCore)) {
      throw new Difference('status flags differ')
    }
  }

  private flags(core: MachineCore): number {
    return core.core('status_flags')(this.vcpu)
  }

  /** All pages that either has written to since the latest comparison. */
  private compareMemory(): void {
    this.memoryComparedAt = this.retired(this.ours)
    const marks = [this.leaderCore, this.followerCore].map(({ memory }) => new Uint8Array(memory.buffer, L.DIRTY_MAP + L.RAM_BASE / PAGE, this.ramBytes / PAGE))
    const [ourMarks, theirMarks] = marks as [Uint8Array, Uint8Array]
    for (let i = 0; i < ourMarks.length; i++) {
      if (ourMarks[i] === 0 && theirMarks[i] === 0) continue
      const page = L.RAM_BASE + i * PAGE
      if (this.samePage(page)) continue
      let at = page >>> 2
      while (this.ours[at] === this.theirs[at]) at++
      throw new Difference(`RAM differs at ${hex((at * 4 - L.RAM_BASE) >>> 0)}: translator ${hex(this.ours[at]! >>> 0)}, interpreter ${hex(this.theirs[at]! >>> 0)}`)
    }
    for (const mark of marks) mark.fill(0)
    for (const core of [this.leaderCore, this.followerCore]) core.core('flush_write_tlb')(this.vcpu)
  }

  // ---- the report -------------------------------------------------------------------------------------------------------------------------

  private report(what: string): string {
    const { ours, theirs, word, entered } = this
    const lines = [`lockstep: ${what}, after ${this.retired(ours)} instructions and ${this.comparisons} comparisons`]
    const show = (at: number): string => `  ${nameOf(at)}: translator ${hex(ours[word + at]! >>> 0)}, interpreter ${hex(theirs[word + at]! >>> 0)}`
    lines.push(...[...COMPARED, ...RIP_WORDS].filter((at) => ours[word + at] !== theirs[word + at]).slice(0, DIFFERENCES_SHOWN).map(show))
    const [flags, expected] = [this.flags(this.leaderCore), this.flags(this.followerCore)]
    if (flags !== expected) lines.push(`  status flags: translator ${hex(flags)}, interpreter ${hex(expected)}`)
    if (entered === undefined) lines.push('not in a region: at the end of a slice')
    else {
      const { source, registers, retired } = entered
      const register = (i: number): string => `${nameOf(i * 2)}=${hex(registers[i * 2 + 1]! >>> 0)}_${hex(registers[i * 2]! >>> 0)}`
      lines.push(`in the region at ${hex(source.plan.page + source.plan.blocks[0]!.offset)}, key ${source.plan.key}, entered at instruction ${retired} with`)
      lines.push(`  ${Array.from({ length: 16 }, (_, i) => register(i)).join(' ')} rip=${hex(registers[L.REG_RIP >> 2]! >>> 0)}`)
      lines.push(...disassembleRegion(source))
    }
    return lines.join('\n')
  }
}

const hex = (n: number): string => n.toString(16)
