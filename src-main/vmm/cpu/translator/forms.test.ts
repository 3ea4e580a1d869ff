/** Every form that a region can hold, in every mode: its IR is well-formed, and V8 takes the WebAssembly. */
import { describe, expect, it } from 'vitest'
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { forms } from '../isa/forms'
import * as L from '../layout'
import { encodeModule } from '../wasm/emit'
import { verify } from '../wasm/ir'
import { emitRegion } from './emit-region'
import type { RegionPlan } from './region-plan'
import { executionOf } from './translatable'

const LENGTH = 4

function planOf(handler: number, key: number): RegionPlan {
  const records = new Uint8Array(L.REC_BYTES)
  const view = new DataView(records.buffer)
  view.setUint16(L.REC_HANDLER, handler, true)
  view.setUint8(L.REC_LENGTH, LENGTH)
  view.setUint8(L.REC_BASE, 8)
  view.setUint8(L.REC_INDEX, L.REG_ZERO)
  view.setUint8(L.REC_SEGMENT, L.SEG_DS)
  view.setUint8(L.REC_ADDRESS_SHIFT, key === 2 ? 0 : key === 0 ? 48 : 32)
  return { page: 0x1000, key, records, blocks: [{ offset: 0x100, bytes: LENGTH, first: 0, count: 1 }], entries: [0] }
}

describe.each([0, 1, 2, 1 | L.KEY_FLAT])('code of key %i', (key) => {
  const own = forms.filter((form) => executionOf(form, key) !== 'never')

  it('covers most of the table', () => {
    expect(own.length / forms.length).toBeGreaterThan(0.5)
  })

  it('is valid', () => {
    const helpers = new HelperImports(helperTable)
    const functions = own.map((form) => emitRegion(form.key, planOf(form.handler, key), helpers))
    for (const fn of functions) verify(fn)
    expect(() => new WebAssembly.Module(encodeModule({ imports: helpers.imports, functions, exports: [] }))).not.toThrow()
  })
})
