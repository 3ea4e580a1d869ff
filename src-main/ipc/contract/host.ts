/** Facts of the host and of this build, for markers, limits and the About page. */
import { z } from 'zod'

export const HostDescription = z.object({
  memoryMiB: z.number(),
  freeMemoryMiB: z.number(),
  cpus: z.number().int(),
  /** Bytes free where new VMs go; undefined: unknown. */
  freeDiskBytes: z.number().optional(),
  limits: z.object({ minMemoryMiB: z.number(), maxMemoryMiB: z.number(), maxCpus: z.number(), maxIdeDrives: z.number(), maxSerialPorts: z.number(), maxDiskBytes: z.number(), videoMemoryMiB: z.array(z.literal([4, 8, 16, 32, 64])) }),
  cpuFeatures: z.array(z.string()),
  engines: z.array(z.string()),
  /** Firmware images found on this host. */
  firmware: z.array(z.object({ name: z.string(), path: z.string() })),
})
export type HostDescription = z.infer<typeof HostDescription>

export const AppDescription = z.object({
  version: z.string(),
  electron: z.string(),
  chrome: z.string(),
  node: z.string(),
  v8: z.string(),
  platform: z.string(),
  /** BCP 47, of the system. */
  locale: z.string(),
})
export type AppDescription = z.infer<typeof AppDescription>
