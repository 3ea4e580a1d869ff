/** What is wrong and what to do, as it crosses to the window: an id with values for the catalogue of the window's language, and the English text besides. */
import { z } from 'zod'

export const ProblemDto = z.object({
  /** To act on, such as "vm/locked". */
  code: z.string(),
  /** Of the text, such as "disk-missing"; the catalogue has problems.<id>.message and .remedy. */
  id: z.string(),
  /** A value that is a phrase and no name or figure (`expected`) has its id beside it (`expectedId`): the catalogue says it by phrases.<id>. */
  values: z.record(z.string(), z.union([z.string(), z.number()])),
  /** English. */
  message: z.string(),
  remedy: z.string(),
  file: z.string().optional(),
  /** Of a JSON file, as "hardware.disks[0].file". */
  key: z.string().optional(),
})
export type ProblemDto = z.infer<typeof ProblemDto>

/** Of what can fail for reasons that the user can do something about. */
export const outcome = <T extends z.ZodType>(value: T): z.ZodDiscriminatedUnion<[z.ZodObject<{ ok: z.ZodLiteral<true>; value: T }>, z.ZodObject<{ ok: z.ZodLiteral<false>; problem: typeof ProblemDto }>]> =>
  z.discriminatedUnion('ok', [z.object({ ok: z.literal(true), value }), z.object({ ok: z.literal(false), problem: ProblemDto })])
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: ProblemDto }
