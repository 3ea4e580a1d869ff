import { describe, expect, it } from 'vitest'
import { translationWarning } from './run'

describe('the warning after a run', () => {
  it('tells what the translator could not do', () => {
    expect(translationWarning({ failures: 2, latestFailure: 'region 0x1000: no meaning of x' })).toMatch(/2 regions.*region 0x1000: no meaning of x/)
  })

  it('says nothing when all went well, or nothing translates', () => {
    expect(translationWarning({ failures: 0, latestFailure: '' })).toBeUndefined()
    expect(translationWarning(undefined)).toBeUndefined()
  })
})
