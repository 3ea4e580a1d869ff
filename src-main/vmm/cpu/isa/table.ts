/** The instruction table: every encoding that Vitrine's processor knows, joined from the families in rows/. */
import { CONTROL_ROWS } from './rows/control'
import { INTEGER_ROWS } from './rows/integer'
import { MMX_ROWS } from './rows/mmx'
import { SSE_ROWS } from './rows/sse'
import { SSE4_ROWS } from './rows/sse4'
import { STRING_ROWS } from './rows/string'
import { SYSTEM_ROWS } from './rows/system'
import { X87_ROWS } from './rows/x87'
import type { Row } from './row'

export type Family = 'integer' | 'control' | 'string' | 'system' | 'x87' | 'mmx' | 'sse' | 'sse4' | 'decoder'

/** Operations that no encoding names: the decoder makes them. */
export const TOO_LONG_OPERATION = 'too_long'
export const UNDEFINED_OPERATION = 'ud'

export const FAMILIES: Readonly<Record<Family, readonly Row[]>> = {
  integer: INTEGER_ROWS,
  control: CONTROL_ROWS,
  string: STRING_ROWS,
  system: SYSTEM_ROWS,
  x87: X87_ROWS,
  mmx: MMX_ROWS,
  sse: SSE_ROWS,
  sse4: SSE4_ROWS,
  decoder: [],
}

export const ROWS: readonly Row[] = Object.values(FAMILIES).flat()

export type { Row }
