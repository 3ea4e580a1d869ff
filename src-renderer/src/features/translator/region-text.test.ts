import { describe, expect, it } from 'vitest'
import { address, milliseconds, mode, percent, spoken } from './region-text'

const region = { id: 1, address: 0x7c06, codeBits: 32, flat: true, hot: false, instructions: 3, blocks: 1, entries: 1, codeBytes: 7, wasmBytes: 400, runs: 12345, linked: true }

describe('a region in words', () => {
  it('has an address of at least 32 bits, and a mode', () => {
    expect([address(region), address({ ...region, address: 0x1_2345_6789 })]).toEqual(['0x00007c06', '0x123456789'])
    expect([mode(region), mode({ ...region, flat: false }), mode({ ...region, codeBits: 64 })]).toEqual(['32-bit flat', '32-bit', '64-bit'])
  })

  it('has figures with units', () => {
    expect([0.0123, 1.25, 123.4].map(milliseconds)).toEqual(['0.012 ms', '1.3 ms', '123 ms'])
    expect([-1, 0.0012, 0.5].map(percent)).toEqual(['0.0 %', '0.1 %', '50 %'])
  })

  it('can be spoken', () => {
    expect(spoken({ ...region, linked: false })).toBe('0x00007c06, 32-bit flat, 3 instructions, 400 bytes of WebAssembly, 12.3 k runs, not linked')
  })
})
