/** Statistics of opcodes that nothing implements. */
import { CURRENT_RECORD, REC_OPCODE } from '../../layout'
import { unknown_opcode } from '../host'

export function count_unknown_opcode(vcpu: usize): void {
  const record = <usize>load<u32>(vcpu, CURRENT_RECORD)
  if (record) unknown_opcode(vcpu, load<u32>(record, REC_OPCODE))
}
