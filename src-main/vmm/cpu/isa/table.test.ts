import { describe, expect, it } from 'vitest'
import { forms, rowSlots } from './forms'
import { OPERATIONS } from './operations'
import { ROWS } from './table'
import { OPERATIONS_WITH_TRAITS, traitsOf } from './traits'

describe('instruction table', () => {
  it('has a unique id for every row', () => {
    expect(new Set(ROWS.map((row) => row.id)).size).toBe(ROWS.length)
  })

  it('has no two rows that mean different things under the same encoding', () => {
    const seen = new Map<string, string>()
    const clashes: string[] = []
    for (const row of ROWS) {
      const key = [row.map, row.opcode, row.prefixes, row.digit, row.mod, row.rm, row.modes, row.noRexB, row.rexW].join(' ')
      const other = seen.get(key)
      if (other !== undefined) clashes.push(`${other} and ${row.id}`)
      seen.set(key, row.id)
    }
    expect(clashes).toEqual([])
  })

  it('gives traits only to operations that exist', () => {
    const names = new Set(OPERATIONS.map((shape) => shape.operation))
    expect(OPERATIONS_WITH_TRAITS.filter((name) => !names.has(name))).toEqual([])
  })

  it('allows LOCK only where operand 0 can be memory', () => {
    const odd = ROWS.filter((row) => traitsOf(row.operation).lockable && !row.operands.some((spec) => 'EMGZ'.includes(spec.addressing) || spec.addressing === 'fixed-gpr'))
    expect(odd.map((row) => row.id)).toEqual([])
  })

  it('numbers its forms densely, each once', () => {
    expect(forms.map((form) => form.handler)).toEqual(forms.map((_, i) => i))
    expect(new Set(forms.map((form) => form.key)).size).toBe(forms.length)
    const used = new Set(rowSlots.flatMap((slots) => [...slots]))
    const unused = forms.filter((form) => !used.has(form.handler) && !['too_long', 'ud'].includes(form.operation))
    expect(unused.map((form) => form.key)).toEqual([])
  })
})
