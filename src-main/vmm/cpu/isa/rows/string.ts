/** String operations. The operand size is the element's; REP, segment override and address size come from the prefixes. */
import { row, type Row } from '../row'

const pair = (operation: string, byteOpcode: string, opcode: string, size: 'v' | 'z'): readonly Row[] => [
  ...row(operation, byteOpcode, '', { size: 'b' }),
  ...row(operation, opcode, '', { size }),
]

export const STRING_ROWS: readonly Row[] = [
  ...pair('ins', '6C', '6D', 'z'),
  ...pair('outs', '6E', '6F', 'z'),
  ...pair('movs', 'A4', 'A5', 'v'),
  ...pair('cmps', 'A6', 'A7', 'v'),
  ...pair('stos', 'AA', 'AB', 'v'),
  ...pair('lods', 'AC', 'AD', 'v'),
  ...pair('scas', 'AE', 'AF', 'v'),
  ...row('xlat', 'D7', '', { size: 'b' }),
]
