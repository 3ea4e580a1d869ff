/** The library as the window sees it. */
import { z } from 'zod'
import { PowerState } from './power'
import { ProblemDto } from './problems'

export const VmId = z.string().min(1).max(64)
export type VmId = z.infer<typeof VmId>
export const FolderId = z.string().min(1).max(64)
export const HostPath = z.string().min(1).max(4096)

/** One line a device, for the summary and the status bar. `setting` is the settings page that it opens. */
export const DeviceSummary = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('memory'), mebibytes: z.number() }),
  z.object({ kind: z.literal('processors'), count: z.number().int() }),
  /** `index`: in vm.json's list. */
  z.object({ kind: z.literal('disk'), index: z.number().int(), file: z.string(), bytes: z.number().optional(), readOnly: z.boolean() }),
  z.object({ kind: z.literal('demo-disk') }),
  z.object({ kind: z.literal('cdrom'), index: z.number().int(), file: z.string().optional(), connected: z.boolean() }),
  z.object({ kind: z.literal('serial-port'), index: z.number().int(), to: z.enum(['terminal', 'file', 'tcp', 'none']), detail: z.string(), /** Of a terminal: the file into which goes, too, what the guest writes now. */ log: z.string().optional() }),
  z.object({ kind: z.literal('display'), videoMemoryMiB: z.number() }),
])
export type DeviceSummary = z.infer<typeof DeviceSummary>

/** A VM wherever it is listed. */
export const VmCard = z.object({
  id: VmId,
  name: z.string(),
  /** Of its folder. */
  path: z.string(),
  favourite: z.boolean(),
  folder: FolderId.optional(),
  /** Made from machine options on the command line: it has a tab, no place in the library, and is deleted when Vitrine ends. */
  temporary: z.boolean(),
  power: PowerState,
  /** It can be powered on only when there are none. */
  problems: z.array(ProblemDto),
  description: z.string(),
  guest: z.object({ family: z.enum(['linux', 'windows', 'dos', 'bsd', 'other']), system: z.string() }),
  engine: z.string(),
  /** 'builtin' or a file's path. */
  firmware: z.string(),
  /** Direct boot. */
  kernel: z.string().optional(),
  devices: z.array(DeviceSummary),
  /** What the toolbar's buttons mean for this VM. */
  powerControls: z.object({ powerOff: z.enum(['soft', 'hard']), reset: z.enum(['soft', 'hard']) }),
  onClose: z.enum(['ask', 'keep-running', 'suspend', 'shut-down', 'power-off']),
  paste: z.boolean(),
})
export type VmCard = z.infer<typeof VmCard>

export const LibraryFolder = z.object({ id: FolderId, name: z.string(), parent: FolderId.optional() })
export type LibraryFolder = z.infer<typeof LibraryFolder>

/** Machines and folders in the order in which they are shown. */
export const LibraryDto = z.object({
  machines: z.array(VmCard),
  folders: z.array(LibraryFolder),
  /** The latest first. */
  recent: z.array(VmId),
  /** Where new VMs go. */
  location: z.string(),
  problems: z.array(ProblemDto),
})
export type LibraryDto = z.infer<typeof LibraryDto>

/** A patch of vm.json (RFC 7396). Checked against its schema by whoever writes it. */
export const SettingsPatch = z.record(z.string().max(64), z.json())
export type SettingsPatch = z.infer<typeof SettingsPatch>

const DISK_NAME = /^[^/\\.][^/\\]{0,119}$/

export const NewDisk = z.strictObject({ file: z.string().regex(DISK_NAME), bytes: z.number().int().min(512) })

/** What the wizard asks for. Paths in `hardware` must be known to the main process: from a dialog, a drop, or the library. */
export const NewVmRequest = z.strictObject({
  name: z.string().min(1).max(80),
  description: z.string().max(65536).optional(),
  guest: SettingsPatch.optional(),
  hardware: SettingsPatch.optional(),
  options: SettingsPatch.optional(),
  newDisks: z.array(NewDisk).max(4),
  /** Folder on disk in which its own folder is made; undefined: the library's. */
  location: HostPath.optional(),
  folder: FolderId.optional(),
})
export type NewVmRequest = z.infer<typeof NewVmRequest>
