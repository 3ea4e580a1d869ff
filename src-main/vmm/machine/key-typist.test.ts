import { describe, expect, it } from 'vitest'
import { FakeClock } from '../testing/fake-clock'
import { KeyTypist, type KeyEvent } from './key-typist'

function ready(): { clock: FakeClock; typist: KeyTypist; pressed: string[] } {
  const clock = new FakeClock()
  const pressed: string[] = []
  const typist = new KeyTypist(clock, ({ code, pressed: down }) => void pressed.push(`${clock.now() / 1e6} ${down ? '+' : '-'}${code}`))
  return { clock, typist, pressed }
}
const down = (code: string): KeyEvent => ({ code, pressed: true })
const up = (code: string): KeyEvent => ({ code, pressed: false })

describe('KeyTypist', () => {
  it('presses the first key at once and the others eight milliseconds apart', () => {
    const { clock, typist, pressed } = ready()
    typist.type([down('KeyA'), up('KeyA'), down('KeyB')])
    expect(pressed).toEqual(['0 +KeyA'])
    expect(typist.pending).toBe(2)
    clock.advance(100e6)
    expect(pressed).toEqual(['0 +KeyA', '8 -KeyA', '16 +KeyB'])
    expect(typist.pending).toBe(0)
  })

  it('queues what is typed meanwhile', () => {
    const { clock, typist, pressed } = ready()
    typist.type([down('KeyA')])
    typist.type([up('KeyA')])
    clock.advance(3e6)
    typist.type([down('KeyB')])
    clock.advance(20e6)
    expect(pressed).toEqual(['0 +KeyA', '8 -KeyA', '16 +KeyB'])
  })

  it('starts at once again after a pause', () => {
    const { clock, typist, pressed } = ready()
    typist.type([down('KeyA')])
    clock.advance(50e6)
    typist.type([up('KeyA')])
    expect(pressed).toEqual(['0 +KeyA', '50 -KeyA'])
  })

  it('leaves no timer behind when there is nothing to type', () => {
    const { clock, typist } = ready()
    typist.type([])
    expect(clock.queue.next()).toBeUndefined()
    typist.type([down('KeyA')])
    clock.advance(8e6)
    expect(clock.queue.next()).toBeUndefined()
  })
})
