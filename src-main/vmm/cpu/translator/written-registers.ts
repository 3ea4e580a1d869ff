/** Which general registers an instruction may write: those of its operand, and those that its operation names itself. */
import { RAX, RBP, RCX, RDI, RDX, RSI, RSP } from '../semantics/values'
import type { DecodedInstruction } from './decoded-instruction'

const ALL = 0xffff

const IMPLIED: readonly (readonly [operations: string, ...registers: readonly number[]])[] = [
  ['mul imul1 div idiv cmpxchg8b cmpxchg16b rdtsc xgetbv', RAX, RDX],
  ['cbw lahf salc xlat cmpxchg daa das aaa aas aam aad', RAX],
  ['cwd', RDX],
  ['push pop push_sreg pop_sreg pusha pushf popf call_rel call_near ret ret_imm', RSP],
  ['enter leave', RSP, RBP],
  ['loop loope loopne pcmpestri pcmpistri', RCX],
  ['movs cmps', RSI, RDI, RCX],
  ['stos scas', RDI, RCX],
  ['lods', RSI, RAX, RCX],
]
const implied = new Map(IMPLIED.flatMap(([operations, ...registers]) => operations.split(' ').map((operation) => [operation, registers.reduce((all, one) => all | (1 << one), 0)])))
implied.set('popa', ALL)

/** Operations that only read their first operand. */
const READERS: ReadonlySet<string> = new Set(['cmp', 'test', 'bt', 'push', 'call_near', 'jmp_near', 'mul', 'imul1', 'div', 'idiv'])
/** Operations that write their second operand as well. */
const EXCHANGES: ReadonlySet<string> = new Set(['xchg', 'xadd'])

/** A bit for each register. Only for what runs inline in a region (executionOf). */
export function registersWritten({ form, registers }: DecodedInstruction): number {
  const { operation, operands } = form
  const written = READERS.has(operation) ? 0 : EXCHANGES.has(operation) ? 2 : 1
  return operands.slice(0, written).reduce((all, operand) => {
    if (operand.kind === 'gpr') return all | (1 << (registers[operand.field] >> 3))
    return operand.kind === 'fixed' ? all | (1 << operand.register) : all
  }, implied.get(operation) ?? 0)
}
