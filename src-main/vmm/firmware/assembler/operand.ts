/** Operands as written: registers, immediates, memory, far pointers. */
import { hasRegister, parseExpression } from './expression'
import type { Expression } from './expression'
import type { TokenReader } from './lexer'
import { registerNamed } from './registers'
import type { Register } from './registers'
import { Problem } from './source-error'

export type OperandBytes = 1 | 2 | 4 | 8 | 10 | 16

export interface MemoryOperand {
  readonly kind: 'memory'
  /** Bytes named by `byte`, `word` ...; 0: not said. */
  readonly bytes: OperandBytes | 0
  readonly far: boolean
  readonly segment: Register | undefined
  readonly base: Register | undefined
  readonly index: Register | undefined
  readonly scale: 1 | 2 | 4 | 8
  readonly displacement: Expression
  /** Without a displacement written there is none to encode. */
  readonly hasDisplacement: boolean
  readonly relative: boolean
  /** Address bytes forced by `[word ...]` or `[dword ...]`; 0: by the registers. */
  readonly addressBytes: 0 | 2 | 4 | 8
}

export type Operand =
  | { readonly kind: 'register'; readonly register: Register }
  | MemoryOperand
  | { readonly kind: 'immediate'; readonly value: Expression; readonly bytes: OperandBytes | 0; readonly distance: 'short' | 'near' | undefined }
  | { readonly kind: 'pointer'; readonly segment: Expression; readonly offset: Expression; readonly bytes: OperandBytes | 0 }

const SIZES: Readonly<Record<string, OperandBytes>> = { byte: 1, word: 2, dword: 4, qword: 8, tword: 10, oword: 16 }
const ZERO: Expression = { kind: 'constant', value: 0n }

interface Linear {
  readonly registers: { readonly register: Register; readonly scale: number }[]
  displacement: Expression | undefined
}

function isScale(expression: Expression): expression is { kind: 'constant'; value: bigint } {
  return expression.kind === 'constant'
}

/** Takes a sum apart into registers times scale, and the rest. */
function linearize(expression: Expression, negative: boolean, into: Linear): void {
  if (expression.kind === 'binary' && (expression.operator === '+' || expression.operator === '-')) {
    linearize(expression.left, negative, into)
    linearize(expression.right, expression.operator === '-' ? !negative : negative, into)
    return
  }
  if (!hasRegister(expression)) {
    const { displacement } = into
    const term: Expression = negative ? { kind: 'unary', operator: '-', operand: expression } : expression
    into.displacement = displacement === undefined ? term : { kind: 'binary', operator: '+', left: displacement, right: term }
    return
  }
  if (negative) throw new Problem('a register cannot be subtracted in an address')
  if (expression.kind === 'register') {
    into.registers.push({ register: expression.register, scale: 1 })
    return
  }
  if (expression.kind === 'binary' && expression.operator === '*') {
    const { left, right } = expression
    if (left.kind === 'register' && isScale(right)) into.registers.push({ register: left.register, scale: Number(right.value) })
    else if (right.kind === 'register' && isScale(left)) into.registers.push({ register: right.register, scale: Number(left.value) })
    else throw new Problem('an index must be register * 1, 2, 4 or 8')
    return
  }
  throw new Problem('this address cannot be encoded')
}

function chooseBaseAndIndex(registers: Linear['registers']): Pick<MemoryOperand, 'base' | 'index' | 'scale'> {
  let [first, second] = registers
  if (registers.length > 2) throw new Problem('too many registers in an address')
  if (first === undefined) return { base: undefined, index: undefined, scale: 1 }
  if (second === undefined) {
    const { register, scale } = first
    if (scale === 1) return { base: register, index: undefined, scale: 1 }
    // reg*2, 3, 5, 9 are shorter as base + index
    if (scale === 2) return { base: register, index: register, scale: 1 }
    if (scale === 3 || scale === 5 || scale === 9) return { base: register, index: register, scale: scale === 3 ? 2 : scale === 5 ? 4 : 8 }
    if (scale !== 4 && scale !== 8) throw new Problem(`index scale ${scale}`)
    return { base: undefined, index: register, scale }
  }
  if (first.scale !== 1 && second.scale === 1) [first, second] = [second, first]
  const isStackPointer = second.register.bytes !== 2 && second.register.number === 4
  if (isStackPointer && second.scale === 1) [first, second] = [second, first]
  const { scale } = second
  if (first.scale !== 1 || (scale !== 1 && scale !== 2 && scale !== 4 && scale !== 8)) throw new Problem('this address cannot be encoded')
  return { base: first.register, index: second.register, scale }
}

function parseMemory(reader: TokenReader, qualify: (name: string) => string, bytes: OperandBytes | 0, far: boolean): MemoryOperand {
  let segment: Register | undefined
  let relative = false
  let addressBytes: MemoryOperand['addressBytes'] = 0
  for (;;) {
    const name = reader.peekName()
    const register = name === undefined ? undefined : registerNamed(name)
    if (name === 'rel' || name === 'abs') {
      relative = name === 'rel'
      reader.next()
    } else if (name === 'word' || name === 'dword' || name === 'qword') {
      addressBytes = name === 'word' ? 2 : name === 'dword' ? 4 : 8
      reader.next()
    } else if (register?.kind === 'sreg' && reader.isPunctuation(':', 1)) {
      segment = register
      reader.next()
      reader.next()
    } else break
  }
  const linear: Linear = { registers: [], displacement: undefined }
  linearize(parseExpression(reader, qualify), false, linear)
  reader.expectPunctuation(']')
  for (const { register } of linear.registers) {
    if (register.kind !== 'gpr' && register.kind !== 'rip') throw new Problem(`${register.name} in an address`)
  }
  return {
    kind: 'memory',
    bytes,
    far,
    segment,
    ...chooseBaseAndIndex(linear.registers),
    displacement: linear.displacement ?? ZERO,
    hasDisplacement: linear.displacement !== undefined,
    relative,
    addressBytes,
  }
}

export function parseOperand(reader: TokenReader, qualify: (name: string) => string): Operand {
  let bytes: OperandBytes | 0 = 0
  let far = false
  let distance: 'short' | 'near' | undefined
  for (;;) {
    const name = reader.peekName()
    const size = name === undefined ? undefined : SIZES[name]
    if (size !== undefined) bytes = size
    else if (name === 'far') far = true
    else if (name === 'short' || name === 'near') distance = name
    else if (name !== 'strict' && name !== 'ptr') break
    reader.next()
  }
  if (reader.takePunctuation('[')) return parseMemory(reader, qualify, bytes, far)
  const name = reader.peekName()
  const register = name === undefined ? undefined : registerNamed(name)
  if (register !== undefined) {
    reader.next()
    return { kind: 'register', register }
  }
  const value = parseExpression(reader, qualify)
  if (reader.takePunctuation(':')) return { kind: 'pointer', segment: value, offset: parseExpression(reader, qualify), bytes }
  if (far) throw new Problem("'far' needs segment:offset or memory")
  return { kind: 'immediate', value, bytes, distance }
}
