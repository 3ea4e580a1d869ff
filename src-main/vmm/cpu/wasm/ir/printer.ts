/** Text form of the IR, for people and golden files. Values are %n in order of definition, variables $n, labels @n. */
import { hasEffect } from './nodes'
import type { Block, FunctionRef, IrFunction, LabelStatement, Statement, Value, Variable } from './nodes'
import { assertNever } from '../../../errors/assert-never'

/**
 * `encoded`: as a function that has been encoded is written: values that nobody uses are gone, those with one use stand in its place, and the others have
 * become locals (!n), as have variables.
 */
export function print(fn: IrFunction, encoded: boolean = false): string {
  const names = new Map<Value | Variable | LabelStatement, string>()
  const lines: string[] = []
  const counts = { '%': 0, $: 0, '@': 0 }
  const name = (thing: Value | Variable | LabelStatement, sigil: '%' | '$' | '@'): string => {
    let text = names.get(thing)
    if (text === undefined) names.set(thing, (text = `${sigil}${counts[sigil]++}`))
    return text
  }
  const operand = (v: Value): string => {
    if (v.source.kind === 'const') return v.type === 'v128' ? `[${v.source.immediates.join(' ')}]` : `${v.source.what}:${v.type}`
    if (v.source.kind === 'param') return `param${v.source.what}`
    if (!encoded) return name(v, '%')
    return v.local >= 0 ? local(v) : v.source.kind === 'get' ? value(v) : `(${value(v)})`
  }
  const local = (of: Value | Variable): string => `!${of.local}`
  const list = (args: readonly Value[]): string => args.map((arg) => ` ${operand(arg)}`).join('')
  const extras = (immediates: readonly number[], offset: number): string =>
    (immediates.length === 0 ? '' : ` {${immediates.join(' ')}}`) + (offset === 0 ? '' : ` +${offset}`)
  const called = (target: FunctionRef, args: readonly Value[]): string => `call ${target.name}${list(args)}`
  const value = (v: Value): string => {
    const { source } = v
    switch (source.kind) {
      case 'op':
        return source.what.name + list(v.args) + extras(source.immediates, source.offset)
      case 'get':
        return encoded ? local(source.what) : `get ${name(source.what, '$')}`
      case 'call':
        return called(source.what, v.args)
      case 'call-indirect':
        return `call slot${list(v.args.slice(-1))}:${list(v.args.slice(0, -1))}`
      case 'const':
      case 'param':
        return operand(v)
      default:
        return assertNever(source)
    }
  }
  const block = (b: Block, indent: string): void => b.statements.forEach((s) => statement(s, indent))
  const statement = (s: Statement, indent: string): void => {
    const line = (text: string): void => void lines.push(indent + text)
    const inner = `${indent}  `
    switch (s.statement) {
      case 'value':
        if (!encoded) return line(`${name(s, '%')} = ${value(s)}`)
        if (s.local < 0) return hasEffect(s.source) && s.uses === 0 ? line(value(s)) : undefined
        return s.source.kind === 'get' && s.source.what.local === s.local ? undefined : line(`${local(s)} = ${value(s)}`)
      case 'set':
        if (!encoded) return line(`set ${name(s.variable, '$')} ${operand(s.value)}`)
        return s.variable.local < 0 ? undefined : line(`${local(s.variable)} = ${operand(s.value)}`)
      case 'effect':
        return line(s.info.name + list(s.args) + extras(s.immediates, s.offset))
      case 'call':
        return line(called(s.target, s.args))
      case 'if':
        line(`if ${operand(s.condition)}${s.then.rare ? ' (rare)' : ''}`)
        block(s.then, inner)
        if (s.otherwise === undefined) return
        line(`else${s.otherwise.rare ? ' (rare)' : ''}`)
        return block(s.otherwise, inner)
      case 'loop':
      case 'block':
        line(`${s.statement} ${name(s, '@')}`)
        return block(s.body, inner)
      case 'branch':
        return line(`branch ${name(s.target, '@')}${s.condition === undefined ? '' : ` if ${operand(s.condition)}`}`)
      case 'switch':
        line(`switch ${operand(s.index)} {${s.targets.join(' ')}}`)
        return s.cases.forEach((body, i) => {
          line(`case ${i}`)
          block(body, inner)
        })
      case 'return':
        return line(s.value === undefined ? 'return' : `return ${operand(s.value)}`)
      default:
        return assertNever(s)
    }
  }
  block(fn.body, '  ')
  return [`func ${fn.name} (${fn.params.join(' ')}) -> (${fn.results.join(' ')})`, ...lines, ''].join('\n')
}
