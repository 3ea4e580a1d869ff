/**
 * Checks a function. Invariants:
 *  1. Every operation has the arguments that ops.ts lists: number, types, number of immediates.
 *  2. A value is used only after its definition, in the block that defines it or a block within.
 *  3. A variable is set to values of its type.
 *  4. A branch targets a loop or block that encloses it.
 *  5. Conditions and switch indices are i32; a switch has at least one target, and every target is one of its cases.
 *  6. Calls match the callee's signature, indirect ones their own, with the slot (i32) as last argument; a return matches the function's.
 *  7. A function with a result does not fall off its end: its last statement returns, or loops without a way past it.
 */
import type { Block, IrFunction, IrType, LabelStatement, OpInfo, Statement, Value } from './nodes'
import { assertNever } from '../../../errors/assert-never'

const IMMEDIATE_COUNT: Readonly<Record<string, number>> = { lane: 1, lanes16: 16, 'memory-lane': 1 }

export function verify(fn: IrFunction): void {
  const defined = new Set<Value>()
  const labels: LabelStatement[] = []
  const fail = (message: string): never => {
    throw new Error(`IR of ${fn.name}: ${message}`)
  }

  const use = (value: Value, type: IrType | undefined, what: string): void => {
    const { source } = value
    if (source.kind === 'param') {
      if (fn.params[source.what] !== value.type) fail(`${what}: parameter ${source.what} is not a ${value.type}`)
    } else if (source.kind !== 'const' && !defined.has(value)) {
      fail(`${what}: value (${source.kind === 'op' ? source.what.name : source.kind}) used before or outside its definition`)
    }
    if (type !== undefined && value.type !== type) fail(`${what}: ${type} expected, ${value.type} given`)
  }
  const operation = (info: OpInfo, args: readonly Value[], immediates: readonly number[]): void => {
    if (args.length !== info.params.length) fail(`${info.name} takes ${info.params.length} arguments, not ${args.length}`)
    args.forEach((arg, i) => use(arg, info.params[i] ?? args[0]?.type, info.name))
    const count = info.immediates === undefined ? 0 : (IMMEDIATE_COUNT[info.immediates] ?? 0)
    if (immediates.length !== count) fail(`${info.name} takes ${count} immediates, not ${immediates.length}`)
    const limit = info.immediates === 'lanes16' ? 32 : 16
    if (immediates.some((n) => !Number.isInteger(n) || n < 0 || n >= limit)) fail(`${info.name}: bad lane`)
  }
  const call = (name: string, params: readonly IrType[], args: readonly Value[]): void => {
    if (args.length !== params.length) fail(`${name} takes ${params.length} arguments, not ${args.length}`)
    args.forEach((arg, i) => use(arg, params[i], `argument ${i} of ${name}`))
  }
  const value = (v: Value): void => {
    const { source } = v
    if (source.kind === 'op') operation(source.what, v.args, source.immediates)
    else if (source.kind === 'call') call(source.what.name, source.what.params, v.args)
    else if (source.kind === 'call-indirect') call('indirect call', [...source.what.params, 'i32'], v.args)
    defined.add(v)
  }
  const block = (b: Block): void => {
    b.statements.forEach(statement)
    for (const s of b.statements) if (s.statement === 'value') defined.delete(s)
  }
  const statement = (s: Statement): void => {
    switch (s.statement) {
      case 'value':
        return value(s)
      case 'set':
        return use(s.value, s.variable.type, 'set')
      case 'effect':
        if (s.info.result !== undefined) fail(`${s.info.name} has a result`)
        return operation(s.info, s.args, s.immediates)
      case 'call':
        if (s.target.results.length > 0) fail(`${s.target.name} has a result`)
        return call(s.target.name, s.target.params, s.args)
      case 'if':
        use(s.condition, 'i32', 'if')
        block(s.then)
        if (s.otherwise !== undefined) block(s.otherwise)
        return
      case 'loop':
      case 'block':
        labels.push(s)
        block(s.body)
        labels.pop()
        return
      case 'branch':
        if (!labels.includes(s.target)) fail('branch to a label that does not enclose it')
        if (s.condition !== undefined) use(s.condition, 'i32', 'branch')
        return
      case 'switch':
        use(s.index, 'i32', 'switch')
        if (s.targets.length === 0 || s.targets.some((t) => s.cases[t] === undefined)) fail('switch without a case for a target')
        return s.cases.forEach(block)
      case 'return':
        if ((s.value === undefined) !== (fn.results.length === 0)) fail('return does not match the signature')
        if (s.value !== undefined) use(s.value, fn.results[0], 'return')
        return
      default:
        return assertNever(s)
    }
  }
  block(fn.body)
  if (fn.results.length > 0 && !ends(fn.body)) fail('control reaches the end of a function with a result')
}

/** Whether control cannot reach the end of the block. */
function ends(b: Block): boolean {
  const last = b.statements.at(-1)
  if (last === undefined) return false
  switch (last.statement) {
    case 'return':
      return true
    case 'branch':
      return last.condition === undefined
    case 'if':
      return last.otherwise !== undefined && ends(last.then) && ends(last.otherwise)
    case 'loop':
      return ends(last.body)
    default:
      return false
  }
}
