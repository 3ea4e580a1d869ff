import { VmmError } from '../errors/vmm-error'
import { vmTime } from '../support/branded'
import type { Timer } from '../time/clock'
import type { SavedState } from './device'

/** For load(): throws when the state was saved by another kind of device or in a version that this code does not know. */
export function expectSchema(device: string, state: SavedState, expected: SavedState['schema']): void {
  const [kind, version] = state.schema
  if (kind === expected[0] && version === expected[1]) return
  throw new VmmError(
    'state/mismatch',
    `${device}: the saved state is '${kind}' version ${version}, this VMM reads '${expected[0]}' version ${expected[1]}`,
  )
}

/** Deadlines are saved as they stand, so that one that was due but not yet served is served after the restore. */
export function savedDeadline(timer: Timer): number | null {
  return timer.deadline ?? null
}

export function restoreDeadline(timer: Timer, deadline: number | null): void {
  if (deadline === null) timer.cancel()
  else timer.arm(vmTime(deadline))
}
