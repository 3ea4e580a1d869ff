import { describe, expect, it } from 'vitest'
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import { dropPart, placeFor, type DropPart } from './library-places'
import { libraryRows, type LibraryRow } from './library-rows'

const vm = (id: string, folder?: string): VmCard => ({
  id, name: id, path: `/vms/${id}.vitrine`, favourite: false, ...(folder === undefined ? {} : { folder }), temporary: false, power: { type: 'powered-off' }, problems: [], description: '', guest: { family: 'other', system: '' },
  engine: 'translator', firmware: 'builtin', devices: [], powerControls: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', paste: true,
})
const folder = (id: string, parent?: string): LibraryFolder => ({ id, name: id, ...(parent === undefined ? {} : { parent }) })

const machines = [vm('a'), vm('b'), vm('c'), vm('d', 'outer')]
const folders = [folder('outer'), folder('inner', 'outer'), folder('other')]
const rows = libraryRows({ machines, folders, closed: [], filter: 'all', search: '' })

function row(key: string): LibraryRow {
  const found = rows.find((one) => one.key === key)
  if (!found) throw new Error(`no row ${key}`)
  return found
}
const place = (dragged: string, onto: string, part: DropPart) => placeFor(row(dragged), row(onto), part, { machines, folders })

describe('a row dropped on another', () => {
  it('means a place before, after or inside, by what both are', () => {
    expect([0.2, 0.7].map((share) => dropPart(row('a'), row('b'), share))).toEqual(['before', 'after'])
    expect([0.1, 0.5, 0.9].map((share) => dropPart(row('a'), row('outer'), share))).toEqual(['into', 'into', 'into'])
    expect([0.1, 0.5, 0.9].map((share) => dropPart(row('other'), row('outer'), share))).toEqual(['before', 'into', 'after'])
    expect(dropPart(row('a'), row('root'), 0.1)).toBe('into')
  })

  it('goes before a VM, or before the one after it, in its folder', () => {
    expect(place('c', 'a', 'before')).toEqual({ folder: undefined, before: 'a' })
    expect(place('a', 'b', 'after')).toEqual({ folder: undefined, before: 'c' })
    expect(place('a', 'c', 'after')).toEqual({ folder: undefined, before: undefined })
    expect(place('a', 'd', 'before')).toEqual({ folder: 'outer', before: 'd' })
  })

  it('goes after its own left neighbour without being counted itself', () => {
    expect(place('b', 'a', 'after')).toEqual({ folder: undefined, before: 'c' })
  })

  it('goes into folders and out of them', () => {
    expect(place('a', 'inner', 'into')).toEqual({ folder: 'inner', before: undefined })
    expect(place('d', 'root', 'into')).toEqual({ folder: undefined, before: undefined })
    expect(place('inner', 'root', 'into')).toEqual({ folder: undefined, before: undefined })
    expect(place('other', 'outer', 'before')).toEqual({ folder: undefined, before: 'outer' })
  })

  it('stays where it is instead of going into itself', () => {
    expect(place('outer', 'outer', 'into')).toBeUndefined()
    expect(place('outer', 'inner', 'into')).toBeUndefined()
    expect(place('outer', 'd', 'into')).toBeUndefined()
  })
})
