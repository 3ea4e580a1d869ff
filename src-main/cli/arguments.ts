/** Command lines with one clear line for each mistake. */
import { parseArgs } from 'node:util'
import { VmmError } from '../vmm'

export const text = { type: 'string' } as const
export const list = { type: 'string', multiple: true } as const
export const flag = { type: 'boolean' } as const

export type OptionTable = Readonly<Record<string, typeof text | typeof list | typeof flag>>
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]?: T[K] extends typeof flag ? boolean : T[K] extends typeof list ? string[] : string }

export interface SplitArguments<T extends OptionTable> {
  readonly values: OptionValues<T>
  /** What is no option, in order. */
  readonly words: readonly string[]
  /** The options in the form that has no doubt: `--name=value`. */
  readonly clear: readonly string[]
}

/**
 * Node's parser splits the arguments, but its messages have several lines, it lets the last of two win, and it takes no value that starts with a
 * dash (as Debian's "--append '--- quiet'" does): so the tokens are checked here, and values given to it in the form that has no doubt.
 */
export function splitArguments<const T extends OptionTable>(args: readonly string[], options: T, maxWords: number = 0): SplitArguments<T> {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const isOption = (name: string): boolean => Object.hasOwn(options, name)
  const seen = new Map<string, string>()
  const words: string[] = []
  const clear: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional' && words.length < maxWords) {
      words.push(token.value)
      continue
    }
    if (token.kind !== 'option') {
      if (token.kind === 'option-terminator' && maxWords > 0) continue
      throw bad(`${token.kind === 'positional' ? token.value : '--'}: not an option${maxWords > 0 ? ', and one word too many' : ''}; see vitrine --help`)
    }
    const { name, value } = token
    const kind = options[name]
    if (!isOption(name) || !kind) throw bad(`${token.rawName}: no such option; see vitrine --help`)
    if (kind.type === 'boolean') {
      if (value !== undefined) throw bad(`--${name}=${value}: takes no value; write --${name}`)
    } else if (value === undefined) throw bad(`--${name}: needs a value; see vitrine --help`)
    else if (!token.inlineValue && value.startsWith('--') && isOption(value.slice(2).split('=', 1)[0] ?? '')) {
      throw bad(`--${name}: its value is missing before ${value}; for a value that starts with dashes write --${name}=VALUE`)
    }
    const earlier = seen.get(name)
    if (earlier !== undefined && !('multiple' in kind)) throw new VmmError('config/contradiction', `--${name}: given twice${value === undefined ? '' : ` (${earlier} and ${value})`}; leave one out`)
    seen.set(name, value ?? '')
    clear.push(value === undefined ? `--${name}` : `--${name}=${value}`)
  }
  const { values } = parseArgs({ args: clear, options, strict: true, allowPositionals: false })
  return { values: values as OptionValues<T>, words, clear } // strict: what node's own types say of the same table
}

export function bad(message: string): VmmError {
  return new VmmError('config/bad-option', message)
}

/** One of the allowed words. */
export function choice<const T extends string>(option: string, value: string | undefined, allowed: readonly T[], otherwise: T): T {
  if (value === undefined) return otherwise
  const found = allowed.find((name) => name === value)
  if (found === undefined) throw bad(`--${option} ${value}: not known; choose ${allowed.join(' or ')}`)
  return found
}
