/** Constant expressions: parsed once, evaluated in every pass. Registers are leaves, so that addresses can be taken apart. */
import type { TokenReader } from './lexer'
import { registerNamed } from './registers'
import type { Register } from './registers'
import { Problem } from './source-error'

export type Expression =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'register'; readonly register: Register }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }

/** `known` is false while a symbol further down has no value yet; the value is then only a guess. */
export interface Evaluated {
  readonly value: bigint
  readonly known: boolean
}
export type SymbolLookup = (name: string) => bigint | undefined

const PRECEDENCE: Readonly<Record<string, number>> = { '|': 1, '^': 2, '&': 3, '<<': 4, '>>': 4, '+': 5, '-': 5, '*': 6, '/': 6, '//': 6, '%': 6 }

/** Characters as a little-endian number, as `mov eax, 'abcd'` wants. */
export function stringValue(text: string): bigint {
  let value = 0n
  for (let i = text.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(text.charCodeAt(i) & 0xff)
  return value
}

/** `qualify` turns a local name ('.loop') into its full form. */
export function parseExpression(reader: TokenReader, qualify: (name: string) => string, minimum = 1): Expression {
  let left = parseUnary(reader, qualify)
  for (;;) {
    const token = reader.peek()
    if (token?.kind !== 'punctuation') return left
    const precedence = PRECEDENCE[token.text]
    if (precedence === undefined || precedence < minimum) return left
    reader.next()
    left = { kind: 'binary', operator: token.text, left, right: parseExpression(reader, qualify, precedence + 1) }
  }
}

function parseUnary(reader: TokenReader, qualify: (name: string) => string): Expression {
  const token = reader.next()
  if (token.kind === 'number') return { kind: 'constant', value: token.value }
  if (token.kind === 'string') return { kind: 'constant', value: stringValue(token.text) }
  if (token.kind === 'name') {
    const register = registerNamed(token.text)
    return register ? { kind: 'register', register } : { kind: 'symbol', name: qualify(token.text) }
  }
  if (token.text === '-' || token.text === '~' || token.text === '+') {
    return { kind: 'unary', operator: token.text, operand: parseUnary(reader, qualify) }
  }
  if (token.text === '(') {
    const inner = parseExpression(reader, qualify)
    reader.expectPunctuation(')')
    return inner
  }
  throw new Problem(`unexpected '${token.text}' in an expression`)
}

export function hasRegister(expression: Expression): boolean {
  switch (expression.kind) {
    case 'register':
      return true
    case 'unary':
      return hasRegister(expression.operand)
    case 'binary':
      return hasRegister(expression.left) || hasRegister(expression.right)
    default:
      return false
  }
}

function apply(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<<':
    case '>>':
      if (b < 0n || b > 64n) throw new Problem(`shift by ${b}`)
      return operator === '<<' ? a << b : a >> b
    default:
      if (b === 0n) throw new Problem('division by zero')
      return operator === '%' ? a % b : a / b
  }
}

export function evaluate(expression: Expression, lookup: SymbolLookup): Evaluated {
  switch (expression.kind) {
    case 'constant':
      return { value: expression.value, known: true }
    case 'symbol': {
      const value = lookup(expression.name)
      return value === undefined ? { value: 0n, known: false } : { value, known: true }
    }
    case 'register':
      throw new Problem(`register ${expression.register.name} in an expression`)
    case 'unary': {
      const inner = evaluate(expression.operand, lookup)
      const value = expression.operator === '-' ? -inner.value : expression.operator === '~' ? ~inner.value : inner.value
      return { value, known: inner.known }
    }
    case 'binary': {
      const left = evaluate(expression.left, lookup)
      const right = evaluate(expression.right, lookup)
      const known = left.known && right.known
      // While symbols are unknown a divisor may look like 0.
      if (!known && right.value === 0n && '/%//'.includes(expression.operator)) return { value: 0n, known }
      return { value: apply(expression.operator, left.value, right.value), known }
    }
  }
}
