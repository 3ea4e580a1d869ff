/** The message log: what happened, in words of the catalogue. */
import { z } from 'zod'
import { VmId } from './library'

export const LogMessage = z.object({
  /** Counts up in a run of the app. */
  number: z.number().int(),
  /** Milliseconds since 1970. */
  at: z.number(),
  level: z.enum(['info', 'warning', 'error']),
  vm: VmId.optional(),
  vmName: z.string().optional(),
  /** Key in the catalogue under messages., and its values. */
  id: z.string(),
  values: z.record(z.string(), z.union([z.string(), z.number()])),
  /** English: what cannot be in a catalogue, such as a system's error. */
  detail: z.string().optional(),
})
export type LogMessage = z.infer<typeof LogMessage>
