/** Where a basic block may go on within its page. */
import type { DecodedInstruction } from './decoded-instruction'

interface Run {
  readonly offset: number
  readonly instructions: readonly DecodedInstruction[]
  /** Its last instruction leaves the region, whatever it is. */
  readonly final: boolean
}

/** Kinds of control transfer that a region follows. */
export type Transfer = 'next' | 'jump' | 'branch' | 'call' | 'return' | 'indirect-jump' | 'indirect-call' | 'elsewhere'

/** A run's end, as far as it matters for what comes next. */
export interface Ending {
  /** Offset of the run's first instruction. */
  readonly offset: number
  /** Of its last instruction; 'elsewhere' when that leaves the region, whatever it is. */
  readonly transfer: Transfer
  /** Offset behind it. */
  readonly end: number
  /** Offset at which a jump, branch or call goes on. */
  readonly target: number
}

/** More returns or more places to return to are not followed: each return would compare with each place. */
const RETURNS_MAX = 4

export function transferOf({ form }: Pick<DecodedInstruction, 'form'>): Transfer {
  switch (form.operation) {
    case 'jmp_rel':
      return 'jump'
    case 'jcc':
    case 'loop':
    case 'loope':
    case 'loopne':
    case 'jcxz':
      return 'branch'
    case 'call_rel':
      return 'call'
    case 'ret':
    case 'ret_imm':
      return 'return'
    case 'jmp_near':
      return 'indirect-jump'
    case 'call_near':
      return 'indirect-call'
    default:
      return form.endsBlock ? 'elsewhere' : 'next'
  }
}

/**
 * For each run the offsets in the page at which it may go on; calls go to the called, returns to behind the calls of the region, indirect jumps and calls to
 * `aims`.
 */
export function successorsOf(runs: readonly Run[], aims: readonly number[]): readonly (readonly number[])[] {
  return waysOf(runs.map(ending), aims)
}

function ending({ offset, instructions, final }: Run): Ending {
  const last = instructions.at(-1)
  if (last === undefined) return { offset, transfer: 'elsewhere', end: offset, target: offset }
  const end = last.offset + last.length
  return { offset, transfer: final ? 'elsewhere' : transferOf(last), end, target: end + Number(last.immediate) }
}

/** As successorsOf. */
export function waysOf(runs: readonly Ending[], aims: readonly number[]): readonly (readonly number[])[] {
  const starts = new Set(runs.map((run) => run.offset))
  const backs = new Set<number>()
  let calls = 0
  for (const { transfer, end, target } of runs) {
    const isCall = (transfer === 'call' && starts.has(target)) || (transfer === 'indirect-call' && aims.length > 0)
    if (!isCall || !starts.has(end)) continue
    backs.add(end)
    calls++
  }
  const returns = calls <= RETURNS_MAX ? [...backs] : []
  return runs.map(({ transfer, end, target }) => {
    switch (transfer) {
      case 'jump':
      case 'call':
        return [target]
      case 'branch':
        return [target, end]
      case 'return':
        return returns
      case 'indirect-jump':
      case 'indirect-call':
        return aims
      case 'next':
        return [end]
      case 'elsewhere':
        return []
    }
  })
}
