/** Compiles the instruction table into the binary form that the decoder (core/decode/) walks. Layout: layout-decode.ts. */
import { DECODER_TABLES_BYTES } from '../layout'
import * as L from '../layout-decode'
import { rowSlots, TOO_LONG_HANDLER, UNDEFINED_HANDLER } from './forms'
import { DEFAULT_EXCLUDED_FEATURES, ignoresMod, indexByOpcode } from './opcode-index'
import type { Feature, OperandSpec, Row, SizeRule } from './row'
import { ROWS } from './table'
import { traitsOf } from './traits'

const SIZE_CODES: Readonly<Record<SizeRule, number>> = {
  b: L.SIZE_B, w: L.SIZE_W, d: L.SIZE_D, q: L.SIZE_Q, v: L.SIZE_V, z: L.SIZE_Z, y: L.SIZE_Y, d64: L.SIZE_D64, f64: L.SIZE_F64, m: L.SIZE_M,
}

const withArgument = (source: number, argument: number): number => source | (argument << L.SOURCE_ARGUMENT_SHIFT)

const immediateSource = (spec: OperandSpec, second: boolean): number => {
  if (second) return L.SOURCE_IMM8_SECOND
  switch (spec.width) {
    case 'b': return spec.addressing === 'sI' ? L.SOURCE_SIMM8 : L.SOURCE_IMM8
    case 'w': return L.SOURCE_IMM16
    case 'z': return L.SOURCE_IMM_Z
    case 'v': return L.SOURCE_IMM_V
    default: throw new Error(`instruction table: no immediate of width '${spec.width}'`)
  }
}

const sourceOf = (spec: OperandSpec, index: number, secondImmediate: boolean): number => {
  const byte = spec.width === 'b' ? 1 : 0
  switch (spec.addressing) {
    case 'G': return withArgument(L.SOURCE_REG_GPR, byte)
    case 'E': case 'R': case 'M': return withArgument(L.SOURCE_RM_GPR, byte)
    case 'Z': return withArgument(L.SOURCE_OPCODE_GPR, byte)
    case 'fixed-gpr': return withArgument(L.SOURCE_FIXED_GPR, spec.register)
    case 'V': return L.SOURCE_REG_XMM
    case 'W': case 'U': return L.SOURCE_RM_XMM
    case 'P': return L.SOURCE_REG_SMALL
    case 'Q': case 'N': case 'STi': return L.SOURCE_RM_SMALL
    case 'ST': case 'XMM0': return withArgument(L.SOURCE_FIXED, 0)
    case 'fixed-sreg': return withArgument(L.SOURCE_FIXED, spec.register)
    case 'S': return index === 0 ? L.SOURCE_SREG_WRITTEN : L.SOURCE_SREG
    case 'C': return L.SOURCE_CR
    case 'D': return L.SOURCE_DR
    case 'I': case 'sI': return immediateSource(spec, secondImmediate)
    case 'J': return spec.width === 'b' ? L.SOURCE_REL8 : L.SOURCE_REL_Z
    case 'Ap': return L.SOURCE_FAR
    case 'O': return L.SOURCE_MOFFS
    case 'CL': case 'DX': case '1': return L.SOURCE_NONE
  }
}

const modesOf = (row: Row): number => {
  let modes = row.modes === 'legacy' ? 3 : row.modes === 'long' ? 4 : 7
  if (row.noRexB) modes |= L.CANDIDATE_NO_REX_B
  if (row.rexW === true) modes |= L.CANDIDATE_REX_W
  if (row.rexW === false) modes |= L.CANDIDATE_NO_REX_W
  if (row.mod !== 'register') modes |= L.CANDIDATE_MEMORY
  if (row.mod !== 'memory') modes |= L.CANDIDATE_REGISTER
  return modes
}

/** `excluded`: features that the configured processor lacks, so that their encodings are unknown or fall back to older ones. */
export const buildDecoderTables = (excluded: readonly Feature[] = DEFAULT_EXCLUDED_FEATURES): Uint8Array => {
  const byOpcode = indexByOpcode(excluded)
  const candidateCount = [...byOpcode.values()].reduce((sum, rows) => sum + rows.length, 0)
  const candidatesAt = L.TABLE_OPCODES + 4 * 256 * 4
  const rowsAt = candidatesAt + candidateCount * L.CANDIDATE_BYTES
  const slotsAt = rowsAt + ROWS.length * L.ROW_BYTES
  const total = slotsAt + ROWS.length * L.ROW_SLOT_BYTES
  if (total > DECODER_TABLES_BYTES) throw new Error(`decoder tables need ${total} bytes, there is room for ${DECODER_TABLES_BYTES}`)

  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(L.TABLE_MAGIC_AT, L.TABLE_MAGIC, true)
  view.setUint32(L.TABLE_CANDIDATES, candidatesAt, true)
  view.setUint32(L.TABLE_ROWS, rowsAt, true)
  view.setUint32(L.TABLE_SLOTS, slotsAt, true)
  view.setUint16(L.TABLE_UNDEFINED_HANDLER, UNDEFINED_HANDLER, true)
  view.setUint16(L.TABLE_TOO_LONG_HANDLER, TOO_LONG_HANDLER, true)

  let next = 0
  for (const [key, rows] of byOpcode) {
    const hasModrm = rows.some(({ row }) => row.hasModrm)
    if (rows.some(({ row }) => row.hasModrm !== hasModrm)) throw new Error(`opcode ${key.toString(16)}: rows disagree about ModRM`)
    let entry = next | (rows.length << L.OPCODE_COUNT_SHIFT)
    if (hasModrm) entry |= L.OPCODE_HAS_MODRM
    if (rows.some(({ row }) => ignoresMod(row))) entry |= L.OPCODE_FORCE_REGISTER
    view.setUint32(L.TABLE_OPCODES + key * 4, entry, true)
    for (const { index, row } of rows) {
      const at = candidatesAt + next++ * L.CANDIDATE_BYTES
      view.setUint8(at + L.CANDIDATE_PREFIXES, row.prefixes)
      view.setUint8(at + L.CANDIDATE_MODES, modesOf(row))
      view.setUint8(at + L.CANDIDATE_REG_MASK, row.digit === undefined ? 0xff : 1 << row.digit)
      view.setUint8(at + L.CANDIDATE_RM_MASK, row.rm === undefined ? 0xff : 1 << row.rm)
      view.setUint16(at + L.CANDIDATE_ROW, index, true)
    }
  }

  ROWS.forEach((row, index) => {
    const at = rowsAt + index * L.ROW_BYTES
    const { endsBlock, lockable } = traitsOf(row.operation)
    view.setUint8(at + L.ROW_SIZE, SIZE_CODES[row.size])
    view.setUint8(at + L.ROW_FLAGS, (endsBlock ? L.ROW_ENDS_BLOCK : 0) | (lockable ? L.ROW_LOCKABLE : 0))
    let immediates = 0
    row.operands.forEach((spec, i) => {
      const isImmediate = spec.addressing === 'I' || spec.addressing === 'sI'
      view.setUint8(at + L.ROW_OPERANDS + i, sourceOf(spec, i, isImmediate && immediates > 0))
      if (isImmediate) immediates++
    })
    const slots = rowSlots[index] as Uint16Array
    slots.forEach((handler, i) => view.setUint16(slotsAt + index * L.ROW_SLOT_BYTES + i * 2, handler, true))
  })
  return bytes
}
