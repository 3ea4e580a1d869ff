/** Figures of a running VM: totals since power-on. The window makes rates of two of them. */
import { z } from 'zod'

const counts = z.record(z.string(), z.number())

export const VmStats = z.object({
  engine: z.string(),
  instructions: z.number(),
  virtualSeconds: z.number(),
  /** Since power-on, of the host's clock. */
  uptimeSeconds: z.number(),
  /** That the VM's thread has run on a host CPU; undefined: this host does not tell. */
  hostCpuSeconds: z.number().optional(),
  /** Guest RAM that has been written to since power-on, by the host's account, and all of it. */
  memory: z.object({ touchedBytes: z.number(), bytes: z.number() }),
  /** Pixels of the guest's screen; undefined: it has shown nothing yet. */
  screen: z.object({ width: z.number().int(), height: z.number().int() }).optional(),
  halts: z.number(),
  /** Exits by kind. */
  exits: counts,
  /** Delivered interrupts and exceptions by vector, such as "0x20". */
  interrupts: counts,
  unclaimedAccesses: z.number(),
  unknownOpcodes: z.number(),
  /** Of each drive, by the name that the address map uses, such as "ide0-master". */
  disks: z.array(z.object({ name: z.string(), readBytes: z.number(), writtenBytes: z.number(), reads: z.number(), writes: z.number() })),
  /** Expired deadlines by the timer's name. */
  timers: counts,
  /** What the guest uses of its hypervisor's interface, how often by kind, and what it tells about itself; undefined: there is nothing to use. */
  hypervisor: z.object({ name: z.string(), inUse: z.array(z.string()), counters: counts, guest: z.record(z.string(), z.string()) }).optional(),
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
