/** A VM's settings while they are edited, by the settings dialog and by the wizard; and what must be written when they have changed. */
import type { DiskJson, HardwareJson, OptionsJson, VmJson } from '../../../../src-main/ipc/contract'

type Editable<T> = T extends readonly (infer Item)[] ? Editable<Item>[] : T extends object ? { -readonly [K in keyof T]: Editable<T[K]> } : T

export type DiskCache = DiskJson['cache']

/** What came with it: known sizes, and what is to be done. */
export type DiskDraft =
  | { kind: 'existing'; file: string; readOnly: boolean; cache: DiskCache; bytes?: number | undefined; expandTo?: number | undefined }
  /** Made when the settings are applied. `file`: its name in the VM's folder. */
  | { kind: 'new'; file: string; gibibytes: number }

export interface MachineDraft {
  name: string
  description: string
  guest: Editable<VmJson['guest']>
  hardware: Omit<Editable<HardwareJson>, 'disks'> & { disks: DiskDraft[] }
  options: Editable<OptionsJson>
}

export const GIB: number = 1024 ** 3
export const MIB: number = 1024 ** 2

export function draftOf({ name, description, guest, hardware, options }: VmJson): MachineDraft {
  const copy = structuredClone({ name, description, guest, hardware, options })
  return { ...copy, hardware: { ...copy.hardware, disks: copy.hardware.disks.map(({ file, readOnly, cache }) => ({ kind: 'existing', file, readOnly, cache })) } } as MachineDraft
}

/** The defaults of vm.json, for a VM that does not exist yet. */
export function newDraft(): MachineDraft {
  return {
    name: '',
    description: '',
    guest: { family: 'other', system: '' },
    hardware: {
      memoryMiB: 256,
      processors: { count: 1, model: { disabled: [] } },
      engine: 'translator',
      clock: 'host',
      firmware: { kind: 'builtin' },
      boot: { order: ['disk', 'cdrom'], menu: false },
      display: { videoMemoryMiB: 16 },
      demoDisk: false,
      disks: [],
      cdroms: [],
      serialPorts: [{ kind: 'terminal' }],
    },
    options: { power: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', guestCrash: 'stop', logLevel: 'info', isolation: { paste: true } },
  }
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }
export type JsonPatch = { [key: string]: JsonValue }

/** As vm.json has it: without what is only ours. Disks that are still to be made are not in it. */
export function hardwareOf({ disks, ...hardware }: MachineDraft['hardware']): JsonPatch {
  return plain({ ...hardware, disks: disks.flatMap((disk) => (disk.kind === 'existing' ? [{ file: disk.file, readOnly: disk.readOnly, cache: disk.cache }] : [])) })
}

/** JSON Merge Patch (RFC 7396) that makes of `before` what `draft` says; undefined: nothing has changed. The name is not in it: it moves the folder. */
export function patchOf(before: VmJson, draft: MachineDraft): JsonPatch | undefined {
  const old = plain({ description: before.description, guest: before.guest, hardware: before.hardware, options: before.options })
  const now = { ...plain({ description: draft.description, guest: draft.guest, options: draft.options }), hardware: hardwareOf(draft.hardware) }
  const patch = difference(old, now)
  return Object.keys(patch).length === 0 ? undefined : patch
}

function difference(before: JsonPatch, after: JsonPatch): JsonPatch {
  const patch: JsonPatch = {}
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const old = before[key]
    if (same(old, value)) continue
    // An object of another kind replaces, so its keys need not be taken away one by one.
    if (isGroup(old) && isGroup(value) && old['kind'] === value['kind']) patch[key] = difference(old, value)
    else patch[key] = value
  }
  return patch
}

export function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]))
  if (isGroup(a) && isGroup(b)) return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => same(value, b[key]))
  return a === b
}

function isGroup(value: JsonValue | undefined): value is JsonPatch {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without undefined and without proxies: what the bridge can carry. */
export function plain(value: object): JsonPatch {
  return JSON.parse(JSON.stringify(value)) as JsonPatch
}

/** A name in the VM's folder that none of its disks has. */
export function freeDiskName(disks: readonly DiskDraft[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'disk.img' : `disk-${number}.img`
    if (!disks.some(({ file }) => file === name || file.endsWith(`/${name}`))) return name
  }
}
