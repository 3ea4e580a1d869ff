import { describe, expect, it } from 'vitest'
import { PageHistory } from './page-history'

const MILLION = 1_000_000

describe('pages that keep changing', () => {
  it('are left alone for a while after several changes, each time longer', () => {
    const history = new PageHistory()
    let now = 0
    const changes = (count: number): void => {
      for (let i = 0; i < count; i++) history.changed(0x1000, (now += MILLION))
    }
    changes(7)
    expect(history.banned(0x1000, now)).toBe(false)
    changes(1)
    expect(history.banned(0x1000, now)).toBe(true)
    expect(history.banned(0x2000, now)).toBe(false)
    expect(history.banned(0x1000, now + 21 * MILLION)).toBe(false)
    now += 21 * MILLION
    changes(8)
    expect(history.banned(0x1000, now + 39 * MILLION)).toBe(true)
    expect(history.banned(0x1000, now + 41 * MILLION)).toBe(false)
    expect(history.bans).toBe(2)
  })

  it('one rewriting is one change, and old changes are forgotten', () => {
    const history = new PageHistory()
    for (let i = 0; i < 100; i++) history.changed(0x1000, 5 * MILLION + i)
    for (let i = 1; i < 20; i++) history.changed(0x1000, i * 100 * MILLION)
    expect(history.banned(0x1000, 1900 * MILLION)).toBe(false)
  })

  it('remembers a bounded number of pages', () => {
    const history = new PageHistory()
    for (let i = 0; i < 8; i++) history.changed(0, i * MILLION)
    for (let page = 1; page < 10_000; page++) history.changed(page * 4096, 8 * MILLION)
    expect(history.banned(0, 9 * MILLION)).toBe(false)
  })
})
