/**
 * What the translator makes of some code, as text, and how large each operation gets: changes show in review. `npm run bless:golden` writes the files anew
 * after a change that is meant.
 */
import { describe, expect, it } from 'vitest'
import { translateSnippet } from '../../testing/region-snippet'
import { wasmText } from '../engines/wasm-text'
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { disassemble } from '../isa/disassembler'
import { forms } from '../isa/forms'
import * as L from '../layout'
import { encodeModule } from '../wasm/emit'
import type { IrFunction } from '../wasm/ir'
import { emitRegion } from './emit-region'
import { SNIPPETS } from './golden/snippets'
import type { GoldenSnippet } from './golden/snippets'
import { singleInstructionPlan } from './golden/single-instruction'
import { executionOf } from './translatable'

const CODE_SIZE = { real: 0, protected32: 1, long: 2 } as const

const listing = ({ mode, code }: GoldenSnippet, start: number): string => {
  const lines: string[] = []
  for (let at = 0; at < code.length;) {
    const { text, length } = disassemble(Uint8Array.from(code), at, CODE_SIZE[mode], start + at)
    lines.push(`  ${(start + at).toString(16)}  ${text}`)
    at += Math.max(1, length)
  }
  return lines.join('\n')
}

/** One function's text. */
const functionText = async (wasm: Uint8Array, name: string): Promise<string> => {
  const text = await wasmText(wasm)
  return text.split(/\n(?= {2}\()/).filter((part) => part.startsWith(`  (func $${name} `)).join('\n')
}

describe('translation of', () => {
  it.each(SNIPPETS.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const { ir, wasm, address } = translateSnippet(one.mode, one.code, one.registers)
    const text = [`${one.about}: ${wasm.length} bytes`, listing(one, address), ir.trimEnd(), (await functionText(wasm, 'region')).trimEnd(), '']
    await expect(text.join('\n\n')).toMatchFileSnapshot(`./golden/${name}.txt`)
  })
})

describe('bytes of WebAssembly', () => {
  const MODES = [2, 1 | L.KEY_FLAT] as const
  const bytesOf = (handler: number, key: number): number => {
    const helpers = new HelperImports(helperTable)
    const fn = emitRegion('r', singleInstructionPlan(handler, key), helpers)
    const size = (functions: readonly IrFunction[]): number => encodeModule({ imports: helpers.imports, functions, exports: [] }).length
    return size([fn]) - size([])
  }

  it('for each operation', async () => {
    const nop = forms.find(({ operation }) => operation === 'nop')
    const bases = MODES.map((key) => bytesOf(nop!.handler, key))
    const rows = new Map<string, number[]>()
    for (const form of forms) {
      if (form.handler === 0) continue
      MODES.forEach((key, i) => {
        if (executionOf(form, key) === 'never') return
        const row = rows.get(form.operation) ?? [0, 0, 0, 0]
        rows.set(form.operation, row)
        row[i * 2] = row[i * 2]! + 1
        row[i * 2 + 1] = row[i * 2 + 1]! + bytesOf(form.handler, key) - bases[i]!
      })
    }
    const average = (count: number, bytes: number): string => String(count === 0 ? '-' : Math.round(bytes / count)).padStart(8)
    const lines = [...rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([operation, [a, b, c, d]]) => operation.padEnd(20) + String(a).padStart(6) + average(a!, b!) + String(c).padStart(6) + average(c!, d!))
    const header = [
      'Bytes that one instruction adds to a region, on average over the forms of its operation (operand sizes, register and memory).',
      'operation            64-bit: forms, bytes; flat 32-bit: forms, bytes',
    ]
    await expect([...header, ...lines, ''].join('\n')).toMatchFileSnapshot('./golden/sizes.txt')
  })
})
