import { describe, expect, it } from 'vitest'
import { listText, regionText } from './region-dump'

const region = { id: 1, address: 0x7c06, codeBits: 32, flat: true, hot: true, instructions: 3, codeBytes: 7, blocks: 1, entries: 1, wasmBytes: 400, runs: 12345, linked: true }

describe('translated code as text', () => {
  it('is listed in columns', () => {
    expect(listText([region, { ...region, address: 0x12345678, codeBits: 64, hot: false, runs: 1, linked: false }])).toBe(
      [
        '   address         mode        made  instructions  blocks  entries  x86 bytes  wasm bytes   runs',
        '    0x7c06  32-bit flat  generously             3       1        1          7         400  12345',
        '0x12345678       64-bit   sparingly             3       1        1          7         400      1  unlinked',
        '',
      ].join('\n'),
    )
  })

  it('is shown section by section', () => {
    const source = { plan: { page: 0x7000, key: 0, records: new Uint8Array(), blocks: [], entries: [0] }, code: new Uint8Array() }
    const passes = [{ name: 'emit', summary: 'all', text: 'func a\n  b\n', lines: 2 }]
    const text = regionText({ ...region, source, coreExports: [] }, { x86: ['7c06:', '  7c06  nop'], passes, steps: [{ name: 'emit', milliseconds: 0.25 }], wasm: new Uint8Array(900), wasmText: '(module)\n', functionBytes: 400 })
    expect(text).toBe(`==== region 0x7c06 (32-bit flat) ====
instructions  3 in 1 basic blocks; entered at 1; made generously
x86 bytes     7
wasm bytes    400; 900 as a module of its own
runs          12345 entries by the run loop
times         emit 0.250 ms (fastest of a few runs for this report)

---- x86 ----
7c06:
  7c06  nop

---- IR after emit: all; 2 lines ----
func a
  b

---- WebAssembly ----
(module)
`)
  })
})
