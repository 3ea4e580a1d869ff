/** Where in the library a row goes that is dropped on another. */
import type { LibraryFolder, VmCard } from '../../../../src-main/ipc/contract'
import type { LibraryRow } from './library-rows'

/** On the row's upper part, its middle, its lower part. */
export type DropPart = 'before' | 'into' | 'after'

export interface Place {
  /** Folder; undefined: none. */
  readonly folder: string | undefined
  /** Of the same kind; undefined: as the last. */
  readonly before: string | undefined
}

interface Known {
  readonly machines: readonly VmCard[]
  readonly folders: readonly LibraryFolder[]
}

/** Which part of a row means what: VMs stand beside VMs and folders beside folders; anything goes into a folder. `share` counts from the row's top, 0 to 1. */
export function dropPart(dragged: LibraryRow, onto: LibraryRow, share: number): DropPart {
  if (onto.kind === 'root') return 'into'
  if (onto.kind === 'vm') return dragged.kind === 'vm' ? (share < 0.5 ? 'before' : 'after') : 'into'
  if (dragged.kind !== 'folder') return 'into'
  return share < 0.25 ? 'before' : share > 0.75 ? 'after' : 'into'
}

/** undefined: it cannot go there, or is there. */
export function placeFor(dragged: LibraryRow, onto: LibraryRow, part: DropPart, known: Known): Place | undefined {
  if (dragged.kind === 'root' || dragged.key === onto.key) return undefined
  const into = onto.kind === 'root' ? undefined : onto.kind === 'folder' ? (part === 'into' ? onto.folder.id : onto.folder.parent) : onto.vm.folder
  if (dragged.kind === 'folder' && isInside(into, dragged.folder.id, known.folders)) return undefined
  if (part === 'into' || onto.kind === 'root' || onto.kind !== dragged.kind) return { folder: into, before: undefined }
  if (part === 'before') return { folder: into, before: onto.key }
  const siblings = dragged.kind === 'vm' ? known.machines.filter(({ folder }) => folder === into) : known.folders.filter(({ parent }) => parent === into)
  const rest = siblings.filter(({ id }) => id !== dragged.key)
  return { folder: into, before: rest[rest.findIndex(({ id }) => id === onto.key) + 1]?.id }
}

/** Whether a folder is another one, or somewhere in it. */
function isInside(id: string | undefined, ancestor: string, folders: readonly LibraryFolder[]): boolean {
  let at = id
  for (let i = 0; at !== undefined && i <= folders.length; i++) {
    if (at === ancestor) return true
    at = folders.find((folder) => folder.id === at)?.parent
  }
  return false
}
