import { describe, expect, it } from 'vitest'
import { KeyGrab, type Keyboard } from './key-grab'

function fixture(keyboard: Keyboard = 'other') {
  const sent: string[] = []
  let released = 0
  const grab = new KeyGrab({
    keyboard,
    send: ({ code, pressed }) => sent.push(`${pressed ? '+' : '-'}${code}`),
    release: () => released++,
    takes: (code) => (code === 'Enter' ? () => sent.push('full screen') : undefined),
  })
  return { grab, sent, released: () => released }
}

describe('keyboard grab', () => {
  it('passes keys on, repeats included', () => {
    const { grab, sent } = fixture()
    grab.down('KeyA')
    grab.down('KeyA')
    grab.up('KeyA')
    expect(sent).toEqual(['+KeyA', '+KeyA', '-KeyA'])
  })

  it('Ctrl+Alt alone gives the keyboard back, with no key left down', () => {
    const { grab, sent, released } = fixture()
    grab.down('ControlLeft')
    grab.down('AltLeft')
    grab.up('ControlLeft')
    expect(released()).toBe(1)
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '-ControlLeft', '-AltLeft'])
  })

  it('Ctrl+Alt with another key is the guest\'s', () => {
    const { grab, sent, released } = fixture()
    for (const code of ['ControlLeft', 'AltLeft', 'F2']) grab.down(code)
    for (const code of ['F2', 'AltLeft', 'ControlLeft']) grab.up(code)
    expect(released()).toBe(0)
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '+F2', '-F2', '-AltLeft', '-ControlLeft'])
  })

  it('a key that was down before the grab is not let go in the guest', () => {
    const { grab, sent } = fixture()
    grab.up('Enter')
    expect(sent).toEqual([])
  })

  it('lets go of everything when the window loses the keyboard', () => {
    const { grab, sent } = fixture()
    grab.down('ShiftLeft')
    grab.down('KeyX')
    grab.releaseAll()
    grab.releaseAll()
    expect(sent).toEqual(['+ShiftLeft', '+KeyX', '-ShiftLeft', '-KeyX'])
  })

  it('taps a chord in order and back', () => {
    const { grab, sent } = fixture()
    grab.tap(['ControlLeft', 'AltLeft', 'Delete'])
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '+Delete', '-Delete', '-AltLeft', '-ControlLeft'])
  })

  it('keeps what is the window\'s, with nothing left down in the guest', () => {
    const { grab, sent, released } = fixture()
    for (const code of ['ControlLeft', 'AltLeft', 'Enter', 'Enter']) grab.down(code)
    for (const code of ['Enter', 'AltLeft', 'ControlLeft']) grab.up(code)
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '-ControlLeft', '-AltLeft', 'full screen'])
    expect(released()).toBe(0)
    grab.down('Enter')
    grab.up('Enter')
    expect(sent.slice(5)).toEqual(['+Enter', '-Enter'])
  })

  it('Ctrl+Alt+Space passes the next combination on: the window\'s own, with Ctrl+Alt still held', () => {
    const { grab, sent, released } = fixture()
    for (const code of ['ControlLeft', 'AltLeft', 'Space', 'Space']) grab.down(code)
    grab.up('Space')
    grab.down('Enter')
    for (const code of ['Enter', 'AltLeft', 'ControlLeft']) grab.up(code)
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '+Enter', '-Enter', '-AltLeft', '-ControlLeft'])
    expect(released()).toBe(0)
  })

  it('and Ctrl+Alt alone, once', () => {
    const { grab, sent, released } = fixture()
    const press = (...codes: readonly string[]): void => {
      for (const code of codes) grab.down(code)
      for (const code of [...codes].reverse()) grab.up(code)
    }
    press('ControlLeft', 'AltLeft', 'Space')
    sent.length = 0
    press('ControlLeft', 'AltLeft')
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '-AltLeft', '-ControlLeft'])
    expect(released()).toBe(0)
    press('ControlLeft', 'AltLeft')
    expect(released()).toBe(1)
  })

  it('Windows\' AltGr is no Ctrl, and no chord', () => {
    const { grab, sent, released } = fixture('windows')
    for (const [code, key] of [['ControlLeft', 'Control'], ['AltRight', 'AltGraph'], ['ControlLeft', 'Control'], ['AltRight', 'AltGraph'], ['KeyQ', '@']] as const) grab.down(code, key)
    for (const code of ['KeyQ', 'ControlLeft', 'AltRight']) grab.up(code)
    expect(sent).toEqual(['+ControlLeft', '-ControlLeft', '+AltRight', '+AltRight', '+KeyQ', '-KeyQ', '-AltRight'])
    expect(released()).toBe(0)
    grab.down('ControlLeft', 'Control')
    expect(sent.at(-1)).toBe('+ControlLeft')
  })

  it('AltGr elsewhere is a key of its own, and may have a real Ctrl beside it', () => {
    const { grab, sent } = fixture()
    grab.down('ControlLeft', 'Control')
    grab.down('AltRight', 'AltGraph')
    grab.down('KeyQ', '@')
    expect(sent).toEqual(['+ControlLeft', '+AltRight', '+KeyQ'])
  })

  it('Print Screen, whose press Windows does not tell, is pressed and let go', () => {
    const { grab, sent } = fixture('windows')
    grab.up('PrintScreen')
    expect(sent).toEqual(['+PrintScreen', '-PrintScreen'])
  })

  it('no key stays down whose release macOS does not tell, and Caps Lock is a press each time', () => {
    const { grab, sent } = fixture('mac')
    for (const code of ['MetaLeft', 'ShiftLeft', 'KeyC']) grab.down(code)
    grab.up('MetaLeft')
    grab.up('ShiftLeft')
    grab.down('CapsLock')
    grab.up('CapsLock')
    expect(sent).toEqual(['+MetaLeft', '+ShiftLeft', '+KeyC', '-KeyC', '-MetaLeft', '-ShiftLeft', '+CapsLock', '-CapsLock', '+CapsLock', '-CapsLock'])
  })
})
