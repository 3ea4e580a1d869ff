/** What a file chosen or dropped is, and what that means for a new VM. */
import { z } from 'zod'

export const MEDIA_KINDS = ['iso', 'disk', 'linux-kernel', 'initrd', 'multiboot-kernel', 'firmware', 'vm', 'unknown'] as const

/** What something was recognised by. */
export const MEDIA_SIGNS = [
  'volume-label', 'disk-info', 'tree-info', 'file', 'boot-catalogue', 'kernel-version', 'boot-protocol', 'partition-table', 'boot-sector', 'format', 'reset-vector', 'vm-json', 'file-name',
] as const
export type MediaSign = (typeof MEDIA_SIGNS)[number]

/** What was recognised, in facts; the window says it in words. `why` lists what it was recognised by, such as the volume label "Debian 12.5.0 amd64 n". */
export const MediaDescription = z.object({
  path: z.string(),
  kind: z.enum(MEDIA_KINDS),
  bytes: z.number(),
  /** Of an operating system's installer or live disc: "Debian GNU/Linux". */
  system: z.string().optional(),
  version: z.string().optional(),
  family: z.enum(['linux', 'windows', 'dos', 'bsd', 'other']).optional(),
  /** Bits of the code that it boots. */
  bits: z.union([z.literal(16), z.literal(32), z.literal(64)]).optional(),
  /** How it can be booted. */
  firmware: z.array(z.enum(['bios', 'uefi'])).optional(),
  label: z.string().optional(),
  /** `value` is as the file has it, or a technical term: not to be translated. */
  why: z.array(z.object({ sign: z.enum(MEDIA_SIGNS), value: z.string() })),
  /** Defaults for a new VM. */
  suggestion: z.object({ name: z.string(), memoryMiB: z.number().int(), diskMiB: z.number().int() }).optional(),
  /** It boots nothing here, and this is why. other-format: a disk image that is not raw. */
  warning: z.enum(['uefi-only', 'not-bootable', 'not-x86', 'damaged', 'other-format']).optional(),
})
export type MediaDescription = z.infer<typeof MediaDescription>

/** What a file dialog is for: it decides the filters, and whether it opens or saves. */
export const FILE_PURPOSES = ['iso', 'disk', 'kernel', 'initrd', 'firmware', 'vga-bios', 'vm', 'folder', 'serial-log', 'screenshot'] as const
export type FilePurpose = (typeof FILE_PURPOSES)[number]
