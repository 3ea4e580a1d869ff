/**
 * How a command line, or a second Vitrine, talks to the process that runs a VM: one JSON object a line over a local socket that only the owner can open.
 * A request is answered once, in order. After the answer to `console` the connection is the serial port's bytes, both ways.
 */
import { z } from 'zod'

export type ControlRequest =
  | { readonly command: 'status' | 'suspend' | 'reset' | 'pause' | 'unpause' | 'stats' | 'console' }
  /** `maxWidth`: in pixels; a wider picture is made smaller. */
  | { readonly command: 'screenshot'; readonly maxWidth?: number | undefined }
  | { readonly command: 'stop'; readonly how: 'soft' | 'hard' }
  /** What the guest shall be left with. */
  | { readonly command: 'balloon'; readonly mebibytes: number }
  /** Such as "ctrl-alt-delete". */
  | { readonly command: 'send-keys'; readonly keys: string }
  | { readonly command: 'send-text'; readonly text: string }

export const ControlRequest: z.ZodType<ControlRequest> = z.discriminatedUnion('command', [
  z.object({ command: z.enum(['status', 'suspend', 'reset', 'pause', 'unpause', 'stats', 'console']) }),
  z.object({ command: z.literal('screenshot'), maxWidth: z.number().int().min(16).max(4096).optional() }),
  z.object({ command: z.literal('stop'), how: z.enum(['soft', 'hard']) }),
  z.object({ command: z.literal('balloon'), mebibytes: z.number().int().min(1).max(1 << 20) }),
  z.object({ command: z.literal('send-keys'), keys: z.string().min(1).max(100) }),
  z.object({ command: z.literal('send-text'), text: z.string().min(1).max(4096) }),
])

/** `id` and `values`: of the problem in the table (library/problem-texts.ts), for whoever says it in another language. */
export interface ControlRefusal {
  readonly ok: false
  readonly message: string
  readonly remedy: string
  readonly id?: string | undefined
  readonly values?: Readonly<Record<string, string | number>> | undefined
}

export type ControlReply = { readonly ok: true; readonly value?: unknown } | ControlRefusal

export const ControlReply: z.ZodType<ControlReply> = z.union([
  z.object({ ok: z.literal(true), value: z.unknown().optional() }),
  z.object({
    ok: z.literal(false), message: z.string().max(10_000), remedy: z.string().max(10_000),
    id: z.string().max(100).optional(), values: z.record(z.string().max(100), z.union([z.string().max(10_000), z.number()])).optional(),
  }),
])

/** Longest request. A screenshot's answer may have more. */
export const MAX_REQUEST_BYTES: number = 1 << 16
export const MAX_REPLY_BYTES: number = 1 << 27
