/** Where a basic block may go on within its page. */
import type { DecodedInstruction } from './decoded-instruction'

interface Run {
  readonly offset: number
  readonly instructions: readonly DecodedInstruction[]
  /** Its last instruction runs behind the write-back. */
  readonly final: boolean
}

/** Kinds of control transfer that a region follows. */
export type Transfer = 'next' | 'jump' | 'branch' | 'call' | 'return' | 'indirect-jump' | 'indirect-call' | 'resume' | 'elsewhere'

/** A run's end, as far as it matters for what comes next. */
export interface Ending {
  /** Offset of the run's first instruction. */
  readonly offset: number
  /** Of its last instruction; when that runs behind the write-back 'resume' or 'elsewhere'. */
  readonly transfer: Transfer
  /** Offset behind it. */
  readonly end: number
  /** Offset at which a jump, branch or call goes on. */
  readonly target: number
}

/**
 * Instructions that run behind the write-back, but change nothing of what a region rests on, as a rule: it goes on behind them when that was so. A kernel's
 * system call has a dozen of them.
 */
const RESUMED: ReadonlySet<string> = new Set([
  'pushf', 'popf', 'sti', 'rdtsc', 'rdtscp', 'clac', 'stac', 'swapgs', 'mov_to_sreg', 'pop_sreg', 'rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase',
  'movs', 'stos', 'lods', 'cmps', 'scas',
])

/** Of an instruction that runs behind the write-back. */
export function finalTransferOf({ form }: Pick<DecodedInstruction, 'form'>): 'resume' | 'elsewhere' {
  return RESUMED.has(form.operation) ? 'resume' : 'elsewhere'
}

/** More places to return to are not followed. */
const RETURNS_MAX = 16

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
  return { offset, transfer: final ? finalTransferOf(last) : transferOf(last), end, target: end + Number(last.immediate) }
}

/** As successorsOf. */
export function waysOf(runs: readonly Ending[], aims: readonly number[]): readonly (readonly number[])[] {
  const returns = returnsOf(runs, aims)
  return runs.map(({ offset, transfer, end, target }) => {
    switch (transfer) {
      case 'jump':
      case 'call':
        return [target]
      case 'branch':
        return [target, end]
      case 'return':
        return returns.get(offset) ?? []
      case 'indirect-jump':
      case 'indirect-call':
        return aims
      case 'next':
      case 'resume':
        return [end]
      case 'elsewhere':
        return []
    }
  })
}

/** For each run that ends with a return: where the calls go on that it may return from, which are those of the functions that lead to it. */
function returnsOf(runs: readonly Ending[], aims: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const byOffset = new Map(runs.map((run) => [run.offset, run]))
  /** By the called function's offset. */
  const backs = new Map<number, Set<number>>()
  for (const { transfer, end, target } of runs) {
    if (!byOffset.has(end)) continue
    for (const called of transfer === 'call' ? [target] : transfer === 'indirect-call' ? aims : []) {
      if (byOffset.has(called)) backs.set(called, (backs.get(called) ?? new Set()).add(end))
    }
  }
  const returns = new Map<number, Set<number>>()
  for (const [called, places] of backs) {
    const seen = new Set<number>()
    const visit = [called]
    for (let offset = visit.pop(); offset !== undefined; offset = visit.pop()) {
      const run = byOffset.get(offset)
      if (run === undefined || seen.has(offset)) continue
      seen.add(offset)
      if (run.transfer === 'return') returns.set(offset, new Set([...(returns.get(offset) ?? []), ...places]))
      else visit.push(...within(run, aims))
    }
  }
  return new Map(Array.from(returns, ([offset, places]) => [offset, places.size <= RETURNS_MAX ? [...places] : []]))
}

/** Where a function goes on: behind its calls, not into them. */
function within({ transfer, end, target }: Ending, aims: readonly number[]): readonly number[] {
  switch (transfer) {
    case 'jump':
      return [target]
    case 'branch':
      return [target, end]
    case 'indirect-jump':
      return aims
    default:
      return [end]
  }
}
