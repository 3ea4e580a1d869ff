/** The message log: what happened, in words of the catalogue. */
import { z } from 'zod'
import { VmId } from './library'
import { ProblemDto } from './problems'

/** Keys in the catalogue under messages., with their values in braces; "problem": the message is about the `problem` that it carries. */
export const MESSAGE_IDS = [
  'powered-on', 'resumed', 'paused', 'unpaused', 'reset', 'suspended', 'powered-off',
  /** The guest's processor shut down, or met {what} that Vitrine does not have. */
  'guest-crashed', 'guest-met-unknown',
  /** Vitrine's fault: the VM's thread died, or could not start. `detail` says what it said. */
  'failed',
  /** After some time the guest has not switched itself off. */
  'guest-ignores-power-button',
  /** What did not work, and why: the `problem`. */
  'cannot-power-on', 'cannot-suspend', 'problem',
  'created', 'opened', 'removed',
  /** {kept}: how many files stayed in the folder. */
  'deleted',
  /** {file} */
  'screenshot-saved', 'screenshot-copied', 'serial-log-started', 'serial-log-ended',
  /** {drive}, counted from 1; {file} */
  'cd-inserted', 'cd-ejected',
] as const
export type MessageId = (typeof MESSAGE_IDS)[number]

export const LogMessage = z.object({
  /** Counts up in a run of the app. */
  number: z.number().int(),
  /** Milliseconds since 1970. */
  at: z.number(),
  level: z.enum(['info', 'warning', 'error']),
  vm: VmId.optional(),
  vmName: z.string().optional(),
  id: z.enum(MESSAGE_IDS),
  values: z.record(z.string(), z.union([z.string(), z.number()])),
  problem: ProblemDto.optional(),
  /** English: what cannot be in a catalogue, such as a system's error. */
  detail: z.string().optional(),
})
export type LogMessage = z.infer<typeof LogMessage>
