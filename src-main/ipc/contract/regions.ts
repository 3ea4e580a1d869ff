/** Translated code as the window sees it. */
import { z } from 'zod'

/** Most regions in one list. */
export const MAX_REGIONS = 200

export const RegionSummary = z.object({
  id: z.number().int(),
  /** Guest-physical. */
  address: z.number(),
  /** 16, 32 or 64. */
  codeBits: z.number(),
  /** Translated for segments without base and limit. */
  flat: z.boolean(),
  /** Made generously, because it runs very often. */
  hot: z.boolean(),
  instructions: z.number(),
  blocks: z.number(),
  entries: z.number(),
  codeBytes: z.number(),
  wasmBytes: z.number(),
  /** Entries by the run loop. */
  runs: z.number(),
  /** Whether it can be entered now. */
  linked: z.boolean(),
})
export type RegionSummary = z.infer<typeof RegionSummary>

export const RegionList = z.object({
  engine: z.string(),
  /** undefined: the engine translates nothing. */
  regions: z.array(RegionSummary).optional(),
})
export type RegionList = z.infer<typeof RegionList>

export const RegionDescription = RegionSummary.extend({
  x86: z.string(),
  /** The IR after each pass, in order. */
  passes: z.array(z.object({ name: z.string(), summary: z.string(), text: z.string(), lines: z.number() })),
  wasmText: z.string(),
  /** Of the region in a module of its own. */
  moduleBytes: z.number(),
  steps: z.array(z.object({ name: z.string(), milliseconds: z.number() })),
})
export type RegionDescription = z.infer<typeof RegionDescription>
