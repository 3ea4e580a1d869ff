import { describe, expect, it } from 'vitest'
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import { libraryRows, ROOT, type RowsInput } from './library-rows'

const vm = (id: string, more: Partial<VmCard> = {}): VmCard => ({
  id, name: id, path: `/vms/${id}.vitrine`, favourite: false, temporary: false, power: { type: 'powered-off' }, problems: [], description: '', guest: { family: 'other', system: '' }, engine: 'translator', firmware: 'builtin', devices: [],
  powerControls: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', paste: true, ...more,
})
const folder = (id: string, parent?: string): LibraryFolder => ({ id, name: id, ...(parent === undefined ? {} : { parent }) })

function shown(input: Partial<RowsInput>): readonly string[] {
  return libraryRows({ machines: [], folders: [], closed: [], filter: 'all', search: '', ...input }).map(({ key, depth }) => `${'.'.repeat(depth)}${key}`)
}

describe('the rows of the library', () => {
  const machines = [vm('a'), vm('b', { folder: 'inner' }), vm('c', { favourite: true, power: { type: 'running' } })]
  const folders = [folder('outer'), folder('inner', 'outer')]

  it('show folders with what is in them before the VMs beside them', () => {
    expect(shown({ machines, folders })).toEqual(['root', '.outer', '..inner', '...b', '.a', '.c'])
  })

  it('leave out what is in closed folders', () => {
    expect(shown({ machines, folders, closed: ['outer'] })).toEqual(['root', '.outer', '.a', '.c'])
    expect(shown({ machines, folders, closed: [ROOT] })).toEqual(['root'])
  })

  it('find by name, also in closed folders, and leave empty folders out', () => {
    expect(shown({ machines, folders, closed: ['outer', ROOT], search: ' B ' })).toEqual(['root', '.outer', '..inner', '...b'])
    expect(shown({ machines, folders, search: 'nothing' })).toEqual(['root'])
  })

  it('filter by state and favourites', () => {
    expect(shown({ machines, folders, filter: 'on' })).toEqual(['root', '.c'])
    expect(shown({ machines, folders, filter: 'favourites' })).toEqual(['root', '.c'])
  })

  it('show VMs and folders whose folder is gone at the top, and end for folders that contain each other', () => {
    expect(shown({ machines: [vm('a', { folder: 'gone' })], folders: [folder('x', 'gone')] })).toEqual(['root', '.x', '.a'])
    expect(shown({ machines: [], folders: [folder('p', 'q'), folder('q', 'p')] })).toEqual(['root'])
  })
})
