/**
 * Forms a region: from a hot block along jumps, branches and calls to all blocks of the page that have been decoded, that is executed, already. Reads the
 * decoder's cache in the machine's memory and copies what it takes.
 */
import * as L from '../layout'
import { HOT_THRESHOLD } from '../layout-decode'
import { decodeRecord } from './decoded-instruction'
import type { DecodedInstruction } from './decoded-instruction'
import type { PlannedBlock, RegionPlan } from './region-plan'
import { successorsOf, transferOf } from './successors'
import { executionOf } from './translatable'

export interface RegionLimits {
  readonly instructions: number
  readonly blocks: number
  readonly entries: number
}
export const REGION_LIMITS: RegionLimits = { instructions: 200, blocks: 40, entries: 6 }
/** A block belongs to the region when it ran at least once while its head ran so often: what is hardly ever reached would only cost compile time. */
const COLDNESS = 16

interface Located {
  readonly instruction: DecodedInstruction
  readonly record: number
  /** The region ends with it. */
  readonly final: boolean
}

/** `header`: address of the hot block's header. undefined: its first instruction is one that only the interpreter can execute. */
export function planRegion(view: DataView, header: number, limits: RegionLimits = REGION_LIMITS): RegionPlan | undefined {
  const gpa = Number(view.getBigUint64(header + L.BLOCK_GPA, true))
  const key = view.getUint32(header + L.BLOCK_MODE, true)
  const page = gpa - (gpa % 0x1000)
  const decoded = decodedBlocks(view, page, key)
  const found = new Map<number, Located>()
  const leaders: number[] = []
  const wanted: number[] = [gpa - page]
  /** Behind calls that leave the region: where it will be entered again. */
  const backs: number[] = []

  for (let offset = wanted.shift(); offset !== undefined; offset = wanted.shift()) {
    if (leaders.includes(offset)) continue
    if (leaders.length >= limits.blocks) break
    if (found.has(offset)) {
      leaders.push(offset)
      continue
    }
    const block = decoded.get(offset)
    if (block === undefined) continue
    const run = takeRun(view, block, offset, found, limits.instructions - found.size)
    if (run.taken.length === 0) continue
    leaders.push(offset)
    if (run.meets !== undefined) wanted.push(run.meets)
    const last = run.taken.at(-1)
    if (last === undefined || !run.whole) continue
    const next = last.offset + last.length
    const target = next + Number(last.immediate)
    if (found.get(last.offset)?.final === true) {
      if (comesBack(last)) {
        backs.push(next)
        wanted.push(next)
      }
      continue
    }
    switch (transferOf(last)) {
      case 'jump':
        wanted.push(target)
        break
      case 'branch':
        wanted.push(next, target)
        break
      case 'call':
        backs.push(next)
        wanted.push(target, next)
        break
      case 'next':
        wanted.push(next)
        break
      case 'return':
        break
      case 'elsewhere':
        if (comesBack(last)) {
          backs.push(next)
          wanted.push(next)
        }
        break
    }
  }
  if (!leaders.includes(gpa - page)) return undefined
  const entries = [gpa - page]
  for (const back of backs) if (leaders.includes(back) && !entries.includes(back) && entries.length < limits.entries) entries.push(back)
  return assemble(view, page, key, basicBlocks(leaders, found, entries), entries)
}

const NEVER_BACK: ReadonlySet<string> = new Set(['jmp_near', 'jmp_far', 'ret', 'ret_imm', 'retf', 'retf_imm', 'iret', 'sysret', 'sysexit'])

/** Execution most likely goes on behind the instruction: calls of all kinds, and what a region does not execute among others. */
const comesBack = ({ form }: DecodedInstruction): boolean => !NEVER_BACK.has(form.operation)

/** Offset -> header of the page's decoded blocks of that key. */
function decodedBlocks(view: DataView, page: number, key: number): ReadonlyMap<number, number> {
  const blocks = new Map<number, number>()
  for (let at = view.getUint32(L.CODE_PAGES + (page / 0x1000) * L.CODE_PAGE_BYTES, true); at !== 0; at = view.getUint32(at + L.BLOCK_NEXT_IN_PAGE, true)) {
    if (view.getUint32(at + L.BLOCK_MODE, true) !== key) continue
    // counts go up to the threshold; beyond are the marks of translated blocks, and of those that are not counted
    const runs = view.getUint32(at + L.BLOCK_ENTRY, true)
    if (runs * COLDNESS >= view.getUint32(HOT_THRESHOLD, true)) blocks.set(Number(view.getBigUint64(at + L.BLOCK_GPA, true)) - page, at)
  }
  return blocks
}

interface TakenRun {
  readonly taken: readonly DecodedInstruction[]
  /** Up to the block's last instruction. */
  readonly whole: boolean
  /** Offset of an instruction that was there before. */
  readonly meets: number | undefined
}

function takeRun(view: DataView, header: number, start: number, found: Map<number, Located>, room: number): TakenRun {
  const count = view.getUint32(header + L.BLOCK_RECORDS, true)
  const taken: DecodedInstruction[] = []
  let offset = start
  for (let i = 0; i < count && taken.length < room; i++) {
    if (found.has(offset)) return { taken, whole: false, meets: offset }
    const record = header + L.BLOCK_HEADER_BYTES + i * L.REC_BYTES
    const instruction = decodeRecord(view, record, offset)
    const execution = executionOf(instruction.form, view.getUint32(header + L.BLOCK_MODE, true))
    if (execution === 'never') return { taken, whole: false, meets: undefined }
    found.set(offset, { instruction, record, final: execution === 'final' })
    taken.push(instruction)
    offset += instruction.length
    if (execution === 'final') return { taken, whole: true, meets: undefined }
  }
  return { taken, whole: taken.length === count, meets: undefined }
}

interface Run {
  readonly offset: number
  readonly instructions: readonly DecodedInstruction[]
  readonly records: readonly number[]
  readonly final: boolean
}

/** Cuts what was found into basic blocks: from each leader to a transfer of control or the next leader. Those that no entry leads to are left out. */
function basicBlocks(leaders: readonly number[], found: ReadonlyMap<number, Located>, entries: readonly number[]): readonly Run[] {
  const starts = new Set(leaders)
  const runs = leaders.map((start) => {
    const run: Located[] = []
    let offset = start
    for (let located = found.get(offset); located !== undefined; located = found.get(offset)) {
      run.push(located)
      offset += located.instruction.length
      if (located.final || transferOf(located.instruction) !== 'next' || starts.has(offset)) break
    }
    return { offset: start, instructions: run.map(({ instruction }) => instruction), records: run.map(({ record }) => record), final: run.at(-1)?.final === true }
  })
  const ways = successorsOf(runs)
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

function assemble(view: DataView, page: number, key: number, runs: readonly Run[], entries: readonly number[]): RegionPlan {
  const records = runs.flatMap((run) => run.records)
  const copies = new Uint8Array(records.length * L.REC_BYTES)
  records.forEach((record, i) => copies.set(new Uint8Array(view.buffer, view.byteOffset + record, L.REC_BYTES), i * L.REC_BYTES))
  let first = 0
  const blocks: PlannedBlock[] = runs.map(({ offset, instructions }) => {
    const bytes = instructions.reduce((sum, { length }) => sum + length, 0)
    const block = { offset, bytes, first, count: instructions.length }
    first += instructions.length
    return block
  })
  return { page, key, records: copies, blocks, entries: entries.map((entry) => runs.findIndex((run) => run.offset === entry)) }
}
