/** Carries out what has changed in the settings dialog, step by step; the first problem ends it. */
import type { ProblemDto, VmCard, VmJson } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
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

/** What must be done so that the VM is as the draft says. */
export function changeOf(before: VmJson, draft: MachineDraft, running: boolean): Change {
  const patch = patchOf(before, draft)
  const { cdroms } = draft.hardware
  const live = running && cdroms.length === before.hardware.cdroms.length
  const discs = live ? cdroms.flatMap(({ file, connected }, index) => (same(plain(cdroms[index] ?? {}), plain(before.hardware.cdroms[index] ?? {})) ? [] : [{ index, connected, ...(file === undefined ? {} : { file }) }])) : []
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

/** Problems that the change would bring: those that the VM has anyway are not its fault. */
export async function newProblems(card: VmCard, { patch }: Change): Promise<readonly ProblemDto[]> {
  if (!patch) return []
  const problems = await answered(api.requests['vm.check-settings']({ vm: card.id, patch }))
  return problems.filter(({ id, key, file }) => !card.problems.some((old) => old.id === id && old.key === key && old.file === file))
}

/** The disks of vm.json grow first and new ones come last, so that places in its list are as the draft knows them. The name is last: it moves the folder. */
export async function applyChange(vm: string, { patch, discs, expand, create, name }: Change): Promise<ProblemDto | undefined> {
  const steps: (() => Promise<VmCard | ProblemDto>)[] = [
    ...expand.map(({ index, bytes }) => () => done(api.requests['vm.expand-disk']({ vm, index, bytes }))),
    ...(patch ? [() => done(api.requests['vm.change-settings']({ vm, patch }))] : []),
    ...discs.map((disc) => () => done(api.requests['vm.set-cdrom']({ vm, ...disc }))),
    ...create.map((bytes) => () => done(api.requests['vm.add-disk']({ vm, bytes }))),
    ...(name === undefined ? [] : [() => done(api.requests['library.rename']({ vm, name }))]),
  ]
  for (const step of steps) {
    const result = await step()
    if ('message' in result) return result
  }
  return undefined
}

async function done(reply: ReturnType<(typeof api.requests)['vm.change-settings']>): Promise<VmCard | ProblemDto> {
  const outcome = await answered(reply)
  return outcome.ok ? outcome.value : outcome.problem
}
