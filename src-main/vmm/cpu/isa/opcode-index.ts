/** Rows by opcode, the most specific first: the order in which the decoder and the disassembler try them. */
import type { Feature, Row } from './row'
import { ROWS } from './table'

/** Rows whose encodings mean something else on processors without the feature. */
export const DEFAULT_EXCLUDED_FEATURES: readonly Feature[] = ['BMI1']

export interface IndexedRow {
  readonly row: Row
  /** Position in ROWS. */
  readonly index: number
}

const bits = (n: number): number => n.toString(2).replaceAll('0', '').length
const rank = (row: Row): number => bits(row.prefixes) * 4 - (row.noRexB ? 1 : 0) - (row.rm === undefined ? 0 : 1) - (row.mod === 'any' ? 0 : 1)

export const opcodeKey = (map: number, opcode: number): number => map * 256 + opcode

/** `excluded`: features that the configured processor lacks, so that their encodings are unknown or fall back to older ones. */
export const indexByOpcode = (excluded: readonly Feature[] = DEFAULT_EXCLUDED_FEATURES): ReadonlyMap<number, readonly IndexedRow[]> => {
  const byOpcode = new Map<number, IndexedRow[]>()
  ROWS.forEach((row, index) => {
    if (row.feature !== undefined && excluded.includes(row.feature)) return
    for (let i = 0; i < (row.registerInOpcode ? 8 : 1); i++) {
      const key = opcodeKey(row.map, row.opcode + i)
      const rows = byOpcode.get(key)
      if (rows) rows.push({ row, index })
      else byOpcode.set(key, [{ row, index }])
    }
  })
  for (const rows of byOpcode.values()) rows.sort((a, b) => rank(a.row) - rank(b.row))
  return byOpcode
}

/** MOV to and from control and debug registers ignore ModRM.mod. */
export const ignoresMod = (row: Row): boolean => row.operands.some((spec) => spec.addressing === 'C' || spec.addressing === 'D')
