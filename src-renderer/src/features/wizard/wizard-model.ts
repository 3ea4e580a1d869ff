/** The New Virtual Machine wizard without its looks: answers, which pages they lead to, what is wrong on a page, and what is asked of the library in the end. */
import type { HostDescription, MediaDescription, RequestInput } from '../../../../src-main/ipc/contract'
import { freeDiskName, GIB, hardwareOf, newDraft, plain, type MachineDraft } from '../settings/draft'
import { guestText, needsOf, systemsOf, systemText, UNKNOWN_LINUX, type GuestFamily, type Translate } from '../settings/guests'
import { bytesText } from '../../ui/format'
import { memoryMarks, memoryText } from '../settings/sizes'
import { capacityIssue, diskNameIssue, issuesOf, nameIssue, type Issue } from '../settings/validate'

export type WizardMode = 'typical' | 'custom'
/** Where the guest operating system comes from. */
export type InstallSource = 'iso' | 'disk' | 'kernel' | 'later'
export type DiskChoice = 'new' | 'existing' | 'none'
export const WIZARD_PAGES = ['welcome', 'install', 'kernel', 'guest', 'name', 'firmware', 'processors', 'memory', 'engine', 'disk', 'capacity', 'disk-file', 'serial', 'ready'] as const
export type WizardPage = (typeof WIZARD_PAGES)[number]

export interface Answers {
  mode: WizardMode
  source: InstallSource
  /** Paths; '' is none. */
  iso: string
  disk: string
  /** Of the existing disk. */
  diskBytes: number | undefined
  /** What the chosen installer disc, disk or kernel was recognised as. */
  media: MediaDescription | undefined
  diskChoice: DiskChoice
  diskReadOnly: boolean
  gibibytes: number
  diskFile: string
  /** '' is the library's. */
  location: string
  powerOn: boolean
  /** Name, guest, and the hardware that pages of their own do not ask for. Its lists of drives hold what "Customize Hardware" has added. */
  draft: MachineDraft
  /** "Customize Hardware" has been used: disks and drives are as it left them. */
  customized: boolean
  /** What the user has said himself, and no recognition takes back. */
  readonly touched: Set<'name' | 'guest' | 'memory' | 'capacity'>
}

export function newAnswers(): Answers {
  const draft = newDraft()
  draft.guest = { family: 'linux', system: UNKNOWN_LINUX }
  const answers: Answers = {
    mode: 'typical', source: 'iso', iso: '', disk: '', diskBytes: undefined, media: undefined, diskChoice: 'new', diskReadOnly: false, gibibytes: 20, diskFile: 'disk.img', location: '', powerOn: true, draft, customized: false, touched: new Set(),
  }
  return answers
}

/** The pages that these answers lead to, in order. */
export function pagesOf(answers: Answers): readonly WizardPage[] {
  const custom = answers.mode === 'custom'
  const pages: WizardPage[] = ['welcome', 'install']
  if (answers.source === 'kernel') pages.push('kernel')
  if (!isRecognised(answers)) pages.push('guest')
  pages.push('name')
  if (custom) pages.push('firmware', 'processors', 'memory', 'engine', 'disk')
  // "Customize Hardware" has the disks in hand from then on.
  if (!answers.customized) {
    if (wantsNewDisk(answers)) pages.push('capacity')
    if (custom && wantsNewDisk(answers)) pages.push('disk-file')
  }
  if (custom) pages.push('serial')
  return [...pages, 'ready']
}

/** The guest need not be asked for: the installer disc or kernel says what it is. */
export function isRecognised({ source, media }: Answers): boolean {
  return (source === 'iso' || source === 'kernel') && media?.system !== undefined && media.family !== undefined
}

/** Typical: an installer needs a disk to install to; a kernel brings what it needs, and a disk that is there is enough. */
function wantsNewDisk({ mode, source, diskChoice }: Answers): boolean {
  return mode === 'custom' ? diskChoice === 'new' : source === 'iso' || source === 'later'
}

function wantsExistingDisk({ mode, source, diskChoice }: Answers): boolean {
  return mode === 'custom' ? diskChoice === 'existing' : source === 'disk'
}

/** Other answers about drives than those that "Customize Hardware" began with: they count again. */
export function dropCustomization(answers: Answers): void {
  if (!answers.customized) return
  answers.customized = false
  answers.draft.hardware.disks = []
  answers.draft.hardware.cdroms = []
}

/** Another source: its own defaults for the disk. */
export function chooseSource(answers: Answers, source: InstallSource): void {
  dropCustomization(answers)
  answers.source = source
  answers.media = undefined
  answers.diskChoice = source === 'disk' ? 'existing' : source === 'kernel' ? 'none' : 'new'
  answers.draft.hardware.boot.kernel = source === 'kernel' ? (answers.draft.hardware.boot.kernel ?? { file: '', commandLine: '', entry: 'auto', modules: [] }) : undefined
  if (source === 'kernel') answers.draft.hardware.firmware = { kind: 'builtin' }
}

/** Defaults by what a disc, disk or kernel was recognised as; what the user has said stays. */
export function recognise(answers: Answers, media: MediaDescription, host: HostDescription): void {
  answers.media = media
  const { draft, touched } = answers
  if (media.kind === 'disk') answers.diskBytes = media.bytes
  if (media.family !== undefined && !touched.has('guest') && media.system !== undefined) {
    draft.guest = { family: media.family, system: systemText(media.system, media.kind === 'iso' ? media.version : undefined, media.bits) }
  }
  if (media.suggestion) {
    if (!touched.has('name')) draft.name = media.suggestion.name
    if (!touched.has('memory')) draft.hardware.memoryMiB = Math.min(media.suggestion.memoryMiB, mostMemory(answers, host))
    if (!touched.has('capacity') && media.suggestion.diskMiB > 0) answers.gibibytes = Math.max(1, Math.round(media.suggestion.diskMiB / 1024))
  }
}

/** Another guest: its memory and disk. */
export function chooseGuest(answers: Answers, family: GuestFamily, system: string, host: HostDescription): void {
  answers.draft.guest = { family, system }
  answers.touched.add('guest')
  const needs = needsOf(family, system)
  if (!answers.touched.has('memory')) answers.draft.hardware.memoryMiB = memoryMarks(host, needs).recommended
  if (!answers.touched.has('capacity')) answers.gibibytes = Math.max(1, needs.diskGiB)
}

export function firstSystem(family: GuestFamily): string {
  return systemsOf(family)[0] ?? ''
}

function mostMemory({ draft }: Answers, host: HostDescription): number {
  return memoryMarks(host, needsOf(draft.guest.family, draft.guest.system)).maximum
}

/** A file that was dropped on the window or given by a command: the wizard begins with it. */
export function answersFor(media: MediaDescription, host: HostDescription): Answers {
  const answers = newAnswers()
  if (media.kind === 'iso') {
    chooseSource(answers, 'iso')
    answers.iso = media.path
  } else if (media.kind === 'disk') {
    chooseSource(answers, 'disk')
    answers.disk = media.path
  } else if (media.kind === 'linux-kernel' || media.kind === 'multiboot-kernel') {
    chooseSource(answers, 'kernel')
    answers.draft.hardware.boot.kernel = { file: media.path, commandLine: '', entry: 'auto', modules: [] }
  } else if (media.kind === 'initrd') {
    chooseSource(answers, 'kernel')
    answers.draft.hardware.boot.kernel = { file: '', initrd: media.path, commandLine: '', entry: 'auto', modules: [] }
    return answers
  } else if (media.kind === 'firmware') {
    answers.mode = 'custom'
    chooseSource(answers, 'later')
    answers.draft.hardware.firmware = { kind: 'file', file: media.path }
    return answers
  }
  recognise(answers, media, host)
  return answers
}

/** What must be put right before the page can be left. Fields of settings' panels have the panels' names. */
export function issuesOn(page: WizardPage, answers: Answers, host: HostDescription): readonly Issue[] {
  const at = (field: string, key: string, values?: Issue['values']): Issue => ({ page, field, key, ...(values ? { values } : {}) })
  const panel = (...ids: string[]): readonly Issue[] => issuesOf({ ...answers.draft, name: answers.draft.name || 'x' }, host).filter((issue) => ids.some((id) => issue.page === id || issue.page.startsWith(`${id}-`)))
  switch (page) {
    case 'install':
      if (answers.source === 'iso') return answers.iso === '' ? [at('iso', 'wizard.issues.iso')] : answers.media && answers.media.kind !== 'iso' ? [at('iso', 'wizard.issues.notIso')] : []
      if (answers.source === 'disk') return answers.disk === '' ? [at('disk', 'settings.issues.diskFile')] : answers.media?.warning === 'other-format' ? [at('disk', 'wizard.issues.format')] : []
      return []
    case 'kernel':
      return panel('kernel')
    case 'guest':
      return answers.draft.guest.system.trim() === '' ? [at('system', 'wizard.issues.system')] : []
    case 'name': {
      const key = nameIssue(answers.draft.name)
      return key === undefined ? [] : [at('name', key)]
    }
    case 'firmware':
    case 'processors':
    case 'memory':
      return panel(page)
    case 'serial':
      return panel('serial-port')
    case 'disk':
      return wantsExistingDisk(answers) && answers.disk === '' ? [at('disk', 'settings.issues.diskFile')] : []
    case 'capacity': {
      const issue = capacityIssue(answers.gibibytes, host)
      return issue ? [at('capacity', issue.key, issue.values)] : []
    }
    case 'disk-file': {
      const key = diskNameIssue(answers.diskFile)
      return key === undefined ? [] : [at('file', key)]
    }
    case 'ready':
      return issuesOf(finalDraft(answers), host)
    default:
      return []
  }
}

/** The draft with the drives that the answers mean. */
export function finalDraft(answers: Answers): MachineDraft {
  const { draft, source, customized } = answers
  if (customized) return draft
  const { hardware } = draft
  const disks: MachineDraft['hardware']['disks'] = []
  if (wantsExistingDisk(answers)) disks.push({ kind: 'existing', file: answers.disk, readOnly: answers.diskReadOnly, cache: 'writeback', bytes: answers.diskBytes })
  if (wantsNewDisk(answers)) disks.push({ kind: 'new', file: answers.diskFile || freeDiskName(disks), gibibytes: answers.gibibytes })
  const cdroms = source === 'iso' ? [{ file: answers.iso, connected: true }] : [{ connected: true }]
  // An installer disc comes after the disk, which is empty at first and has the system then.
  return { ...draft, hardware: { ...hardware, disks, cdroms } }
}

/** Makes the drives of the answers the draft's own, for "Customize Hardware". */
export function customize(answers: Answers): void {
  if (answers.customized) return
  const { hardware } = finalDraft(answers)
  answers.draft.hardware.disks = hardware.disks
  answers.draft.hardware.cdroms = hardware.cdroms
  answers.customized = true
}

/** `folder`: of the library, where the wizard was opened. */
export function requestOf(answers: Answers, folder: string | undefined): RequestInput<'library.create'> {
  const draft = finalDraft(answers)
  const { name, description, guest, hardware, options } = draft
  return {
    name,
    ...(description === '' ? {} : { description }),
    guest: plain(guest),
    hardware: hardwareOf(hardware),
    options: plain(options),
    newDisks: hardware.disks.flatMap((disk) => (disk.kind === 'new' ? [{ file: disk.file, bytes: disk.gibibytes * GIB }] : [])),
    ...(answers.location === '' ? {} : { location: answers.location }),
    ...(folder === undefined ? {} : { folder }),
  }
}

export interface SummaryLine {
  readonly name: string
  readonly value: string
}

/** The two columns of the last page. */
export function summaryOf(t: Translate, answers: Answers, location: string): readonly SummaryLine[] {
  const draft = finalDraft(answers)
  const { hardware } = draft
  const line = (key: string, value: string): SummaryLine => ({ name: t(`wizard.summary.${key}`), value })
  const { firmware, boot } = hardware
  return [
    line('name', draft.name),
    line('location', answers.location === '' ? location : answers.location),
    line('guest', guestText(t, draft.guest.system)),
    line('memory', memoryText(hardware.memoryMiB)),
    line('processors', `${hardware.processors.count} (${t(`settings.engine.${hardware.engine}`)})`),
    line('firmware', firmware.kind === 'builtin' ? t('settings.firmware.builtinSummary') : firmware.file),
    ...(boot.kernel ? [line('kernel', boot.kernel.file), ...(boot.kernel.initrd === undefined ? [] : [line('initrd', boot.kernel.initrd)]), ...(boot.kernel.commandLine === '' ? [] : [line('commandLine', boot.kernel.commandLine)])] : []),
    ...(hardware.disks.length === 0 ? [line('disk', t('common.none'))] : hardware.disks.map((disk) => line('disk', disk.kind === 'new' ? t('wizard.summary.newDisk', { size: bytesText(disk.gibibytes * GIB), file: disk.file }) : disk.file))),
    ...hardware.cdroms.map(({ file }) => line('cdrom', file === undefined ? t('settings.cdrom.emptySummary') : file)),
    ...hardware.serialPorts.map((port, i) => line(hardware.serialPorts.length > 1 ? 'serialPort' : 'serial', `${hardware.serialPorts.length > 1 ? `${i + 1}: ` : ''}${port.kind === 'tcp' ? t('settings.serial.tcpSummary', { port: port.port }) : port.kind === 'file' ? port.file : t(`settings.serial.${port.kind}Summary`)}`)),
  ]
}
