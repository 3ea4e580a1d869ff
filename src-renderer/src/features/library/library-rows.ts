/** The library as the rows of a tree: roots, folders with what is in them, VMs; filtered by what the user looks for. */
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import { isOnAnywhere } from '../power/power-rules'

export type LibraryFilter = 'all' | 'on' | 'favourites'

export type LibraryRow =
  | { readonly kind: 'root'; readonly key: 'root'; readonly depth: 0; readonly open: boolean }
  | { readonly kind: 'folder'; readonly key: string; readonly depth: number; readonly open: boolean; readonly folder: LibraryFolder }
  | { readonly kind: 'vm'; readonly key: string; readonly depth: number; readonly vm: VmCard }

export interface RowsInput {
  readonly machines: readonly VmCard[]
  readonly folders: readonly LibraryFolder[]
  /** Keys of rows that are closed. */
  readonly closed: readonly string[]
  readonly filter: LibraryFilter
  readonly search: string
}

export const ROOT = 'root'

/** While something is searched for, everything is open and folders without a match are left out. */
export function libraryRows({ machines, folders, closed, filter, search }: RowsInput): readonly LibraryRow[] {
  const words = search.trim().toLowerCase()
  const narrowed = words !== '' || filter !== 'all'
  const matches = (vm: VmCard): boolean =>
    (filter === 'all' || (filter === 'on' ? isOnAnywhere(vm) : vm.favourite)) &&
    (words === '' || [vm.name, vm.description, vm.guest.system].some((text) => text.toLowerCase().includes(words)))
  const known = new Set(folders.map(({ id }) => id))

  function inside(parent: string | undefined, depth: number): readonly LibraryRow[] {
    const rows: LibraryRow[] = []
    for (const folder of folders) {
      // A folder whose parent is gone stands at the top; one that is its own ancestor would never end.
      const above = folder.parent !== undefined && known.has(folder.parent) ? folder.parent : undefined
      if (above !== parent || depth > folders.length + 1) continue
      const open = narrowed || !closed.includes(folder.id)
      const children = inside(folder.id, depth + 1)
      if (narrowed && children.length === 0) continue
      rows.push({ kind: 'folder', key: folder.id, depth, open, folder }, ...(open ? children : []))
    }
    for (const vm of machines) {
      const above = vm.folder !== undefined && known.has(vm.folder) ? vm.folder : undefined
      if (above === parent && matches(vm)) rows.push({ kind: 'vm', key: vm.id, depth, vm })
    }
    return rows
  }

  const open = narrowed || !closed.includes(ROOT)
  return [{ kind: 'root', key: ROOT, depth: 0, open }, ...(open ? inside(undefined, 1) : [])]
}
