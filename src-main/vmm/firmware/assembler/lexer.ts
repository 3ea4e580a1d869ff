/** Splits one line of source into tokens. Numbers are BigInt: descriptors and 64-bit immediates need all their bits. */
import { Problem } from './source-error'

export type Token =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'punctuation'; readonly text: string }

const PUNCTUATION = ['<<', '>>', '//', '+', '-', '*', '/', '%', '&', '|', '^', '~', '(', ')', '[', ']', ',', ':']
const NAME = /^[A-Za-z_.?@%][A-Za-z0-9_.?@$#]*/
const NUMBER = /^[0-9][0-9A-Za-z_]*/

function parseNumber(text: string): bigint {
  const digits = text.replaceAll('_', '').toLowerCase()
  if (/^0x[0-9a-f]+$/.test(digits) || /^0b[01]+$/.test(digits) || /^0o[0-7]+$/.test(digits)) return BigInt(digits)
  if (/^[0-9][0-9a-f]*h$/.test(digits)) return BigInt(`0x${digits.slice(0, -1)}`)
  if (/^[01]+b$/.test(digits)) return BigInt(`0b${digits.slice(0, -1)}`)
  if (/^[0-9]+$/.test(digits)) return BigInt(digits)
  throw new Problem(`'${text}' is not a number`)
}

/** Where a comment starts, outside of quotes. */
function withoutComment(line: string): string {
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i)
    if (quote !== '') {
      if (c === quote) quote = ''
    } else if (c === "'" || c === '"' || c === '`') quote = c
    else if (c === ';') return line.slice(0, i)
  }
  return line
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\', '`': '`', e: '\x1b' }

export function tokenize(line: string): readonly Token[] {
  const text = withoutComment(line)
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const c = text.charAt(at)
    if (c === ' ' || c === '\t' || c === '\r') {
      at++
      continue
    }
    if (c === "'" || c === '"' || c === '`') {
      // Only back quotes know escapes, as in NASM.
      let end = at + 1
      let value = ''
      while (end < text.length && text.charAt(end) !== c) {
        if (c === '`' && text.charAt(end) === '\\') {
          const escaped = ESCAPES[text.charAt(end + 1)]
          if (escaped === undefined) throw new Problem(`unknown escape '\\${text.charAt(end + 1)}'`)
          value += escaped
          end += 2
        } else value += text.charAt(end++)
      }
      if (end >= text.length) throw new Problem(`unterminated string ${text.slice(at)}`)
      tokens.push({ kind: 'string', text: value })
      at = end + 1
      continue
    }
    const rest = text.slice(at)
    if (c === '$') {
      const name = rest.startsWith('$$') ? '$$' : '$'
      tokens.push({ kind: 'name', text: name })
      at += name.length
      continue
    }
    const number = NUMBER.exec(rest)
    if (number) {
      tokens.push({ kind: 'number', value: parseNumber(number[0]) })
      at += number[0].length
      continue
    }
    const previous = tokens[tokens.length - 1]
    const isOperatorPlace = previous !== undefined && (previous.kind !== 'punctuation' || previous.text === ')' || previous.text === ']')
    const name = c === '%' && isOperatorPlace ? null : NAME.exec(rest)
    if (name) {
      tokens.push({ kind: 'name', text: name[0] })
      at += name[0].length
      continue
    }
    const punctuation = PUNCTUATION.find((p) => rest.startsWith(p))
    if (punctuation === undefined) throw new Problem(`unexpected character '${c}'`)
    tokens.push({ kind: 'punctuation', text: punctuation })
    at += punctuation.length
  }
  return tokens
}

/** A cursor over the tokens of a line. */
export class TokenReader {
  private at = 0
  constructor(private readonly tokens: readonly Token[]) {}

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead]
  }
  next(): Token {
    const token = this.tokens[this.at++]
    if (token === undefined) throw new Problem('something is missing at the end of the line')
    return token
  }
  get atEnd(): boolean {
    return this.at >= this.tokens.length
  }
  isPunctuation(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token !== undefined && token.kind === 'punctuation' && token.text === text
  }
  takePunctuation(text: string): boolean {
    if (!this.isPunctuation(text)) return false
    this.at++
    return true
  }
  expectPunctuation(text: string): void {
    if (!this.takePunctuation(text)) throw new Problem(`'${text}' expected`)
  }
  /** Lower-case name at the cursor, or undefined. */
  peekName(ahead = 0): string | undefined {
    const token = this.peek(ahead)
    return token?.kind === 'name' ? token.text.toLowerCase() : undefined
  }
  takeName(text: string): boolean {
    if (this.peekName() !== text) return false
    this.at++
    return true
  }
  mark(): number {
    return this.at
  }
  rewind(mark: number): void {
    this.at = mark
  }
  /** The rest of the line, from the cursor. */
  rest(): readonly Token[] {
    return this.tokens.slice(this.at)
  }
}
