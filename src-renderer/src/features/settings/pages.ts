/** The pages of the settings dialog: what stands in its lists, with a summary each, and the words by which a search finds them. */
import type { IconName } from '../../ui/icons'
import { GIB, type DiskDraft, type MachineDraft } from './draft'
import { guestText, type Translate } from './guests'
import { bytesText, fileName } from '../../ui/format'
import { memoryText } from './sizes'

export const HARDWARE_KINDS = ['memory', 'processors', 'demo-disk', 'disk', 'cdrom', 'serial-port', 'display', 'firmware', 'boot', 'kernel', 'engine'] as const
export const OPTION_KINDS = ['general', 'power', 'close', 'crash', 'log', 'isolation'] as const
export type HardwareKind = (typeof HARDWARE_KINDS)[number]
export type OptionKind = (typeof OPTION_KINDS)[number]
export type PageKind = HardwareKind | OptionKind

export interface SettingsPage {
  /** Kind, and for devices of which there may be several their place in vm.json's list: "disk-0". What the prop `page` of the dialog says. */
  readonly id: string
  readonly kind: PageKind
  readonly index: number
  readonly icon: IconName
  readonly name: string
  readonly summary: string
  /** Of devices that can be taken away. */
  readonly removable: boolean
}

const ICONS: Readonly<Record<PageKind, IconName>> = {
  memory: 'memory', processors: 'processor', 'demo-disk': 'disk', disk: 'disk', cdrom: 'cdrom', 'serial-port': 'serial', display: 'display', firmware: 'firmware', boot: 'power', kernel: 'kernel', engine: 'performance',
  general: 'vm', power: 'power', close: 'close', crash: 'warning', log: 'log', isolation: 'paste',
}

/** Texts of each page that a search looks through. */
const WORDS: Readonly<Record<PageKind, readonly string[]>> = {
  memory: ['memory.label', 'memory.recommended', 'memory.minimum', 'memory.maximum'],
  processors: ['processors.count', 'processors.vendor', 'processors.brand', 'processors.family', 'processors.model', 'processors.stepping', 'processors.features'],
  'demo-disk': ['demoDisk.text'],
  disk: ['disk.file', 'disk.capacity', 'disk.readOnly', 'disk.cache', 'disk.expand', 'disk.new', 'disk.existing'],
  cdrom: ['cdrom.connected', 'cdrom.file', 'cdrom.empty', 'cdrom.status'],
  'serial-port': ['serial.to', 'serial.terminal', 'serial.toFile', 'serial.tcp', 'serial.port', 'serial.protocol'],
  display: ['display.adapter', 'display.memory', 'display.resolution'],
  firmware: ['firmware.builtin', 'firmware.file', 'firmware.image', 'firmware.vgaBios'],
  boot: ['boot.order', 'boot.menu', 'boot.hint'],
  kernel: ['kernel.use', 'kernel.file', 'kernel.initrd', 'kernel.commandLine', 'kernel.entry', 'kernel.modules'],
  engine: ['engine.label', 'engine.translator', 'engine.interpreter', 'engine.lockstep', 'engine.clock', 'engine.hostClock', 'engine.instructionClock'],
  general: ['general.name', 'general.family', 'general.system', 'general.description', 'general.folder'],
  power: ['power.powerOff', 'power.reset', 'power.soft', 'power.hard'],
  close: ['close.label', 'close.ask', 'close.keepRunning', 'close.suspend', 'close.shutDown', 'close.powerOff'],
  crash: ['crash.label', 'crash.stop', 'crash.reset', 'crash.keep'],
  log: ['log.label'],
  isolation: ['isolation.paste'],
}

export interface PageContext {
  readonly t: Translate
  readonly draft: MachineDraft
}

export function hardwarePages({ t, draft }: PageContext): readonly SettingsPage[] {
  const { hardware } = draft
  const page = (kind: HardwareKind, summary: string, index = 0, of = 1): SettingsPage => ({
    id: ['disk', 'cdrom', 'serial-port'].includes(kind) ? `${kind}-${index}` : kind, kind, index, icon: ICONS[kind], summary, removable: ['disk', 'cdrom', 'serial-port', 'demo-disk'].includes(kind),
    name: of > 1 ? t('settings.pages.numbered', { name: t(`settings.pages.${kind}`), n: index + 1 }) : t(`settings.pages.${kind}`),
  })
  const { firmware, boot } = hardware
  return [
    page('memory', memoryText(hardware.memoryMiB)),
    page('processors', String(hardware.processors.count)),
    ...(hardware.demoDisk ? [page('demo-disk', t('settings.demoDisk.summary'))] : []),
    ...hardware.disks.map((disk, i, all) => page('disk', diskText(t, disk), i, all.length)),
    ...hardware.cdroms.map(({ file, connected }, i, all) => page('cdrom', file === undefined ? t('settings.cdrom.emptySummary') : connected ? fileName(file) : t('settings.cdrom.disconnectedSummary', { file: fileName(file) }), i, all.length)),
    ...hardware.serialPorts.map((port, i, all) => page('serial-port', port.kind === 'tcp' ? t('settings.serial.tcpSummary', { port: port.port }) : port.kind === 'file' ? fileName(port.file) : t(`settings.serial.${port.kind}Summary`), i, all.length)),
    page('display', t('settings.display.summary', { memory: memoryText(draft.hardware.display.videoMemoryMiB) })),
    page('firmware', firmware.kind === 'builtin' ? t('settings.firmware.builtinSummary') : fileName(firmware.file)),
    page('boot', boot.order.map((device) => t(`settings.boot.${device}`)).join(t('settings.boot.comma')) || t('common.none')),
    page('kernel', boot.kernel ? fileName(boot.kernel.file) : t('settings.kernel.offSummary')),
    page('engine', t(`settings.engine.${hardware.engine}`)),
  ]
}

export function optionPages({ t, draft }: PageContext): readonly SettingsPage[] {
  const { options } = draft
  const page = (kind: OptionKind, summary: string): SettingsPage => ({ id: kind, kind, index: 0, icon: ICONS[kind], name: t(`settings.pages.${kind}`), summary, removable: false })
  const how = (kind: 'soft' | 'hard'): string => t(`settings.power.${kind}Summary`)
  return [
    page('general', draft.guest.system === '' ? draft.name : guestText(t, draft.guest.system)),
    page('power', options.power.powerOff === options.power.reset ? how(options.power.powerOff) : t('settings.power.mixedSummary')),
    page('close', t(`settings.close.${CLOSE_KEYS[options.onClose]}Summary`)),
    page('crash', t(`settings.crash.${options.guestCrash}Summary`)),
    page('log', t(`settings.log.${options.logLevel}`)),
    page('isolation', options.isolation.paste ? t('settings.isolation.onSummary') : t('settings.isolation.offSummary')),
  ]
}

export const CLOSE_KEYS: Readonly<Record<MachineDraft['options']['onClose'], string>> = { ask: 'ask', 'keep-running': 'keepRunning', suspend: 'suspend', 'shut-down': 'shutDown', 'power-off': 'powerOff' }

function diskText(t: Translate, disk: DiskDraft): string {
  if (disk.kind === 'new') return t('settings.disk.newSummary', { size: Number.isFinite(disk.gibibytes) ? bytesText(disk.gibibytes * GIB) : '?' })
  const size = disk.expandTo ?? disk.bytes
  return size === undefined ? fileName(disk.file) : t('settings.disk.summary', { file: fileName(disk.file), size: bytesText(size) })
}

/** Pages whose name, summary or settings have all the words that were typed. */
export function searchPages(t: Translate, pages: readonly SettingsPage[], query: string): readonly SettingsPage[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '')
  return pages.filter(({ kind, name, summary }) => {
    const text = [name, summary, ...WORDS[kind].map((key) => t(`settings.${key}`))].join('\n').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
