/** The instruction that ends a region, as the interpreter's loop would run it: REG_RIP is at it, BUDGET counts it already. */
import { OperationEmitter } from '../emit/operation-emitter'
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import type { FunctionBuilder, LabelStatement, OpName, Value } from '../wasm/ir'
import type { DecodedInstruction } from './decoded-instruction'
import { FinalBinding } from './final-binding'

export function emitFinal(b: FunctionBuilder, vcpu: Value, instruction: DecodedInstruction, helpers: HelperImports): void {
  const { form, length } = instruction
  const meaning = semantics[form.operation]
  if (meaning === undefined) throw new Error(`no meaning of ${form.operation}`)
  const number = (n: number): Value => b.constant('i32', n)
  const store = (name: OpName, offset: number, value: Value): void => b.effect(name, [vcpu, value], offset)
  const status = b.temporary('i32')
  const next = b.op('i64.add', [b.load('i64.load', vcpu, L.REG_RIP), b.constant('i64', length)])
  store('i64.store', L.REG_NEXT_RIP, next)
  // code that it writes is not a record's that is being executed
  store('i32.store', L.CURRENT_RECORD, number(0))
  b.block((done: LabelStatement) => {
    const leave = (value: Value): void => {
      b.set(status, value)
      b.branch(done)
    }
    const emitter = new OperationEmitter(b, new FinalBinding(b, vcpu, instruction, leave), form, helpers)
    meaning(emitter)
    emitter.finish()
  })
  const result = b.get(status)
  b.if(
    b.op('i32.eq', [result, number(L.STATUS_FAULT)]),
    () => store('i32.store', L.BUDGET, b.op('i32.add', [b.load('i32.load', vcpu, L.BUDGET), number(1)])),
    () => store('i64.store', L.REG_RIP, b.load('i64.load', vcpu, L.REG_NEXT_RIP)),
  )
  b.return(b.op('select', [result, number(L.STATUS_JUMP), result]))
}
