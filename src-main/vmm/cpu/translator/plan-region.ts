/**
 * Forms a region: from a hot block along jumps, branches and calls to all blocks that have been decoded, that is executed, already: of its page, and when it is
 * known what lies around that, of other pages. Reads the decoder's cache in the machine's memory and copies what it takes. Runs in the machine's thread for
 * each region, so it makes no objects that it can do without.
 *
 * A generous plan takes whatever it can reach. A sparing one (RegionRules.sparing) leaves to other regions what those begin with: kernels are broad, and
 * with generous plans alone each instruction was compiled five times, in regions that shared most of their code.
 */
import { forms } from '../isa/forms'
import type { Form } from '../isa/form'
import * as L from '../layout'
import { HOT_THRESHOLD } from '../layout-decode'
import { PAGE_BYTES, addressOf, distanceOf, inPage, type PlannedBlock, type RegionPlan } from './region-plan'
import { finalTransferOf, transferOf, waysOf, type Ending, type Transfer } from './successors'
import { executionOf } from './translatable'

export interface RegionRules {
  readonly instructions: number
  readonly blocks: number
  readonly entries: number
  /** Calls are not followed, and blocks with which other regions begin are left to them. */
  readonly sparing?: boolean
  /** Sparing: whether a region that begins with this block is being made. */
  readonly isPending?: (gpa: number, key: number) => boolean
  /** Guest-physical addresses at which the region shall be entered, too, if it comes to have them. */
  readonly entered?: readonly number[]
  /** Offsets from the start of the region's page to which indirect jumps and calls may go, those most often met first. */
  readonly aims?: readonly number[]
  /** Guest-physical address of the page with the code at an offset from the start of the region's page; undefined: not known. */
  readonly pageAt?: ((offset: number) => number | undefined) | undefined
  /** Whether the block that begins at a guest-physical address finds the x87's stack not as it expects it. */
  readonly isUntracked?: (gpa: number, key: number) => boolean
  /** Header of the block with the instruction at a guest-physical address that goes on at the beginning of another page; 0: there is none. */
  readonly crossing?: (gpa: number, second: number, key: number) => number
}
export const GENEROUS: RegionRules = { instructions: 200, blocks: 40, entries: 6 }
/** Each block behind a call is an entry: as a region of its own it would be a copy of the rest of this one. */
export const SPARING: RegionRules = { instructions: 200, blocks: 40, entries: 40, sparing: true }
/** A block belongs to the region when it ran at least once while its head ran so often: what is hardly ever reached would only cost compile time. */
export const COLDNESS = 16
/** Targets of indirect jumps and calls in a region. */
export const AIMS_MAX = 24

/** Pages of a region besides its own. */
export const OTHER_PAGES_MAX = 7

/** An instruction has no more. */
const INSTRUCTION_BYTES_MAX = 15
const CODE_MODE = 3
const CODE_64 = 2

interface Located {
  readonly record: number
  /** Offset of the next instruction. */
  readonly end: number
  /** 'elsewhere' when the region ends with it. */
  readonly transfer: Transfer
}

/** `header`: address of the hot block's header. undefined: its first instruction is one that only the interpreter can execute. */
export function planRegion(view: DataView, header: number, rules: RegionRules = GENEROUS): RegionPlan | undefined {
  const gpa = Number(view.getBigUint64(header + L.BLOCK_GPA, true))
  const key = view.getUint32(header + L.BLOCK_MODE, true)
  const page = gpa - (gpa % PAGE_BYTES)
  const pages = new PlannedPages(view, page, key, rules, gpa - page)
  const found = new Map<number, Located>()
  const leaders = new Set<number>()
  const wanted: number[] = [gpa - page]
  /** Targets of indirect jumps and calls: what no other way leads to. */
  const aims: number[] = []
  let isAimed = false
  /** Behind calls that leave the region: where it will be entered again. */
  const backs: number[] = []
  const comeBack = (to: number): void => {
    backs.push(to)
    wanted.push(to)
  }

  for (let i = 0; leaders.size < rules.blocks; i++) {
    if (i === wanted.length && isAimed && aims.length < AIMS_MAX) {
      const aim = nextAim(rules.aims ?? [], pages, wanted, aims)
      if (aim === undefined) break
      aims.push(aim)
      wanted.push(aim)
    }
    const offset = wanted[i]
    if (offset === undefined) break
    if (leaders.has(offset)) continue
    if (found.has(offset)) {
      leaders.add(offset)
      continue
    }
    const block = pages.blockAt(offset) || pages.crossingAt(offset)
    if (block === 0) continue
    const run = takeRun(view, block, key, offset, found, pages, rules.instructions - found.size)
    if (run.last === undefined) continue
    leaders.add(offset)
    if (run.meets !== undefined) wanted.push(run.meets)
    if (!run.whole) continue
    const { record, end, transfer } = found.get(run.last)!
    switch (transfer) {
      case 'jump':
        wanted.push(targetOf(view, record, end))
        break
      case 'branch':
        wanted.push(end, targetOf(view, record, end))
        break
      case 'call':
        if (rules.sparing !== true) wanted.push(targetOf(view, record, end))
        comeBack(end)
        break
      case 'next':
        wanted.push(end)
        break
      case 'return':
        break
      case 'indirect-jump':
        isAimed = true
        break
      case 'indirect-call':
        isAimed = true
        comeBack(end)
        break
      case 'resume':
        comeBack(end)
        break
      case 'elsewhere':
        if (!NEVER_BACK.has(formOf(view, record).operation)) comeBack(end)
        break
    }
  }
  if (!leaders.has(gpa - page)) return undefined
  const entries = new Set([gpa - page])
  for (const back of [...backs, ...(rules.entered ?? []).map((entry) => entry - page)]) {
    // other pages' blocks are entered through regions of their own
    if (leaders.has(back) && distanceOf(back) === 0 && entries.size < rules.entries) entries.add(back)
  }
  const reached = aims.filter((aim) => leaders.has(aim))
  const runs = basicBlocks(view, leaders, found, [...entries], reached)
  const plan = { page, key, brief: rules.sparing === true, ...pages.otherPages(runs), ...assemble(view, runs, [...entries], reached) }
  const { isUntracked } = rules
  if (isUntracked === undefined) return plan
  return { ...plan, blocks: plan.blocks.map((block) => (isUntracked(addressOf(plan, block.offset), key) ? { ...block, untracked: true } : block)) }
}

/** The region's head is in `wanted` first, whatever leads to it. What is entered behind a call is where that returns to. */
function nextAim(candidates: readonly number[], pages: PlannedPages, wanted: readonly number[], aims: readonly number[]): number | undefined {
  return candidates.find((offset) => !aims.includes(offset) && !wanted.includes(offset, 1) && !pages.isBehindCall(offset))
}

/** Other instructions than these most likely come back behind themselves: calls of all kinds, and what a region does not execute among others. */
const NEVER_BACK: ReadonlySet<string> = new Set(['jmp_near', 'jmp_far', 'ret', 'ret_imm', 'retf', 'retf_imm', 'iret', 'sysret', 'sysexit'])

const CALLS: ReadonlySet<string> = new Set(['call_rel', 'call_near'])

function formOf(view: DataView, record: number): Form {
  const form = forms[view.getUint16(record + L.REC_HANDLER, true)] ?? forms[0]
  if (form === undefined) throw new Error('the instruction table is empty')
  return form
}

/** Displacements have at most 32 bits. */
function targetOf(view: DataView, record: number, end: number): number {
  return end + view.getInt32(record + L.REC_IMM, true)
}

/** Of a page: headers of its warm blocks by offset, 0: none; and which offsets are left to other regions. */
interface PageView {
  readonly page: number
  readonly decoded: Int32Array
  readonly left: Uint8Array
  /** Generous plans: where calls return to. */
  readonly behindCalls: Set<number>
}

/** Views that are used again and again: all but the parts that the last plan filled are 0. */
const views: PageView[] = []

/** The pages that a plan may take blocks from. */
class PlannedPages {
  /** By distance from the region's page. */
  private readonly known = new Map<number, PageView>()
  private used = 0

  constructor(
    private readonly view: DataView,
    page: number,
    private readonly key: number,
    private readonly rules: RegionRules,
    head: number,
  ) {
    this.known.set(0, this.look(page, head))
  }

  /** Header of the warm block at an offset; 0: none, or left to other regions. */
  blockAt(offset: number): number {
    const seen = this.at(offset)
    return seen === undefined || seen.left[inPage(offset)] !== 0 ? 0 : seen.decoded[inPage(offset)]!
  }

  /** Header of the block with the instruction at an offset that crosses the page's end; 0: none. */
  crossingAt(offset: number): number {
    const { rules, key } = this
    const first = PAGE_BYTES - inPage(offset)
    const page = this.isWhole && first < INSTRUCTION_BYTES_MAX ? this.at(offset)?.page : undefined
    if (page === undefined || rules.crossing === undefined) return 0
    // what lies in memory behind it is known where the instruction behind it was found
    for (let bytes = first + 1; bytes <= INSTRUCTION_BYTES_MAX; bytes++) {
      const second = this.pageFor(offset + bytes)
      if (second !== undefined) return rules.crossing(page + inPage(offset), second.page, key)
    }
    return 0
  }

  isLeft(offset: number): boolean {
    return this.at(offset)?.left[inPage(offset)] === 1
  }

  isBehindCall(offset: number): boolean {
    return this.at(offset)?.behindCalls.has(inPage(offset)) === true
  }

  otherPages(runs: readonly Run[]): Pick<RegionPlan, 'others'> {
    const distances = new Set(runs.flatMap((run) => [distanceOf(run.offset), distanceOf(run.end - 1)]))
    const others = Array.from(this.known).flatMap(([distance, seen]) => (distance !== 0 && distances.has(distance) ? [{ distance, page: seen.page }] : []))
    return others.length === 0 ? {} : { others }
  }

  private at(offset: number): PageView | undefined {
    // a sparing region goes into the next page with a crossing instruction, and no further
    return this.rules.sparing === true && distanceOf(offset) !== 0 ? undefined : this.pageFor(offset)
  }

  /** When it is not one of the plan's pages yet it becomes one. */
  private pageFor(offset: number): PageView | undefined {
    const distance = distanceOf(offset)
    const seen = this.known.get(distance)
    if (seen !== undefined) return seen
    const page = this.isWhole && this.used <= OTHER_PAGES_MAX ? this.rules.pageAt?.(offset) : undefined
    // one page at two places would make offsets ambiguous
    const isNew = page !== undefined && ![...this.known.values()].some((one) => one.page === page)
    const found = isNew ? this.look(page, -1) : undefined
    // what is not found for one offset may be for another
    if (found !== undefined) this.known.set(distance, found)
    return found
  }

  /** The region's code may lie in several pages. */
  private get isWhole(): boolean {
    return (this.key & L.KEY_FLAT) !== 0 || (this.key & CODE_MODE) === CODE_64
  }

  private look(page: number, head: number): PageView {
    const { view, key } = this
    const { sparing = false, isPending } = this.rules
    const behindCalls = new Set<number>()
    const seen = { page, behindCalls, decoded: views[this.used]?.decoded ?? new Int32Array(PAGE_BYTES), left: views[this.used]?.left ?? new Uint8Array(PAGE_BYTES) }
    views[this.used++] = seen
    seen.decoded.fill(0)
    seen.left.fill(0)
    const threshold = view.getUint32(HOT_THRESHOLD, true)
    for (let at = view.getUint32(L.CODE_PAGES + (page / PAGE_BYTES) * L.CODE_PAGE_BYTES, true); at !== 0; at = view.getUint32(at + L.BLOCK_NEXT_IN_PAGE, true)) {
      if (view.getUint32(at + L.BLOCK_MODE, true) !== key) continue
      const offset = view.getUint32(at + L.BLOCK_GPA, true) % PAGE_BYTES
      // beyond what is counted are the marks of translated blocks, and of those that are not counted
      const entry = view.getUint32(at + L.BLOCK_ENTRY, true)
      if (entry * COLDNESS >= threshold) seen.decoded[offset] = at
      if (!sparing && CALLS.has(formOf(view, at + L.BLOCK_HEADER_BYTES + (view.getUint32(at + L.BLOCK_RECORDS, true) - 1) * L.REC_BYTES).operation)) {
        behindCalls.add(offset + view.getUint32(at + L.BLOCK_CODE_BYTES, true))
      }
      if (sparing && offset !== head && (entry >= L.ENTRY_TRANSLATED || isPending?.(page + offset, key) === true)) seen.left[offset] = 1
    }
    return seen
  }
}

interface TakenRun {
  /** Offset of the last instruction that was taken. */
  readonly last: number | undefined
  /** Up to the block's last instruction. */
  readonly whole: boolean
  /** Offset of an instruction that was there before. */
  readonly meets?: number
}

function takeRun(
  view: DataView,
  header: number,
  key: number,
  start: number,
  found: Map<number, Located>,
  pages: PlannedPages,
  room: number,
): TakenRun {
  const count = view.getUint32(header + L.BLOCK_RECORDS, true)
  let offset = start
  let last: number | undefined
  for (let i = 0; i < count && i < room; i++) {
    if (found.has(offset)) return { last, whole: false, meets: offset }
    if (pages.isLeft(offset)) return { last, whole: false }
    const record = header + L.BLOCK_HEADER_BYTES + i * L.REC_BYTES
    const form = formOf(view, record)
    const execution = executionOf(form, key)
    if (execution === 'never') return { last, whole: false }
    const final = execution === 'final'
    const end = offset + view.getUint8(record + L.REC_LENGTH)
    found.set(offset, { record, end, transfer: final ? finalTransferOf({ form }) : transferOf({ form }) })
    last = offset
    offset = end
    if (final) return { last, whole: true }
  }
  return { last, whole: count <= room }
}

interface Run extends Ending {
  readonly records: readonly number[]
}

/** Cuts what was found into basic blocks: from each leader to a transfer of control or the next leader. Those that no entry leads to are left out. */
function basicBlocks(
  view: DataView,
  leaders: ReadonlySet<number>,
  found: ReadonlyMap<number, Located>,
  entries: readonly number[],
  aims: readonly number[],
): readonly Run[] {
  const runs = Array.from(leaders, (start): Run => {
    const records: number[] = []
    let end = start
    let transfer: Transfer = 'next'
    for (let located = found.get(start); located !== undefined; located = found.get(end)) {
      records.push(located.record)
      ;({ end, transfer } = located)
      if (transfer !== 'next' || leaders.has(end)) break
    }
    const last = records.at(-1)
    return { offset: start, transfer, end, target: last === undefined ? end : targetOf(view, last, end), records }
  })
  const ways = waysOf(runs, aims)
  const numbers = new Map(runs.map((run, number) => [run.offset, number]))
  const reached = new Set<number>()
  const visit = [...entries]
  for (let offset = visit.pop(); offset !== undefined; offset = visit.pop()) {
    const number = numbers.get(offset)
    if (number === undefined || reached.has(number)) continue
    reached.add(number)
    visit.push(...(ways[number] ?? []))
  }
  return runs.filter((_, number) => reached.has(number))
}

function assemble(
  view: DataView,
  runs: readonly Run[],
  entries: readonly number[],
  aims: readonly number[],
): Pick<RegionPlan, 'records' | 'blocks' | 'entries' | 'aims'> {
  const memory = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  const records = new Uint8Array(runs.reduce((sum, run) => sum + run.records.length, 0) * L.REC_BYTES)
  let first = 0
  const blocks = runs.map((run): PlannedBlock => {
    run.records.forEach((record, i) => records.set(memory.subarray(record, record + L.REC_BYTES), (first + i) * L.REC_BYTES))
    const block = { offset: run.offset, bytes: run.end - run.offset, first, count: run.records.length }
    first += run.records.length
    return block
  })
  const numbersOf = (offsets: readonly number[]): number[] => offsets.map((offset) => runs.findIndex((run) => run.offset === offset)).filter((number) => number >= 0)
  return { records, blocks, entries: numbersOf(entries), aims: numbersOf(aims) }
}
