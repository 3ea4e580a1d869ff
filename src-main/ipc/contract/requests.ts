/** One row per request; client, server and type tests are derived from it. */
import { z } from 'zod'
import type { RequestName } from './channels'
import { AppDescription, HostDescription } from './host'
import { DeviceStateView, Inspection } from './inspection'
import { FolderId, HostPath, LibraryDto, NewVmRequest, SettingsPatch, VmCard, VmId } from './library'
import { FILE_PURPOSES, MediaDescription } from './media'
import { LogMessage } from './messages'
import { POWER_ACTIONS } from './power'
import { Preferences, PreferencesPatch, WindowMemory } from './preferences'
import { outcome, ProblemDto } from './problems'
import { MAX_REGIONS, RegionDescription, RegionList } from './regions'
import { VmStats } from './stats'
import type { VmJson } from './settings'

const vm = z.strictObject({ vm: VmId })
const nothing = z.undefined()
const done = outcome(z.undefined())
const changed = outcome(VmCard)
const name = z.string().min(1).max(80)
const index = z.number().int().min(0).max(15)
const vmJson = z.custom<VmJson>()

export interface RequestRow {
  readonly in: z.ZodType
  readonly out: z.ZodType
}

export const requests = {
  'app.describe': { in: nothing, out: AppDescription },
  'app.preferences': { in: nothing, out: Preferences },
  'app.set-preferences': { in: z.strictObject({ patch: PreferencesPatch }), out: outcome(Preferences) },
  /** The latest, oldest first. */
  'app.messages': { in: nothing, out: z.array(LogMessage) },
  /**
   * Without `running`: asks, if need be (window.close-asked). With it: that is the answer for the VMs that were asked about. keep-running: the windows close,
   * the VMs go on under the tray icon. shut-down: Vitrine ends when the guests have.
   */
  'app.quit': { in: z.strictObject({ running: z.enum(['keep-running', 'suspend', 'shut-down', 'power-off']).optional() }), out: nothing },
  'host.describe': { in: nothing, out: HostDescription },
  /** Text that the user has copied, for pasting into a guest. */
  'clipboard.read-text': { in: nothing, out: z.string() },

  'window.memory': { in: nothing, out: WindowMemory },
  'window.remember': { in: z.strictObject({ memory: WindowMemory }), out: nothing },
  /** A VM that this window was opened to show. Asked once, when the page listens to events: from then on it is told by window.show-vm. */
  'window.wanted-vm': { in: nothing, out: VmId.optional() },
  'window.new': { in: nothing, out: nothing },
  'window.close': { in: nothing, out: nothing },
  /** While input is grabbed, keys belong to the guest: no shortcut of the window works. */
  'window.set-input-grabbed': { in: z.strictObject({ grabbed: z.boolean() }), out: nothing },
  'window.set-full-screen': { in: z.strictObject({ on: z.boolean() }), out: nothing },
  /** Makes the window so that `width` by `height` CSS pixels more (or less) are inside. */
  'window.grow-by': { in: z.strictObject({ width: z.number().int().min(-10_000).max(10_000), height: z.number().int().min(-10_000).max(10_000) }), out: nothing },

  /** A dialog of the system's. undefined: cancelled. The path is known to the main process from then on. */
  'files.choose': { in: z.strictObject({ purpose: z.enum(FILE_PURPOSES), suggested: z.string().max(4096).optional() }), out: HostPath.optional() },
  'files.describe': { in: z.strictObject({ path: HostPath }), out: outcome(MediaDescription) },

  'library.contents': { in: nothing, out: LibraryDto },
  'library.create': { in: NewVmRequest, out: changed },
  /** Checks without creating. */
  'library.check-name': { in: z.strictObject({ name: z.string().max(200), location: HostPath.optional() }), out: ProblemDto.optional() },
  'library.open': { in: z.strictObject({ path: HostPath, as: z.enum(['copied', 'moved']).optional() }), out: changed },
  /** VM folders below a folder that the library does not list. */
  'library.scan': { in: z.strictObject({ folder: HostPath }), out: z.array(HostPath) },
  'library.create-demo': { in: nothing, out: changed },
  'library.remove': { in: vm, out: done },
  'library.delete': { in: vm, out: done },
  'library.rename': { in: z.strictObject({ vm: VmId, name }), out: changed },
  'library.set-favourite': { in: z.strictObject({ vm: VmId, favourite: z.boolean() }), out: done },
  'library.place': { in: z.strictObject({ vm: VmId, folder: FolderId.optional(), before: VmId.optional() }), out: done },
  'library.create-folder': { in: z.strictObject({ name, parent: FolderId.optional() }), out: outcome(FolderId) },
  'library.rename-folder': { in: z.strictObject({ folder: FolderId, name }), out: done },
  'library.place-folder': { in: z.strictObject({ folder: FolderId, parent: FolderId.optional(), before: FolderId.optional() }), out: done },
  'library.remove-folder': { in: z.strictObject({ folder: FolderId }), out: done },
  /** The latest picture, live or kept: PNG. */
  'library.thumbnail': { in: vm, out: z.instanceof(Uint8Array).optional() },
  /** Of these VMs this window wants live thumbnails from now on, instead of those asked for before. */
  'library.watch-thumbnails': { in: z.strictObject({ vms: z.array(VmId).max(200) }), out: nothing },
  'library.discard-suspended': { in: vm, out: changed },
  'library.show-folder': { in: vm, out: nothing },

  'vm.power': { in: z.strictObject({ vm: VmId, action: z.enum(POWER_ACTIONS) }), out: done },
  'vm.settings': { in: vm, out: outcome(vmJson) },
  /** What would be wrong with it after such a change. Nothing is written. */
  'vm.check-settings': { in: z.strictObject({ vm: VmId, patch: SettingsPatch }), out: z.array(ProblemDto) },
  'vm.change-settings': { in: z.strictObject({ vm: VmId, patch: SettingsPatch }), out: changed },
  /** A new empty disk in the VM's folder; it is added to its settings. */
  'vm.add-disk': { in: z.strictObject({ vm: VmId, bytes: z.number().int().min(512) }), out: changed },
  'vm.expand-disk': { in: z.strictObject({ vm: VmId, index, bytes: z.number().int().min(512) }), out: changed },
  /** Also while the VM runs. `file` undefined: none. Without `force` a disc that the guest keeps locked in stays (problem 'cdrom-locked'). */
  'vm.set-cdrom': { in: z.strictObject({ vm: VmId, index, file: HostPath.optional(), connected: z.boolean(), force: z.boolean().optional() }), out: changed },
  'vm.screenshot': { in: z.strictObject({ vm: VmId, to: z.enum(['file', 'clipboard']) }), out: outcome(HostPath.optional()) },
  /** Such as "ctrl-alt-delete". */
  /** The whole screen as it is now, PNG; also of a VM that another process runs. */
  'vm.picture': { in: vm, out: z.instanceof(Uint8Array).optional() },
  'vm.send-keys': { in: z.strictObject({ vm: VmId, keys: z.string().min(1).max(100) }), out: done },
  'vm.type-text': { in: z.strictObject({ vm: VmId, text: z.string().min(1).max(65_536) }), out: outcome(z.object({ /** Characters that the layout does not have. */ skipped: z.number().int() })) },
  /** The characters on a screen in text mode; undefined: it is in a graphics mode. */
  'vm.screen-text': { in: vm, out: z.array(z.string()).optional() },
  'vm.stats': { in: vm, out: VmStats.optional() },
  'vm.inspect': { in: vm, out: Inspection.optional() },
  'vm.device-states': { in: vm, out: z.array(DeviceStateView).optional() },
  /** The hottest regions of translated code; undefined: the VM is not on. */
  'vm.regions': { in: z.strictObject({ vm: VmId, count: z.number().int().min(1).max(MAX_REGIONS) }), out: RegionList.optional() },
  /** All about one of them; undefined: it is not there any more. */
  'vm.region': { in: z.strictObject({ vm: VmId, id: z.number().int().min(1) }), out: RegionDescription.optional() },
  /** The last lines of vitrine.log. */
  'vm.log': { in: vm, out: z.array(z.string()) },

  /** Screen, keyboard and mouse: a port with this number follows. An earlier port of the same VM's screen ends, in whichever window. */
  'console.open': { in: vm, out: z.number().int() },
  /** A serial port that is a terminal: a port follows, with what was written lately. */
  'serial.open': { in: z.strictObject({ vm: VmId, port: z.number().int().min(0).max(3) }), out: z.number().int() },
  /** Everything that the guest writes from now on goes into a file as well, until the VM is off; undefined: no more. */
  'serial.log': { in: z.strictObject({ vm: VmId, port: z.number().int().min(0).max(3), path: HostPath.optional() }), out: done },
} as const satisfies Record<RequestName, RequestRow>

export type Requests = typeof requests
export type RequestInput<N extends RequestName> = z.infer<Requests[N]['in']>
export type RequestOutput<N extends RequestName> = z.infer<Requests[N]['out']>
