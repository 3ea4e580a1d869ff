/** A row of the library goes one place up or down among those beside it: what dragging does, by the keyboard. */
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import type { LibraryRow } from './library-rows'

export interface Step {
  /** Of the same kind, before which it goes; undefined: to the end. */
  readonly before: string | undefined
  /** Where it is then, counted from 1, and among how many. */
  readonly position: number
  readonly of: number
}

interface Known {
  readonly listed: readonly VmCard[]
  readonly folders: readonly LibraryFolder[]
}

/** undefined: there is no such place. */
export function stepFor(row: LibraryRow, by: 1 | -1, { listed, folders }: Known): Step | undefined {
  if (row.kind === 'root') return undefined
  // What stands in a folder that is gone is shown at the top.
  const above = (id: string | undefined): string | undefined => (folders.some((folder) => folder.id === id) ? id : undefined)
  const beside = row.kind === 'vm'
    ? listed.filter(({ folder }) => above(folder) === above(row.vm.folder)).map(({ id }) => id)
    : folders.filter(({ parent }) => above(parent) === above(row.folder.parent)).map(({ id }) => id)
  const at = beside.indexOf(row.key)
  const to = at + by
  if (at < 0 || to < 0 || to >= beside.length) return undefined
  return { before: by === -1 ? beside[to] : beside[to + 1], position: to + 1, of: beside.length }
}
