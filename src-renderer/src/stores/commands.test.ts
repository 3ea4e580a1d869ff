// @vitest-environment happy-dom
import '../testing/fake-bridge.fixture'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { effectScope, type EffectScope, type Ref } from 'vue'
import { useShortcuts } from '../features/shell/use-shortcuts'
import { allCommands, commandOf, entryOf, findCommand, keysOf, menuOf, registerCommands, runCommand, type Command } from './commands'
import { useDialogsStore } from './dialogs'
import { useInputStore } from './input'

let scope: EffectScope
let ran: string[]
const command = (id: string, more: Partial<Command> = {}): Command => ({ id, text: () => id, run: () => ran.push(id), ...more })
const register = (...list: readonly Command[]): void => scope.run(() => registerCommands(list))
const press = (target: EventTarget, code: string, more: KeyboardEventInit = {}): void => void target.dispatchEvent(new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true, ...more }))

beforeEach(() => {
  setActivePinia(createPinia())
  scope = effectScope()
  ran = []
})
afterEach(() => {
  scope.stop()
  document.body.innerHTML = ''
})

describe('commands', () => {
  it('go with who registered them', () => {
    register(command('a'))
    expect(findCommand('a')).toBeDefined()
    scope.stop()
    expect(allCommands()).toEqual([])
  })

  it('of the same id: the later stands in, and does not take the earlier along', () => {
    register(command('a', { text: () => 'first' }))
    const inner = effectScope()
    inner.run(() => registerCommands([command('a', { text: () => 'second' })]))
    expect(findCommand('a')?.text()).toBe('second')
    scope.stop()
    expect(findCommand('a')?.text()).toBe('second')
    inner.stop()
  })

  it('run only while they are enabled', () => {
    register(command('on'), command('off', { enabled: () => false }))
    for (const id of ['on', 'off', 'unknown']) runCommand(id)
    expect(ran).toEqual(['on'])
  })

  it('make menus of those that are there', () => {
    register(command('a', { keys: 'Ctrl+A' }), command('b', { checked: () => true }))
    expect(menuOf(['a', '-', 'missing', 'b']).map(({ kind, id }) => `${kind} ${id}`)).toEqual(['item a', 'separator -1', 'check b'])
    expect(entryOf(command('c', { enabled: () => false }))).toMatchObject({ disabled: true })
  })

  it('are found by keys, which go by the place on the keyboard', () => {
    expect(keysOf(new KeyboardEvent('keydown', { code: 'KeyP', key: 'з', ctrlKey: true, shiftKey: true }))).toBe('Ctrl+Shift+P')
    expect(keysOf(new KeyboardEvent('keydown', { code: 'ArrowLeft', ctrlKey: true, altKey: true }))).toBe('Ctrl+Alt+Left')
    register(command('a', { keys: 'F9' }))
    expect(commandOf(new KeyboardEvent('keydown', { code: 'F9' }))?.id).toBe('a')
    expect(commandOf(new KeyboardEvent('keydown', { code: 'F9', shiftKey: true }))).toBeUndefined()
  })
})

describe('shortcuts', () => {
  let hints: Readonly<Ref<boolean>> | undefined
  beforeEach(() => {
    register(command('paste', { keys: 'Ctrl+V' }), command('library', { keys: 'F9' }))
    hints = scope.run(() => useShortcuts({ focus: () => ran.push('menu bar'), open: (letter) => letter === 'F' && ran.push('menu F') > 0 }))
  })

  it('work anywhere in the window', () => {
    press(document.body, 'F9')
    expect(ran).toEqual(['library'])
  })

  it('rest while the guest has the input, and while a dialog is open', () => {
    useInputStore().grabbed = true
    press(document.body, 'F9')
    useInputStore().grabbed = false
    useDialogsStore().open({ kind: 'about' })
    press(document.body, 'F9')
    press(document.body, 'F10')
    expect(ran).toEqual([])
  })

  it('leave a text field its own keys', () => {
    document.body.innerHTML = '<input type="text"><input type="checkbox">'
    const [text, check] = document.querySelectorAll('input')
    if (text) press(text, 'KeyV', { ctrlKey: true })
    expect(ran).toEqual([])
    if (text) press(text, 'F9')
    if (check) press(check, 'KeyV', { ctrlKey: true })
    expect(ran).toEqual(['library', 'paste'])
  })

  it('lead to the menu bar by F10, and by Alt alone', () => {
    press(document.body, 'F10')
    const alt = (type: string): void => void window.dispatchEvent(new KeyboardEvent(type, { code: 'AltLeft', key: 'Alt', altKey: type === 'keydown' }))
    alt('keydown')
    alt('keyup')
    alt('keydown')
    press(window, 'KeyX', { key: 'x', altKey: true })
    alt('keyup')
    expect(ran).toEqual(['menu bar', 'menu bar'])
  })

  it('open a menu by Alt and its letter, which is shown while Alt is down', () => {
    press(document.body, 'AltLeft', { key: 'Alt', altKey: true })
    expect(hints?.value).toBe(true)
    press(document.body, 'KeyF', { key: 'f', altKey: true })
    press(document.body, 'KeyQ', { key: 'q', altKey: true })
    // AltGr and Ctrl+Alt are no Alt.
    press(document.body, 'KeyF', { key: 'f', altKey: true, ctrlKey: true })
    window.dispatchEvent(new KeyboardEvent('keyup', { code: 'AltLeft', key: 'Alt' }))
    expect([ran, hints?.value]).toEqual([['menu F'], false])
    useInputStore().grabbed = true
    press(document.body, 'KeyF', { key: 'f', altKey: true })
    expect(ran).toEqual(['menu F'])
  })
})
