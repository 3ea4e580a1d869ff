/** Sample encodings of each row: for the table's tests, the coverage page and the test generators. */
import type { CodeMode } from './disassembler'
import { PREFIX_66, PREFIX_F2, PREFIX_F3, PREFIX_NONE, type OperandSpec, type Row } from './row'

export interface Sample {
  /** Row id, mode and operand kind: stable. */
  readonly id: string
  readonly mode: CodeMode
  readonly memory: boolean
  readonly bytes: Uint8Array
}

const IMMEDIATE = [0x12, 0x34, 0x56, 0x78, 0x1a, 0x2b, 0x3c, 0x4d]
/** Registers that work for every kind, segment and control registers included; different, so that swapped fields show. */
const REG = 3
const RM = 1
const DISPLACEMENT = 0x10

const mandatoryBytes = (row: Row): readonly number[] => {
  if (row.prefixes & PREFIX_NONE) return []
  if (row.prefixes & PREFIX_66) return [0x66]
  if (row.prefixes & PREFIX_F3) return [0xf3]
  return row.prefixes & PREFIX_F2 ? [0xf2] : []
}

const immediateBytes = (spec: OperandSpec, mode: CodeMode): number => {
  const operand = mode === 0 ? 2 : 4
  switch (spec.addressing) {
    case 'I': case 'sI': case 'J': return spec.width === 'b' ? 1 : spec.width === 'w' ? 2 : operand
    case 'Ap': return operand + 2
    case 'O': return mode === 2 ? 8 : operand
    default: return 0
  }
}

const MAP_BYTES: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]]

const encode = (row: Row, mode: CodeMode, memory: boolean): Uint8Array => {
  const bytes: number[] = [...mandatoryBytes(row)]
  if (row.rexW) bytes.push(0x48)
  bytes.push(...(MAP_BYTES[row.map] as readonly number[]), row.opcode + (row.registerInOpcode ? REG : 0))
  if (row.hasModrm) {
    const reg = row.digit ?? REG
    // [ecx + 10h], [rcx + 10h], [di + 10h]
    const rm = row.rm ?? (memory && mode === 0 ? 5 : RM)
    bytes.push((memory ? 0x40 : 0xc0) | (reg << 3) | rm)
    if (memory) bytes.push(DISPLACEMENT)
  }
  const immediates = row.operands.reduce((sum, spec) => sum + immediateBytes(spec, mode), 0)
  bytes.push(...IMMEDIATE.slice(0, immediates))
  return Uint8Array.from(bytes)
}

/** Each row in each mode where it exists, with a register and with a memory operand as it allows. */
export const samplesOf = (row: Row): readonly Sample[] => {
  const modes: readonly CodeMode[] = row.modes === 'legacy' ? [0, 1] : row.modes === 'long' ? [2] : [0, 1, 2]
  const places = !row.hasModrm ? [false] : row.mod === 'any' ? [false, true] : [row.mod === 'memory']
  return modes.flatMap((mode) => places.map((memory) => ({
    id: `${row.id} @${[16, 32, 64][mode] as number}${row.hasModrm && memory ? ' m' : ''}`,
    mode, memory, bytes: encode(row, mode, memory),
  })))
}
