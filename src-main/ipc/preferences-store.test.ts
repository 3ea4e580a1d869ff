import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PreferencesStore } from './preferences-store'
import { WindowMemories } from './window-memories'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-preferences-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function store(text?: string): Promise<PreferencesStore> {
  const path = join(folder, 'preferences.json')
  if (text !== undefined) await writeFile(path, text)
  return new PreferencesStore(path)
}
const file = async (): Promise<unknown> => JSON.parse(await readFile(join(folder, 'preferences.json'), 'utf8'))

describe('preferences', () => {
  it('are the defaults without a file, and no file is made', async () => {
    const preferences = await store()
    expect(await preferences.load()).toEqual([])
    expect(preferences.current).toMatchObject({ theme: 'system', onQuit: 'ask' })
    await expect(file()).rejects.toThrow()
  })

  it('are written with what is not known here', async () => {
    const preferences = await store('{ "theme": "dark", "ofTheFuture": { "a": [1] }, "terminal": { "fontSize": 20, "blink": true } }')
    expect(await preferences.load()).toEqual([])
    expect(preferences.current).toMatchObject({ theme: 'dark', terminal: { fontSize: 20, scrollback: 10_000 } })
    expect(await preferences.change({ language: 'zh-CN', terminal: { scrollback: 500 } })).toMatchObject({ ok: true, value: { language: 'zh-CN', theme: 'dark', terminal: { fontSize: 20, scrollback: 500 } } })
    expect(await file()).toEqual({ theme: 'dark', ofTheFuture: { a: [1] }, terminal: { fontSize: 20, blink: true, scrollback: 500 }, language: 'zh-CN' })
    expect(await preferences.change({ theme: null })).toMatchObject({ ok: true, value: { theme: 'system' } })
  })

  it('that another process has changed meanwhile are not lost', async () => {
    const preferences = await store('{}')
    await preferences.load()
    await writeFile(join(folder, 'preferences.json'), '{ "scaleMode": "integer" }')
    expect(await preferences.change({ theme: 'light' })).toMatchObject({ ok: true, value: { scaleMode: 'integer', theme: 'light' } })
  })

  it.each(['', '{', '[]', 'null', '"x"', '\u0000\u0001', '{ "theme": "dark" '])('in a file that is broken (%j) are the defaults; it is told and never written over', async (text) => {
    const preferences = await store(text)
    expect(await preferences.load()).toMatchObject([{ code: 'preferences/broken', id: 'preferences-garbled' }])
    expect(preferences.current.theme).toBe('system')
    expect(await preferences.change({ theme: 'dark' })).toMatchObject({ ok: false, problem: { code: 'preferences/broken' } })
    expect(await readFile(join(folder, 'preferences.json'), 'utf8')).toBe(text)
  })

  it('that are wrong count as their defaults, each for itself, and stay until they are changed', async () => {
    const preferences = await store('{ "theme": "pink", "onQuit": "suspend", "terminal": { "fontSize": 1000 } }')
    expect(await preferences.load()).toMatchObject([{ key: 'theme' }, { key: 'terminal' }])
    expect(preferences.current).toMatchObject({ theme: 'system', onQuit: 'suspend', terminal: { fontSize: 13 } })
    await preferences.change({ language: 'en' })
    expect(await file()).toMatchObject({ theme: 'pink' })
    await preferences.change({ theme: 'light' })
    expect(await file()).toMatchObject({ theme: 'light' })
  })

  it('refuse values and keys that are none', async () => {
    const preferences = await store()
    for (const patch of [{ theme: 'pink' }, { terminal: { fontSize: 'big' } }, { unheardOf: 1 }, { __proto__x: 1 }, { onQuit: ['ask'] }]) expect(await preferences.change(patch), JSON.stringify(patch)).toBeUndefined()
    await expect(file()).rejects.toThrow()
  })
})

describe('window memories', () => {
  const memories = (): WindowMemories => new WindowMemories(join(folder, 'windows.json'))
  const bounds = { x: 1, y: 2, width: 800, height: 600, maximized: false }

  it('come back at the next start', async () => {
    const before = memories()
    expect(await before.load()).toEqual([])
    before.opened(1, { memory: {} })
    before.opened(2, { memory: {} })
    before.moved(1, bounds)
    expect(before.remember(1, { tabs: ['a'] })).toBe(true)
    before.remember(2, { tabs: ['b'] })
    await before.freeze()
    before.closed(1)
    before.closed(2)
    expect(await memories().load()).toEqual([{ bounds, memory: { tabs: ['a'] } }, { memory: { tabs: ['b'] } }])
  })

  it('forget a window that was closed while another stayed, but never the last', async () => {
    const before = memories()
    before.opened(1, { memory: { n: 1 } })
    before.opened(2, { memory: { n: 2 } })
    before.closed(1)
    before.closed(2)
    await before.freeze()
    expect(await memories().load()).toEqual([{ memory: { n: 2 } }])
  })

  it('have a limit, and survive a file that is nonsense', async () => {
    const before = memories()
    before.opened(1, { memory: {} })
    expect(before.remember(1, { much: 'x'.repeat(200_000) })).toBe(false)
    for (const text of ['{', '{ "windows": 1 }', '{ "windows": [1, null, { "bounds": { "x": "a" }, "memory": [] }] }']) {
      await writeFile(join(folder, 'windows.json'), text)
      for (const { memory, bounds: place } of await memories().load()) {
        expect(memory).toEqual({})
        expect(place).toBeUndefined()
      }
    }
  })
})
