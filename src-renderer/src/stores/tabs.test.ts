// @vitest-environment happy-dom
import { answerWith, asked, CARD, tell } from '../testing/fake-bridge.fixture'
import { flushPromises } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { LibraryDto, WindowMemory } from '../../../src-main/ipc/contract'
import { useLibraryStore } from './library'
import { useTabsStore } from './tabs'

const machines = ['a', 'b', 'c'].map((id) => ({ ...CARD, id, name: id.toUpperCase() }))
const library: LibraryDto = { machines, folders: [{ id: 'f', name: 'Servers' }], recent: ['b', 'gone', 'a'], location: '/vms', problems: [] }

async function load(memory: WindowMemory, reopen = true): Promise<ReturnType<typeof useTabsStore>> {
  answerWith({ 'library.contents': () => library, 'window.memory': () => memory, 'window.remember': () => undefined })
  await useLibraryStore().load()
  const tabs = useTabsStore()
  await tabs.load(reopen)
  return tabs
}

beforeEach(() => setActivePinia(createPinia()))

describe('tabs', () => {
  it('come back with their views, without those of VMs that are gone', async () => {
    const tabs = await load({ open: ['home', 'vm:a', 'vm:gone', 'folder:f'], active: 'folder:f', views: { a: 'performance' }, libraryWidth: 300 })
    expect(tabs.open).toEqual(['home', 'vm:a', 'folder:f'])
    expect(tabs.active).toBe('folder:f')
    expect(tabs.viewOf('a')).toBe('performance')
    expect(tabs.libraryWidth).toBe(300)
  })

  it('do not come back when the user does not want them; how the window looks does', async () => {
    const tabs = await load({ open: ['vm:a'], active: 'vm:a', shown: { library: false } }, false)
    expect(tabs.open).toEqual(['home'])
    expect(tabs.shown.library).toBe(false)
  })

  it.each<WindowMemory>([{}, { open: 'home', active: 7, views: [], shown: null, libraryWidth: 'wide', closedFolders: {} }, { open: [1, 'vm:', 'nonsense'], active: 'vm:gone', views: { a: 'upside-down' }, libraryWidth: -5, shown: { library: 'no' } }])(
    'begin at Home with a memory that makes no sense: %j',
    async (memory) => {
      const tabs = await load(memory)
      expect(tabs.open).toEqual(['home'])
      expect(tabs.active).toBe('home')
      expect(tabs.viewOf('a')).toBe('summary')
      expect(tabs.shown.library).toBe(true)
      expect(tabs.libraryWidth).toBeGreaterThanOrEqual(150)
    },
  )

  it('are walked in a ring, and closing one shows its neighbour', async () => {
    const tabs = await load({ open: ['home', 'vm:a', 'vm:b'], active: 'vm:b' })
    tabs.step(1)
    expect(tabs.active).toBe('home')
    tabs.step(-1)
    expect(tabs.active).toBe('vm:b')
    tabs.close('vm:b')
    expect(tabs.active).toBe('vm:a')
    tabs.close('home')
    expect(tabs.active).toBe('vm:a')
    tabs.close('vm:a')
    expect([tabs.open, tabs.active]).toEqual([['home'], 'home'])
  })

  it('are moved before others and to the end', async () => {
    const tabs = await load({ open: ['home', 'vm:a', 'vm:b'], active: 'home' })
    tabs.move('vm:b', 'home')
    expect(tabs.open).toEqual(['vm:b', 'home', 'vm:a'])
    tabs.move('vm:b', undefined)
    expect(tabs.open).toEqual(['home', 'vm:a', 'vm:b'])
  })

  it('go with their VM, and with their folder', async () => {
    const tabs = await load({ open: ['home', 'vm:a', 'folder:f'], active: 'vm:a' })
    tell('library.changed', { ...library, machines: machines.slice(1), folders: [] })
    await flushPromises()
    expect([tabs.open, tabs.active]).toEqual([['home'], 'home'])
  })

  it('are told to the main process once, after a pause', async () => {
    vi.useFakeTimers()
    try {
      const tabs = await load({})
      asked.length = 0
      tabs.openVm('a')
      tabs.openVm('b', 'console')
      await vi.advanceTimersByTimeAsync(1000)
      expect(asked.filter(({ name }) => name === 'window.remember')).toMatchObject([{ input: { memory: { open: ['home', 'vm:a', 'vm:b'], active: 'vm:b', views: { b: 'console' } } } }])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the library', () => {
  it('follows what the main process tells, and keeps no truth', async () => {
    await load({})
    const store = useLibraryStore()
    expect(store.recent.map(({ id }) => id)).toEqual(['b', 'a'])
    tell('vm.power-changed', { vm: 'a', power: { type: 'running' } })
    expect(store.vm('a')?.power.type).toBe('running')
    tell('vm.changed', { ...CARD, id: 'a', name: 'Renamed' })
    expect(store.vm('a')).toMatchObject({ name: 'Renamed', power: { type: 'powered-off' } })
    tell('vm.changed', { ...CARD, id: 'unknown' })
    expect(store.vm('unknown')).toBeUndefined()
  })
})
