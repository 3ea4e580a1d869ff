import { expect, it } from 'vitest'
import { OP_ADD, OP_DIV, OP_MUL, OP_SQRT, OP_SUB } from '../helpers/fpu-codes'
import { ENTRY, rangeOfResult } from './float-range'
import type { Range } from './float-range'

const ALMOST_TWO = 2 - 2 ** -52
const NEXT_TO_ONE = 1 + 2 ** -52
/** 2^n, where 2 ** n may be off by rounding of its own. */
const power = (n: number): number => (n < 0 ? 1 / 2 ** -n : 2 ** n)
/** Numbers at the ends of a range. */
const extremes = ({ first, last }: Range): readonly number[] => [1, NEXT_TO_ONE, ALMOST_TWO].flatMap((x) => [x * power(first), x * power(last), -x * power(first), -x * power(last)])
const exponentOf = (x: number): number => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1023
}

const OPERATIONS: Readonly<Record<number, (a: number, b: number) => number>> = {
  [OP_ADD]: (a, b) => a + b,
  [OP_SUB]: (a, b) => a - b,
  [OP_MUL]: (a, b) => a * b,
  [OP_DIV]: (a, b) => a / b,
  [OP_SQRT]: (_, b) => Math.sqrt(b),
}
const RANGES: readonly Range[] = [ENTRY, { first: 0, last: 0 }, { first: 0, last: 31 }, { first: -307, last: 257 }, { first: -510, last: 513 }, { first: 100, last: 700 }]

it('bounds the exponents of results', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    for (const a of RANGES) {
      for (const b of RANGES) {
        const range = rangeOfResult(Number(name), Number(name) === OP_SQRT ? [b] : [a, b])
        if (range === undefined) continue
        const results = extremes(a).flatMap((x) => extremes(b).map((y) => operation(x, y))).filter((r) => r !== 0 && !Number.isNaN(r))
        for (const result of results) {
          expect(exponentOf(result), `${name}: ${result}`).toBeGreaterThanOrEqual(range.first)
          expect(exponentOf(result), `${name}: ${result}`).toBeLessThanOrEqual(range.last)
        }
      }
    }
  }
})

it('says nothing of results that may overflow or be tiny', () => {
  const wide = { first: -600, last: 600 }
  expect(rangeOfResult(OP_MUL, [wide, wide])).toBeUndefined()
  expect(rangeOfResult(OP_DIV, [wide, wide])).toBeUndefined()
  expect(rangeOfResult(OP_ADD, [{ first: -1000, last: 0 }, ENTRY])).toBeUndefined()
  expect(rangeOfResult(OP_ADD, [{ first: 0, last: 1023 }, ENTRY])).toBeUndefined()
  expect(rangeOfResult(OP_MUL, [ENTRY, ENTRY])).toEqual({ first: -510, last: 513 })
})
