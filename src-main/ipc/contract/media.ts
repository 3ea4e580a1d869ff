/** What a file chosen or dropped is, and what that means for a new VM. */
import { z } from 'zod'

export const MEDIA_KINDS = ['iso', 'disk', 'linux-kernel', 'initrd', 'multiboot-kernel', 'firmware', 'vm', 'unknown'] as const

/** What was recognised, in facts; the window says it in words. `why` lists what it was recognised by, such as "volume label: Debian 12.5.0 amd64 n". */
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
  why: z.array(z.string()),
  /** Defaults for a new VM. */
  suggestion: z.object({ name: z.string(), memoryMiB: z.number().int(), diskMiB: z.number().int() }).optional(),
  /** It boots nothing here, and this is why (English), such as "UEFI only". */
  warning: z.enum(['uefi-only', 'not-bootable', 'not-x86', 'damaged']).optional(),
})
export type MediaDescription = z.infer<typeof MediaDescription>

/** What a file dialog is for: it decides the filters, and whether it opens or saves. */
export const FILE_PURPOSES = ['iso', 'disk', 'kernel', 'initrd', 'firmware', 'vga-bios', 'vm', 'folder', 'serial-log', 'screenshot'] as const
export type FilePurpose = (typeof FILE_PURPOSES)[number]
