/**
 * The power state of a VM, as every part of the window shows it.
 *
 *   powered-off / suspended -> starting -> running <-> paused -> suspending -> suspended
 *   running, paused -> powering-off -> powered-off;   guest's crash -> crashed (the machine stands still and can be looked into) -> powered-off
 *   any -> failed (the VMM's fault, or what it needs is not there) -> starting.   in-use: another process runs it, and may be asked over its socket.
 */
import { z } from 'zod'

/** Why a VM that has been running no longer is. `dump` is the processor's state, as text. */
export const EndCause = z.discriminatedUnion('cause', [
  /** By the guest, or by the user. */
  z.object({ cause: z.literal('power-off') }),
  z.object({ cause: z.literal('debug-exit'), status: z.number().int() }),
  z.object({ cause: z.literal('triple-fault'), dump: z.string() }),
  z.object({ cause: z.literal('unimplemented'), what: z.string(), dump: z.string() }),
])
export type EndCause = z.infer<typeof EndCause>

/** Of a long step, in units that only the ratio counts of. */
export const Progress = z.object({ done: z.number(), total: z.number() })
export type Progress = z.infer<typeof Progress>

/** What a VM that is on is doing. */
export const RunStateType = z.enum(['starting', 'running', 'paused', 'suspending', 'powering-off', 'crashed'])
export type RunStateType = z.infer<typeof RunStateType>

export const PowerState = z.discriminatedUnion('type', [
  z.object({ type: z.literal('powered-off'), lastEnd: EndCause.optional() }),
  /** ISO 8601. */
  z.object({ type: z.literal('suspended'), at: z.string().optional() }),
  z.object({ type: z.literal('in-use'), program: z.string(), pid: z.number().int(), host: z.string(), /** undefined: it cannot be asked. */ state: RunStateType.optional() }),
  z.object({ type: z.literal('starting'), resuming: z.boolean() }),
  z.object({ type: z.literal('running') }),
  z.object({ type: z.literal('paused') }),
  z.object({ type: z.literal('suspending'), progress: Progress.optional() }),
  z.object({ type: z.literal('powering-off') }),
  z.object({ type: z.literal('crashed'), end: EndCause }),
  /** `message` is English: what the VMM said. `log`: the file with all of it. */
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string(), log: z.string() }),
])
export type PowerState = z.infer<typeof PowerState>
export type PowerStateType = PowerState['type']

/** power-on resumes a suspended VM. Soft forms ask the guest. restart-guest: ACPI has no such request, so it is a shutdown that is followed by a power-on. */
export const POWER_ACTIONS = ['power-on', 'power-on-to-firmware', 'shut-down-guest', 'restart-guest', 'power-off', 'reset', 'suspend', 'pause', 'unpause'] as const
export type PowerAction = (typeof POWER_ACTIONS)[number]

/** In which states an action may be asked for; the main process refuses it in others. */
export const ALLOWED_POWER_ACTIONS: Readonly<Record<PowerAction, readonly PowerStateType[]>> = {
  'power-on': ['powered-off', 'suspended', 'failed'],
  'power-on-to-firmware': ['powered-off', 'failed'],
  'shut-down-guest': ['running'],
  'restart-guest': ['running'],
  'power-off': ['starting', 'running', 'paused', 'crashed'],
  reset: ['running', 'paused', 'crashed'],
  suspend: ['running', 'paused'],
  pause: ['running'],
  unpause: ['paused'],
}

/** Of one that another process runs: what its socket takes. */
const ALLOWED_ELSEWHERE: readonly PowerAction[] = ['shut-down-guest', 'power-off', 'reset', 'suspend', 'pause', 'unpause']

export function allowsPowerAction(power: PowerState, action: PowerAction): boolean {
  if (power.type !== 'in-use') return ALLOWED_POWER_ACTIONS[action].includes(power.type)
  return power.state !== undefined && ALLOWED_ELSEWHERE.includes(action) && ALLOWED_POWER_ACTIONS[action].includes(power.state)
}
