// @vitest-environment happy-dom
import { answerWith, asked, CARD, tell } from '../../testing/fake-bridge.fixture'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { describe, expect, it } from 'vitest'
import type { LibraryDto, LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import { useLibraryStore } from '../../stores/library'
import LibraryTree from './LibraryTree.vue'
import { stepFor } from './library-steps'

const FOLDERS: readonly LibraryFolder[] = [{ id: 'f1', name: 'Servers' }, { id: 'f2', name: 'Old' }, { id: 'f3', name: 'Inner', parent: 'f1' }]
const vm = (id: string, folder?: string): VmCard => ({ ...CARD, id, name: id.toUpperCase(), ...(folder === undefined ? {} : { folder }) })
const LISTED = [vm('a'), vm('x', 'f1'), vm('b'), vm('c')]
const known = { listed: LISTED, folders: FOLDERS }
const rowOf = (card: VmCard) => ({ kind: 'vm', key: card.id, depth: 1, vm: card }) as const
const [a, x, b, c] = LISTED as [VmCard, VmCard, VmCard, VmCard]

describe('a step in the library', () => {
  it('goes among what is in the same folder', () => {
    expect(stepFor(rowOf(a), 1, known)).toEqual({ before: 'c', position: 2, of: 3 })
    expect(stepFor(rowOf(b), 1, known)).toEqual({ before: undefined, position: 3, of: 3 })
    expect(stepFor(rowOf(c), -1, known)).toEqual({ before: 'b', position: 2, of: 3 })
    for (const [card, by] of [[a, -1], [c, 1], [x, 1], [x, -1]] as const) expect(stepFor(rowOf(card), by, known)).toBeUndefined()
    expect(stepFor({ kind: 'folder', key: 'f2', depth: 1, open: true, folder: { id: 'f2', name: 'Old' } }, -1, known)).toEqual({ before: 'f1', position: 1, of: 2 })
    expect(stepFor({ kind: 'root', key: 'root', depth: 0, open: true }, 1, known)).toBeUndefined()
  })

  it('is taken by Alt+Down, and told to screen readers', async () => {
    setActivePinia(createPinia())
    const contents: LibraryDto = { machines: LISTED, folders: [], recent: [], location: '/', problems: [] }
    answerWith({ 'library.contents': () => contents, 'library.place': () => ({ ok: true, value: undefined }) })
    await useLibraryStore().load()
    const tree = mount(LibraryTree, { props: { search: '', filter: 'all' }, attachTo: document.body, global: { plugins: [i18n] } })
    const press = async (code: string): Promise<void> => {
      await tree.find('[role=tree]').trigger('keydown', { key: code, code, altKey: true })
      await flushPromises()
    }
    await tree.find('[data-row="a"]').trigger('click')
    await press('ArrowUp')
    expect(asked.filter(({ name }) => name === 'library.place')).toEqual([])
    await press('ArrowDown')
    expect(asked.at(-1)).toEqual({ name: 'library.place', input: { vm: 'a', before: 'b' } })
    tell('library.changed', { ...contents, machines: [x, a, b, c] })
    await flushPromises()
    expect(tree.find('[role=status]').text()).toBe('A: place 2 of 4')
    tree.unmount()
  })
})
