/** What is wrong with settings before anybody else is asked: sentences of the catalogue, at the page and field where they belong. */
import type { HostDescription } from '../../../../src-main/ipc/contract'
import { GIB, type MachineDraft } from './draft'

export interface Issue {
  /** SettingsPage.id. */
  readonly page: string
  readonly field: string
  /** In the catalogue. */
  readonly key: string
  readonly values?: Readonly<Record<string, string | number>>
}

export const MAX_NAME = 80
const MAX_LINE = 4095
const MAX_DISK_NAME = 120

export function nameIssue(name: string): string | undefined {
  if (name.trim() === '') return 'settings.issues.nameMissing'
  if (name !== name.trim()) return 'settings.issues.nameSpaces'
  if (name.length > MAX_NAME) return 'settings.issues.nameLong'
  return /[\p{Cc}\p{Cs}]/u.test(name) ? 'settings.issues.nameCharacters' : undefined
}

export function memoryIssue(memoryMiB: number, { limits, memoryMiB: hostMiB }: HostDescription): { readonly key: string; readonly values: Readonly<Record<string, number>> } | undefined {
  const most = Math.min(limits.maxMemoryMiB, hostMiB)
  return Number.isInteger(memoryMiB) && memoryMiB >= limits.minMemoryMiB && memoryMiB <= most ? undefined : { key: 'settings.issues.memory', values: { least: limits.minMemoryMiB, most: Math.floor(most) } }
}

export function diskNameIssue(file: string): string | undefined {
  if (file.trim() === '') return 'settings.issues.diskNameMissing'
  if (/[/\\]/.test(file) || file.startsWith('.') || file.length > MAX_DISK_NAME || /[\p{Cc}\p{Cs}]/u.test(file)) return 'settings.issues.diskName'
  return /^(vm\.json.*|vitrine\.(log|lock).*|suspended\..*|crashed\.state|thumbnail\.png)$/.test(file) ? 'settings.issues.diskNameTaken' : undefined
}

export function capacityIssue(gibibytes: number, { limits }: HostDescription): { readonly key: string; readonly values: Readonly<Record<string, number>> } | undefined {
  const most = Math.floor(limits.maxDiskBytes / GIB)
  return Number.isFinite(gibibytes) && gibibytes > 0 && gibibytes <= most && Number.isInteger(gibibytes) ? undefined : { key: 'settings.issues.capacity', values: { most } }
}

export function issuesOf(draft: MachineDraft, host: HostDescription): readonly Issue[] {
  return [...general(draft), ...hardware(draft, host)]
}

function* general({ name, guest, description }: MachineDraft): Generator<Issue> {
  const key = nameIssue(name)
  if (key !== undefined) yield { page: 'general', field: 'name', key }
  if (guest.system.length > 200) yield { page: 'general', field: 'system', key: 'settings.issues.systemLong' }
  if (description.length > 65_536) yield { page: 'general', field: 'description', key: 'settings.issues.descriptionLong' }
}

function* hardware({ hardware: machine }: MachineDraft, host: HostDescription): Generator<Issue> {
  const memory = memoryIssue(machine.memoryMiB, host)
  if (memory) yield { page: 'memory', field: 'memory', ...memory }
  yield* processors(machine)
  const drives = machine.disks.length + machine.cdroms.length + (machine.demoDisk ? 1 : 0)
  if (drives > host.limits.maxIdeDrives) yield { page: machine.disks.length > 0 ? 'disk-0' : 'cdrom-0', field: 'drives', key: 'settings.issues.drives', values: { count: drives, most: host.limits.maxIdeDrives } }
  yield* disks(machine, host)
  yield* serialPorts(machine)
  yield* booting(machine)
}

function* processors({ processors: { model } }: MachineDraft['hardware']): Generator<Issue> {
  const { vendor, brand, family, model: number, stepping } = model
  if (vendor !== undefined && !/^[\x20-\x7e]{12}$/.test(vendor)) yield { page: 'processors', field: 'vendor', key: 'settings.issues.vendor' }
  if (brand !== undefined && !/^[\x20-\x7e]{1,47}$/.test(brand)) yield { page: 'processors', field: 'brand', key: 'settings.issues.brand' }
  const inside = (value: number | undefined, most: number): boolean => value === undefined || (Number.isInteger(value) && value >= 0 && value <= most)
  for (const [field, value, most] of [['family', family, 255], ['model', number, 255], ['stepping', stepping, 15]] as const) {
    if (!inside(value, most)) yield { page: 'processors', field, key: 'settings.issues.range', values: { most } }
  }
}

function* disks({ disks: list }: MachineDraft['hardware'], host: HostDescription): Generator<Issue> {
  const seen = new Map<string, boolean>()
  for (const [i, disk] of list.entries()) {
    const page = `disk-${i}`
    if (disk.kind === 'new') {
      const capacity = capacityIssue(disk.gibibytes, host)
      if (capacity) yield { page, field: 'capacity', ...capacity }
      const name = diskNameIssue(disk.file)
      if (name !== undefined) yield { page, field: 'file', key: name }
    } else if (disk.file === '') yield { page, field: 'file', key: 'settings.issues.diskFile' }
    if (disk.file === '') continue
    const readOnly = disk.kind === 'existing' && disk.readOnly
    if (seen.has(disk.file) && !(readOnly && seen.get(disk.file) === true)) yield { page, field: 'file', key: 'settings.issues.diskTwice' }
    seen.set(disk.file, readOnly && seen.get(disk.file) !== false)
    if (disk.kind === 'existing' && disk.expandTo !== undefined && disk.bytes !== undefined && disk.expandTo < disk.bytes) yield { page, field: 'capacity', key: 'settings.issues.shrink' }
  }
}

function* serialPorts({ serialPorts: list }: MachineDraft['hardware']): Generator<Issue> {
  const seen = new Set<number>()
  for (const [i, port] of list.entries()) {
    const page = `serial-port-${i}`
    if (port.kind === 'file' && port.file === '') yield { page, field: 'file', key: 'settings.issues.serialFile' }
    if (port.kind !== 'tcp') continue
    if (!Number.isInteger(port.port) || port.port < 1 || port.port > 65_535) yield { page, field: 'port', key: 'settings.issues.port' }
    else if (seen.has(port.port)) yield { page, field: 'port', key: 'settings.issues.portTwice', values: { port: port.port } }
    seen.add(port.port)
  }
}

function* booting({ firmware, boot }: MachineDraft['hardware']): Generator<Issue> {
  if (firmware.kind === 'file' && firmware.file === '') yield { page: 'firmware', field: 'file', key: 'settings.issues.firmwareFile' }
  const { kernel } = boot
  if (kernel) {
    if (kernel.file === '') yield { page: 'kernel', field: 'file', key: 'settings.issues.kernelFile' }
    if (kernel.commandLine.length > MAX_LINE || /[\p{Cc}\p{Cs}]/u.test(kernel.commandLine)) yield { page: 'kernel', field: 'commandLine', key: 'settings.issues.commandLine' }
    if (kernel.modules.some(({ file }) => file === '')) yield { page: 'kernel', field: 'modules', key: 'settings.issues.moduleFile' }
    if (firmware.kind === 'file') yield { page: 'kernel', field: 'use', key: 'settings.issues.kernelWithFirmware' }
    if (boot.menu) yield { page: 'boot', field: 'menu', key: 'settings.issues.menuWithKernel' }
  }
  if (boot.menu && firmware.kind === 'file') yield { page: 'boot', field: 'menu', key: 'settings.issues.menuWithFirmware' }
}

/** The page on which a problem of vm.json's key is put right. */
export function pageOfKey(key: string | undefined): string | undefined {
  if (key === undefined) return undefined
  const listed = /^hardware\.(disks|cdroms|serialPorts)(?:\[(\d+)\])?/.exec(key)
  if (listed) return `${{ disks: 'disk', cdroms: 'cdrom', serialPorts: 'serial-port' }[listed[1] as 'disks' | 'cdroms' | 'serialPorts']}-${listed[2] ?? 0}`
  const prefixes: readonly (readonly [string, string])[] = [
    ['hardware.memoryMiB', 'memory'], ['hardware.processors', 'processors'], ['hardware.engine', 'engine'], ['hardware.clock', 'engine'], ['hardware.firmware', 'firmware'], ['hardware.boot.kernel', 'kernel'], ['hardware.boot', 'boot'],
    ['options.power', 'power'], ['options.onClose', 'close'], ['options.guestCrash', 'crash'], ['options.logLevel', 'log'], ['options.isolation', 'isolation'], ['name', 'general'], ['description', 'general'], ['guest', 'general'],
  ]
  return prefixes.find(([prefix]) => key.startsWith(prefix))?.[1]
}
