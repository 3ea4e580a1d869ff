/** Which status flags the manuals leave undefined after an instruction, as a mask of EFLAGS bits: the table's traits, refined by shift counts. */
import { traitsOf } from '../cpu/isa/traits'
import type { Row } from '../cpu/isa/row'
import type { EncodedInstruction } from './instruction-encoder'

const FLAG_BITS: Readonly<Record<string, number>> = { C: 0x1, P: 0x4, A: 0x10, Z: 0x40, S: 0x80, O: 0x800 }

export const flagMask = (letters: string): number => [...letters].reduce((mask, letter) => mask | (FLAG_BITS[letter] ?? 0), 0)

const SHIFTS = new Set(['shl', 'shr', 'sar', 'shld', 'shrd'])
const ROTATES = new Set(['rol', 'ror', 'rcl', 'rcr'])

/** `cl`: the value of CL when it is known (first instruction of a case). */
export const undefinedAfter = (row: Row, instruction: EncodedInstruction, before: number, cl: number | undefined): number => {
  const { operation } = row
  const traits = traitsOf(operation)
  if (SHIFTS.has(operation) || ROTATES.has(operation)) {
    const count = shiftCount(row, instruction, cl)
    if (count === 0) return before
    const rotate = ROTATES.has(operation)
    const written = rotate ? flagMask('OC') : flagMask('OSZAPC')
    let fresh = rotate ? 0 : flagMask('A')
    if (count !== 1) fresh |= flagMask('O')
    if (!rotate && instruction.size < 4 && operation !== 'sar' && (count === undefined || count >= instruction.size * 8))
      fresh |= flagMask('C')
    // an unknown count may be 0, which leaves what was undefined undefined
    return count === undefined ? before | fresh : (before & ~written) | fresh
  }
  const fresh = flagMask(traits.undefined)
  // repeated comparisons may do nothing
  if (traits.repeat === 'repe' && instruction.rep !== 0) return before | fresh
  return (before & ~flagMask(traits.writes)) | fresh
}

const shiftCount = (row: Row, { size, immediate }: EncodedInstruction, cl: number | undefined): number | undefined => {
  const mask = size === 8 ? 63 : 31
  if (row.operands.some((spec) => spec.addressing === '1')) return 1
  if (row.operands.some((spec) => spec.addressing === 'CL')) return cl === undefined ? undefined : cl & mask
  return immediate === undefined ? undefined : immediate & mask
}
