/** A VM as the window sees it. */
import { z } from 'zod'

export const VmId = z.string().min(1).max(64)
export type VmId = z.infer<typeof VmId>

/** Why a VM that has been running no longer is. `dump` is the processor's state, as text. */
export const EndCause = z.discriminatedUnion('cause', [
  z.object({ cause: z.literal('power-off') }),
  z.object({ cause: z.literal('debug-exit'), status: z.number().int() }),
  z.object({ cause: z.literal('triple-fault'), dump: z.string() }),
  z.object({ cause: z.literal('unimplemented'), what: z.string(), dump: z.string() }),
])
export type EndCause = z.infer<typeof EndCause>

/**
 * VM state:  stopped -> starting -> running <-> paused,  any -> stopped,  any -> failed (the VMM's fault, or bad configuration).
 */
export const VmState = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stopped'), lastEnd: EndCause.optional() }),
  z.object({ type: z.literal('starting') }),
  z.object({ type: z.literal('running') }),
  z.object({ type: z.literal('paused') }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
])
export type VmState = z.infer<typeof VmState>

export const VmDescription = z.object({
  id: VmId,
  name: z.string(),
  engine: z.string(),
  memoryMiB: z.number(),
  /** What it boots, for the user's eyes. */
  boots: z.string(),
  state: VmState,
})
export type VmDescription = z.infer<typeof VmDescription>

/** Totals since power-on; undefined from `vm.stats` when the VM is not running. */
export const VmStats = z.object({
  engine: z.string(),
  instructions: z.number(),
  virtualSeconds: z.number(),
  halts: z.number(),
  /** Exits by kind, and all of them. */
  exits: z.record(z.string(), z.number()),
  unclaimedAccesses: z.number(),
  unknownOpcodes: z.number(),
  /** Of an engine that translates. */
  translation: z
    .object({
      /** In the cache now, and their WebAssembly modules' bytes. */
      regions: z.number(),
      wasmBytes: z.number(),
      /** Translated since power-on. */
      translated: z.number(),
      /** Milliseconds since power-on: on the VM's own thread, and on the thread that compiles. */
      vmThreadMs: z.number(),
      compileThreadMs: z.number(),
      /** The longest time that the VM's thread stood still for it at once. */
      longestPauseMs: z.number(),
      /** Regions that could not be compiled (a bug of the translator; the interpreter runs their code), and what the latest met. */
      failures: z.number(),
      latestFailure: z.string(),
    })
    .optional(),
})
export type VmStats = z.infer<typeof VmStats>
