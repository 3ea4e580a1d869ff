/** Carries out what has changed in the settings dialog, step by step; the first problem ends it. */
import type { ProblemDto, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import type { Change } from './change'

/** Problems that the change would bring: those that the VM has anyway are not its fault. */
export async function newProblems(card: VmCard, { patch }: Change): Promise<readonly ProblemDto[]> {
  if (!patch) return []
  const problems = await answered(api.requests['vm.check-settings']({ vm: card.id, patch }))
  return problems.filter(({ id, key, file }) => !card.problems.some((old) => old.id === id && old.key === key && old.file === file))
}

/**
 * The disks of vm.json grow first and new ones come last, so that places in its list are as the draft knows them. The name is last: it moves the
 * folder. `force`: takes discs out that the guest keeps locked in.
 */
export async function applyChange(vm: string, { patch, discs, expand, create, name }: Change, force: boolean): Promise<ProblemDto | undefined> {
  const steps: (() => Promise<VmCard | ProblemDto>)[] = [
    ...expand.map(({ index, bytes }) => () => done(api.requests['vm.expand-disk']({ vm, index, bytes }))),
    ...(patch ? [() => done(api.requests['vm.change-settings']({ vm, patch }))] : []),
    ...discs.map((disc) => () => done(api.requests['vm.set-cdrom']({ vm, ...disc, ...(force ? { force } : {}) }))),
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
