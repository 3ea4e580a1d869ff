/** A look into a machine, read-only: the panes of the inspection tab. Numbers that may exceed 2^53 are hexadecimal text. */
import { z } from 'zod'

export const RegisterView = z.object({ group: z.enum(['general', 'flags', 'segment', 'control', 'debug', 'table', 'msr', 'x87', 'sse']), name: z.string(), value: z.string(), note: z.string().optional() })
export type RegisterView = z.infer<typeof RegisterView>

export const InstructionView = z.object({ address: z.string(), bytes: z.string(), text: z.string(), current: z.boolean() })
export type InstructionView = z.infer<typeof InstructionView>

export const ControllerView = z.object({
  /** Such as "pic-8259", "ioapic", "lapic". */
  name: z.string(),
  rows: z.array(z.object({ name: z.string(), value: z.string() })),
  /** Input lines or redirection entries; level: the wire, now. */
  inputs: z.array(z.object({ input: z.number().int(), vector: z.string(), masked: z.boolean(), level: z.boolean(), pending: z.boolean(), note: z.string() })),
})
export type ControllerView = z.infer<typeof ControllerView>

export const PciFunctionView = z.object({
  /** "00:01.1" */
  bdf: z.string(),
  name: z.string(),
  vendor: z.string(),
  device: z.string(),
  class: z.string(),
  interrupt: z.string().optional(),
  bars: z.array(z.object({ index: z.number().int(), kind: z.enum(['memory', 'port']), base: z.string(), bytes: z.number(), enabled: z.boolean() })),
})
export type PciFunctionView = z.infer<typeof PciFunctionView>

export const RangeView = z.object({ first: z.string(), last: z.string(), owner: z.string(), kind: z.enum(['ram', 'rom', 'mmio', 'port', 'hole']), reads: z.number().optional(), writes: z.number().optional() })
export type RangeView = z.infer<typeof RangeView>

export const Inspection = z.object({
  /** In words of the manual, such as "64-bit mode, CPL 3, 4-level paging". */
  mode: z.string(),
  halted: z.boolean(),
  registers: z.array(RegisterView),
  /** Around the instruction pointer; only of a machine that stands still, or one moment of one that runs. */
  disassembly: z.array(InstructionView),
  controllers: z.array(ControllerView),
  pci: z.array(PciFunctionView),
  memoryMap: z.array(RangeView),
  portMap: z.array(RangeView),
  unclaimed: z.array(RangeView),
  timers: z.array(z.object({ name: z.string(), /** Nanoseconds of virtual time; undefined: not set. */ inNs: z.number().optional(), fired: z.number() })),
})
export type Inspection = z.infer<typeof Inspection>

/** Saved state of one device, as it would go to disk. */
export const DeviceStateView = z.object({ name: z.string(), schema: z.string(), state: z.json() })
export type DeviceStateView = z.infer<typeof DeviceStateView>
