/** What must be done when the settings dialog is accepted: as data, so that it can be looked at before. */
import type { VmJson } from '../../../../src-main/ipc/contract'
import { GIB, patchOf, plain, same, type JsonPatch, type MachineDraft } from './draft'

export interface Change {
  /** Of vm.json; undefined: nothing to write there. */
  readonly patch: JsonPatch | undefined
  /** Drives whose disc changes at once: the VM is on, and the drives are the same. */
  readonly discs: readonly { readonly index: number; readonly file?: string; readonly connected: boolean }[]
  readonly expand: readonly { readonly index: number; readonly bytes: number }[]
  /** Bytes of disks to make. */
  readonly create: readonly number[]
  readonly name: string | undefined
}

/** What must be done so that the VM, whose files are in `folder`, is as the draft says. */
export function changeOf(before: VmJson, draft: MachineDraft, running: boolean, folder: string): Change {
  const patch = patchOf(before, draft)
  const { cdroms } = draft.hardware
  const live = running && cdroms.length === before.hardware.cdroms.length
  const discs = live ? cdroms.flatMap(({ file, connected }, index) => (same(plain(cdroms[index] ?? {}), plain(before.hardware.cdroms[index] ?? {})) ? [] : [{ index, connected, ...(file === undefined ? {} : { file: file.startsWith('/') ? file : `${folder}/${file}` }) }])) : []
  return {
    patch: discs.length > 0 ? withoutCdroms(patch) : patch,
    discs,
    expand: draft.hardware.disks.flatMap((disk) => {
      const index = disk.kind === 'existing' ? before.hardware.disks.findIndex(({ file }) => file === disk.file) : -1
      return disk.kind === 'existing' && disk.expandTo !== undefined && index >= 0 ? [{ index, bytes: disk.expandTo }] : []
    }),
    create: draft.hardware.disks.flatMap((disk) => (disk.kind === 'new' ? [disk.gibibytes * GIB] : [])),
    name: draft.name === before.name ? undefined : draft.name,
  }
}

export function isEmpty({ patch, discs, expand, create, name }: Change): boolean {
  return patch === undefined && discs.length === 0 && expand.length === 0 && create.length === 0 && name === undefined
}

function withoutCdroms(patch: JsonPatch | undefined): JsonPatch | undefined {
  const hardware = patch?.['hardware']
  if (!patch || typeof hardware !== 'object' || hardware === null || Array.isArray(hardware)) return patch
  const { cdroms: _, ...others } = hardware
  const { hardware: __, ...rest } = patch
  const next = Object.keys(others).length === 0 ? rest : { ...rest, hardware: others }
  return Object.keys(next).length === 0 ? undefined : next
}
