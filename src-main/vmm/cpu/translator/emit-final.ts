/**
 * An instruction that runs behind the write-back, as the interpreter's loop would run it: REG_RIP is at it, BUDGET counts it already. Most of them end the
 * region; behind some it goes on if nothing has happened that concerns it.
 */
import { OperationEmitter } from '../emit/operation-emitter'
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import type { FunctionBuilder, LabelStatement, OpName, Value } from '../wasm/ir'
import type { DecodedInstruction } from './decoded-instruction'
import { FinalBinding } from './final-binding'

export function emitFinal(b: FunctionBuilder, vcpu: Value, instruction: DecodedInstruction, helpers: HelperImports, resume?: () => void): void {
  const { form, length } = instruction
  const meaning = semantics[form.operation]
  if (meaning === undefined) throw new Error(`no meaning of ${form.operation}`)
  const number = (n: number): Value => b.constant('i32', n)
  const store = (name: OpName, offset: number, value: Value): void => b.effect(name, [vcpu, value], offset)
  const status = b.temporary('i32')
  const epoch = resume === undefined ? undefined : b.load('i32.load', vcpu, L.CODE_EPOCH)
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
  if (resume !== undefined && epoch !== undefined) {
    // code that was written to, another mode, another address space: all these change the epoch
    const sameCode = b.op('i32.eq', [b.load('i32.load', vcpu, L.CODE_EPOCH), epoch])
    const retired = b.op('i32.lt_u', [result, number(L.STATUS_FAULT)])
    const complete = b.op('i64.eq', [b.load('i64.load', vcpu, L.REG_NEXT_RIP), next])
    b.if(b.op('i32.and', [b.op('i32.and', [retired, complete]), sameCode]), () => {
      b.if(b.load('i32.load', vcpu, L.ATTENTION), () => {
        b.rare()
        b.if(b.op('i32.eqz', [b.call(helpers.get('region_resumes'), [vcpu])]), () => {
          b.rare()
          store('i64.store', L.REG_RIP, next)
          b.return(number(L.STATUS_JUMP))
        })
      })
      resume()
    })
  }
  b.if(
    b.op('i32.eq', [result, number(L.STATUS_FAULT)]),
    () => store('i32.store', L.BUDGET, b.op('i32.add', [b.load('i32.load', vcpu, L.BUDGET), number(1)])),
    () => store('i64.store', L.REG_RIP, b.load('i64.load', vcpu, L.REG_NEXT_RIP)),
  )
  b.return(b.op('select', [result, number(L.STATUS_JUMP), result]))
}
