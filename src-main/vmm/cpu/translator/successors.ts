/** Where a basic block may go on within its page. */
import type { DecodedInstruction } from './decoded-instruction'

interface Run {
  readonly offset: number
  readonly instructions: readonly DecodedInstruction[]
  /** Its last instruction leaves the region, whatever it is. */
  readonly final: boolean
}

/** More returns or more places to return to are not followed: each return would compare with each place. */
const RETURNS_MAX = 4

const end = ({ offset, length }: DecodedInstruction): number => offset + length
const target = (instruction: DecodedInstruction): number => end(instruction) + Number(instruction.immediate)

/** Kinds of control transfer that a region follows. */
export function transferOf({ form }: DecodedInstruction): 'next' | 'jump' | 'branch' | 'call' | 'return' | 'elsewhere' {
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
    default:
      return form.endsBlock ? 'elsewhere' : 'next'
  }
}

/** For each run the offsets in the page at which it may go on; calls go to the called, returns to behind the calls of the region. */
export function successorsOf(runs: readonly Run[]): readonly (readonly number[])[] {
  const starts = new Set(runs.map((run) => run.offset))
  const backs = runs.flatMap(({ instructions }) => {
    const last = instructions.at(-1)
    return last !== undefined && transferOf(last) === 'call' && starts.has(target(last)) && starts.has(end(last)) ? [end(last)] : []
  })
  const returns = backs.length <= RETURNS_MAX ? [...new Set(backs)] : []
  return runs.map(({ instructions, final }) => {
    const last = instructions.at(-1)
    if (last === undefined || final) return []
    switch (transferOf(last)) {
      case 'jump':
      case 'call':
        return [target(last)]
      case 'branch':
        return [target(last), end(last)]
      case 'return':
        return returns
      case 'next':
        return [end(last)]
      case 'elsewhere':
        return []
    }
  })
}
