import { describe, expect, it } from 'vitest'
import { count } from './figures'

describe('figures', () => {
  it('are short, with a unit', () => {
    expect([0, 999, 1000, 12_345, 123_456, 4_900_000, 2.5e9, 3e12].map(count)).toEqual(['0', '999', '1.0 k', '12.3 k', '123 k', '4.9 M', '2.5 G', '3.0 T'])
  })
})
