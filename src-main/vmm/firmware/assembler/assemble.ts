/**
 * The assembler: Intel syntax after NASM's (a subset), flat binary out. It exists so that the firmware and the demo guest are built from
 * source where nothing but Node is installed.
 *
 * It runs passes until every label stands still. Branches and immediates start in their short form and grow when they do not fit, never
 * back, so that it comes to an end.
 */
import { encodeInstruction } from './encode'
import type { Bits, EncodeContext } from './encode'
import { evaluate, parseExpression } from './expression'
import type { Expression } from './expression'
import { CONDITIONS, INSTRUCTIONS, PREFIXES } from './instruction-table'
import { TokenReader, tokenize } from './lexer'
import type { Token } from './lexer'
import { parseOperand } from './operand'
import type { Operand } from './operand'
import { Problem, SourceError } from './source-error'

export interface AssembleOptions {
  /** Named in messages. */
  readonly file?: string
  /** Constants known from the start. */
  readonly defines?: Readonly<Record<string, number | bigint>>
}

export interface AssembledImage {
  readonly bytes: Uint8Array
  /** Address of the first byte (`org`). */
  readonly origin: number
  readonly symbols: ReadonlyMap<string, number>
}

type DataItem = { readonly kind: 'text'; readonly bytes: readonly number[] } | { readonly kind: 'value'; readonly value: Expression }

type Statement =
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'equ'; readonly name: string; readonly value: Expression }
  | { readonly kind: 'bits'; readonly bits: Bits }
  | { readonly kind: 'default-relative'; readonly on: boolean }
  | { readonly kind: 'org'; readonly value: Expression }
  | { readonly kind: 'align'; readonly value: Expression; readonly fill: Expression | undefined }
  | { readonly kind: 'data'; readonly bytes: 1 | 2 | 4 | 8; readonly items: readonly DataItem[] }
  | { readonly kind: 'reserve'; readonly bytes: number; readonly count: Expression }
  | { readonly kind: 'instruction'; readonly mnemonic: string; readonly operands: readonly Operand[]; readonly prefixes: readonly string[] }
  | { readonly kind: 'times'; readonly count: Expression; readonly body: Statement }

interface Line {
  readonly number: number
  readonly statement: Statement
}

const DATA: Readonly<Record<string, 1 | 2 | 4 | 8>> = { db: 1, dw: 2, dd: 4, dq: 8 }
const RESERVE: Readonly<Record<string, number>> = { resb: 1, resw: 2, resd: 4, resq: 8 }
const DIRECTIVES = new Set(['bits', 'org', 'align', 'times', 'equ', 'use16', 'use32', 'use64', 'default', 'global', 'cpu', 'section'])
const MAXIMUM_BYTES = 0x1000000
const MAXIMUM_PASSES = 40

class Parser {
  readonly lines: Line[] = []
  private scope = ''
  private readonly textDefines = new Map<string, readonly Token[]>()

  constructor(private readonly file: string) {}

  parse(source: string): void {
    source.split('\n').forEach((text, i) => {
      try {
        this.parseLine(text, i + 1)
      } catch (error) {
        if (error instanceof Problem) throw new SourceError(this.file, i + 1, error.message)
        throw error
      }
    })
  }

  private readonly qualify = (name: string): string => (name.startsWith('.') && !name.startsWith('..') ? this.scope + name : name)

  private define(name: string): string {
    const full = this.qualify(name)
    if (!name.startsWith('.')) this.scope = name
    return full
  }

  private expand(tokens: readonly Token[]): readonly Token[] {
    if (this.textDefines.size === 0) return tokens
    return tokens.flatMap((token) => (token.kind === 'name' ? (this.textDefines.get(token.text) ?? [token]) : [token]))
  }

  private parseLine(text: string, number: number): void {
    const raw = tokenize(text)
    const [first, second] = raw
    if (first?.kind === 'name' && first.text === '%define') {
      if (second?.kind !== 'name') throw new Problem('%define needs a name')
      this.textDefines.set(second.text, this.expand(raw.slice(2)))
      return
    }
    const reader = new TokenReader(this.expand(raw))
    // [bits 16] as well as bits 16
    if (reader.isPunctuation('[')) reader.next()
    while (!reader.atEnd && this.parseLabel(reader, number)) continue
    if (reader.atEnd) return
    const statement = this.parseStatement(reader)
    if (statement !== undefined) this.lines.push({ number, statement })
    reader.takePunctuation(']')
    if (!reader.atEnd) {
      const [extra] = reader.rest()
      const shown = extra === undefined ? '' : extra.kind === 'number' ? String(extra.value) : extra.text
      throw new Problem(`unexpected '${shown}' after the instruction`)
    }
  }

  /** Takes one label (or `name equ value`) off the line; false when there is none. */
  private parseLabel(reader: TokenReader, number: number): boolean {
    const token = reader.peek()
    if (token?.kind !== 'name') return false
    const lower = token.text.toLowerCase()
    if (reader.peekName(1) === 'equ') {
      reader.next()
      reader.next()
      const name = this.qualify(token.text)
      this.lines.push({ number, statement: { kind: 'equ', name, value: parseExpression(reader, this.qualify) } })
      return !reader.atEnd
    }
    const isLabel = reader.isPunctuation(':', 1)
    const isReserved = isInstructionName(lower) || DIRECTIVES.has(lower) || DATA[lower] !== undefined || RESERVE[lower] !== undefined
    if (!isLabel) {
      if (isReserved) return false
      const next = reader.peekName(1)
      const startsStatement =
        reader.peek(1) === undefined || (next !== undefined && (DATA[next] !== undefined || RESERVE[next] !== undefined || next === 'times'))
      if (!startsStatement) return false
    }
    reader.next()
    reader.takePunctuation(':')
    this.lines.push({ number, statement: { kind: 'label', name: this.define(token.text) } })
    return true
  }

  private parseStatement(reader: TokenReader): Statement | undefined {
    const token = reader.next()
    if (token.kind !== 'name') throw new Problem('an instruction expected')
    const name = token.text.toLowerCase()
    const expression = (): Expression => parseExpression(reader, this.qualify)
    const data = DATA[name]
    if (data !== undefined) return { kind: 'data', bytes: data, items: this.parseData(reader, data) }
    const reserve = RESERVE[name]
    if (reserve !== undefined) return { kind: 'reserve', bytes: reserve, count: expression() }
    switch (name) {
      case 'bits': {
        const value = Number(evaluate(expression(), () => undefined).value)
        if (value !== 16 && value !== 32 && value !== 64) throw new Problem(`bits ${value}`)
        return { kind: 'bits', bits: value }
      }
      case 'use16':
        return { kind: 'bits', bits: 16 }
      case 'use32':
        return { kind: 'bits', bits: 32 }
      case 'use64':
        return { kind: 'bits', bits: 64 }
      case 'default': {
        const mode = reader.peekName()
        reader.next()
        if (mode !== 'rel' && mode !== 'abs') throw new Problem("'default rel' or 'default abs'")
        return { kind: 'default-relative', on: mode === 'rel' }
      }
      case 'org':
        return { kind: 'org', value: expression() }
      case 'align': {
        const value = expression()
        let fill: Expression | undefined
        if (reader.takePunctuation(',')) {
          reader.takeName('db')
          fill = expression()
        }
        return { kind: 'align', value, fill }
      }
      case 'global':
      case 'cpu':
      case 'section':
        while (!reader.atEnd) reader.next()
        return undefined
      case 'times': {
        const count = expression()
        const body = this.parseStatement(reader)
        if (body === undefined || body.kind === 'times') throw new Problem("'times' needs data or an instruction")
        return { kind: 'times', count, body }
      }
      default:
        return this.parseInstruction(name, reader)
    }
  }

  private parseData(reader: TokenReader, bytes: number): DataItem[] {
    const items: DataItem[] = []
    do {
      const token = reader.peek()
      const after = reader.peek(1)
      const isAlone = after === undefined || (after.kind === 'punctuation' && after.text === ',')
      if (token?.kind === 'string' && isAlone) {
        reader.next()
        const text = [...Buffer.from(token.text, 'latin1')]
        while (text.length % bytes !== 0) text.push(0)
        items.push({ kind: 'text', bytes: text })
      } else items.push({ kind: 'value', value: parseExpression(reader, this.qualify) })
    } while (reader.takePunctuation(','))
    return items
  }

  private parseInstruction(first: string, reader: TokenReader): Statement {
    const prefixes: string[] = []
    let mnemonic = first
    while (PREFIXES[mnemonic] !== undefined) {
      prefixes.push(mnemonic)
      const next = reader.peekName()
      if (next === undefined) throw new Problem(`'${mnemonic}' needs an instruction`)
      reader.next()
      mnemonic = next
    }
    if (!INSTRUCTIONS.has(mnemonic)) throw new Problem(`unknown instruction '${mnemonic}'`)
    const operands: Operand[] = []
    if (!reader.atEnd && !reader.isPunctuation(']')) {
      do operands.push(parseOperand(reader, this.qualify))
      while (reader.takePunctuation(','))
    }
    return { kind: 'instruction', mnemonic, operands, prefixes }
  }
}

function isInstructionName(name: string): boolean {
  return INSTRUCTIONS.has(name) || PREFIXES[name] !== undefined || (name.startsWith('j') && CONDITIONS[name.slice(1)] !== undefined)
}

/** One run over all statements. */
class Pass {
  readonly bytes: number[] = []
  origin = 0
  changed = false
  /** Symbols that had no value when they were used. */
  missing: { readonly name: string; readonly line: number } | undefined
  private bits: Bits = 16
  private defaultRelative = false
  private line = 0
  private readonly defined = new Set<string>()

  constructor(
    private readonly file: string,
    private readonly symbols: Map<string, bigint>,
    private readonly wide: Set<number>,
    private readonly constants: ReadonlySet<string>,
  ) {}

  run(lines: readonly Line[]): void {
    lines.forEach((line, i) => {
      this.line = line.number
      try {
        this.execute(line.statement, i)
        if (this.bytes.length > MAXIMUM_BYTES) throw new Problem('the program is too large')
      } catch (error) {
        if (error instanceof Problem) throw new SourceError(this.file, line.number, error.message)
        throw error
      }
    })
  }

  private get here(): number {
    return this.origin + this.bytes.length
  }

  private readonly lookup = (name: string): bigint | undefined => {
    if (name === '$') return BigInt(this.statementStart)
    if (name === '$$') return BigInt(this.origin)
    const value = this.symbols.get(name)
    if (value === undefined) this.missing ??= { name, line: this.line }
    return value
  }
  private statementStart = 0

  private defineSymbol(name: string, value: bigint): void {
    if (this.defined.has(name) || this.constants.has(name)) throw new Problem(`'${name}' is defined twice`)
    this.defined.add(name)
    if (this.symbols.get(name) !== value) {
      this.symbols.set(name, value)
      this.changed = true
    }
  }

  private number(expression: Expression): number {
    return Number(evaluate(expression, this.lookup).value)
  }

  private execute(statement: Statement, index: number): void {
    this.statementStart = this.here
    switch (statement.kind) {
      case 'label':
        this.defineSymbol(statement.name, BigInt(this.here))
        return
      case 'equ': {
        const { value, known } = evaluate(statement.value, this.lookup)
        if (known) this.defineSymbol(statement.name, value)
        return
      }
      case 'bits':
        this.bits = statement.bits
        return
      case 'default-relative':
        this.defaultRelative = statement.on
        return
      case 'org':
        if (this.bytes.length !== 0) throw new Problem("'org' must come before the first byte")
        this.origin = this.number(statement.value)
        return
      case 'align': {
        const unit = this.number(statement.value)
        if (unit <= 0 || (unit & (unit - 1)) !== 0) throw new Problem(`align ${unit}: not a power of two`)
        const fill = statement.fill === undefined ? 0x90 : this.number(statement.fill)
        // Relative to the start, as NASM aligns within a section.
        while (this.bytes.length % unit !== 0) this.bytes.push(fill & 0xff)
        return
      }
      case 'reserve': {
        const count = this.number(statement.count) * statement.bytes
        if (count < 0 || count > MAXIMUM_BYTES) throw new Problem(`cannot reserve ${count} bytes`)
        for (let i = 0; i < count; i++) this.bytes.push(0)
        return
      }
      case 'data':
        this.emitData(statement.items, statement.bytes)
        return
      case 'times': {
        const { value, known } = evaluate(statement.count, this.lookup)
        const count = Number(value)
        if (known && !this.isSettling && count < 0) throw new Problem(`times ${count}: the count is negative`)
        if (count > MAXIMUM_BYTES) throw new Problem(`times ${count}: too many`)
        const start = this.here
        for (let i = 0; i < count; i++) {
          this.execute(statement.body, index)
          this.statementStart = start
        }
        return
      }
      case 'instruction': {
        const context: EncodeContext = {
          bits: this.bits,
          here: this.here,
          lookup: this.lookup,
          defaultRelative: this.defaultRelative,
          isWide: (site) => this.wide.has(index * 16 + site),
          setWide: (site) => {
            const key = index * 16 + site
            if (!this.wide.has(key)) {
              this.wide.add(key)
              this.changed = true
            }
          },
        }
        for (const byte of encodeInstruction(statement.mnemonic, statement.operands, statement.prefixes, context)) this.bytes.push(byte)
      }
    }
  }

  /** While labels still move, a negative `times` count is not yet a mistake. */
  isSettling = true

  private emitData(items: readonly DataItem[], bytes: 1 | 2 | 4 | 8): void {
    for (const item of items) {
      if (item.kind === 'text') {
        for (const byte of item.bytes) this.bytes.push(byte)
        continue
      }
      const { value, known } = evaluate(item.value, this.lookup)
      const limit = 1n << BigInt(bytes * 8)
      if (known && !this.isSettling && (value >= limit || value < -limit / 2n)) throw new Problem(`${value} does not fit ${bytes * 8} bits`)
      for (let i = 0; i < bytes; i++) this.bytes.push(Number((value >> BigInt(8 * i)) & 0xffn))
    }
  }
}

export function assemble(source: string, options: AssembleOptions = {}): AssembledImage {
  const file = options.file ?? 'source'
  const parser = new Parser(file)
  parser.parse(source)
  const symbols = new Map<string, bigint>()
  for (const [name, value] of Object.entries(options.defines ?? {})) symbols.set(name, BigInt(value))
  const constants = new Set(symbols.keys())
  const wide = new Set<number>()
  let isSettling = true
  for (let n = 0; n < MAXIMUM_PASSES; n++) {
    const pass = new Pass(file, symbols, wide, constants)
    pass.isSettling = isSettling
    pass.run(parser.lines)
    if (pass.changed) continue
    if (pass.missing !== undefined) throw new SourceError(file, pass.missing.line, `'${pass.missing.name}' is not defined`)
    if (isSettling) {
      // Everything stands still: one more pass in which every check counts.
      isSettling = false
      continue
    }
    return {
      bytes: Uint8Array.from(pass.bytes),
      origin: pass.origin,
      symbols: new Map([...symbols].map(([name, value]) => [name, Number(value)])),
    }
  }
  throw new SourceError(file, 1, 'labels do not come to rest')
}
