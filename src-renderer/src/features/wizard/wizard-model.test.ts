import { describe, expect, it } from 'vitest'
import type { MediaDescription } from '../../../../src-main/ipc/contract'
import { answersFor, chooseGuest, chooseSource, customize, dropCustomization, finalDraft, issuesOn, newAnswers, pagesOf, recognise, requestOf, summaryOf, type Answers } from './wizard-model'

const HOST = { memoryMiB: 16_384, freeMemoryMiB: 8192, cpus: 4, limits: { minMemoryMiB: 2, maxMemoryMiB: 3840, maxCpus: 1, maxIdeDrives: 4, maxSerialPorts: 4, maxDiskBytes: 2 ** 41 - 512, videoMemoryMiB: [16 as const] }, cpuFeatures: [], engines: [], firmware: [] }
const ISO: MediaDescription = { path: '/isos/debian.iso', kind: 'iso', bytes: 1, system: 'Debian GNU/Linux', version: '12.5.0', family: 'linux', bits: 64, firmware: ['bios'], why: [], suggestion: { name: 'Debian 12.5.0', memoryMiB: 1024, diskMiB: 20_480 } }
const KERNEL: MediaDescription = { path: '/boot/linux', kind: 'linux-kernel', bytes: 1, system: 'Linux', version: '6.1', family: 'linux', bits: 64, why: [], suggestion: { name: 'Linux', memoryMiB: 1024, diskMiB: 0 } }
const DISK: MediaDescription = { path: '/disks/a.img', kind: 'disk', bytes: 4096, why: [] }

const custom = (answers: Answers): Answers => {
  answers.mode = 'custom'
  return answers
}

describe('the pages of the wizard', () => {
  it('are few for a disc that is known, more for one that is not, and all when asked for', () => {
    expect(pagesOf(answersFor(ISO, HOST))).toEqual(['welcome', 'install', 'name', 'capacity', 'ready'])
    expect(pagesOf(newAnswers())).toEqual(['welcome', 'install', 'guest', 'name', 'capacity', 'ready'])
    expect(pagesOf(custom(answersFor(ISO, HOST)))).toEqual(['welcome', 'install', 'name', 'firmware', 'processors', 'memory', 'engine', 'disk', 'capacity', 'disk-file', 'serial', 'ready'])
    expect(pagesOf(answersFor(KERNEL, HOST))).toEqual(['welcome', 'install', 'kernel', 'name', 'ready'])
    expect(pagesOf(answersFor(DISK, HOST))).toEqual(['welcome', 'install', 'guest', 'name', 'ready'])
    const later = newAnswers()
    chooseSource(later, 'later')
    expect(pagesOf(later)).toEqual(['welcome', 'install', 'guest', 'name', 'capacity', 'ready'])
    later.diskChoice = 'none'
    expect(pagesOf(custom(later))).not.toContain('capacity')
  })

  it('no longer ask for disks that were customized', () => {
    const answers = custom(answersFor(ISO, HOST))
    customize(answers)
    expect(pagesOf(answers)).not.toContain('capacity')
    expect(answers.draft.hardware.disks).toHaveLength(1)
    dropCustomization(answers)
    expect(pagesOf(answers)).toContain('capacity')
    expect(finalDraft(answers).hardware.disks).toHaveLength(1)
  })
})

describe('the answers', () => {
  it('take defaults from what was recognised, but not what the user has said', () => {
    const answers = answersFor(ISO, HOST)
    expect(answers.draft).toMatchObject({ name: 'Debian 12.5.0', guest: { family: 'linux', system: 'Debian GNU/Linux 12.5.0 (64-bit)' }, hardware: { memoryMiB: 1024 } })
    expect(answers.gibibytes).toBe(20)
    answers.draft.name = 'Mine'
    answers.touched.add('name')
    recognise(answers, { ...ISO, suggestion: { name: 'Other', memoryMiB: 100_000, diskMiB: 1024 } }, HOST)
    expect(answers.draft).toMatchObject({ name: 'Mine', hardware: { memoryMiB: 3840 } })
    chooseGuest(answers, 'dos', 'FreeDOS (16-bit)', HOST)
    expect(answers).toMatchObject({ gibibytes: 2, draft: { guest: { family: 'dos' }, hardware: { memoryMiB: 64 } } })
  })

  it('begin with a file that was dropped', () => {
    expect(answersFor(ISO, HOST)).toMatchObject({ source: 'iso', iso: ISO.path })
    expect(answersFor(DISK, HOST)).toMatchObject({ source: 'disk', disk: DISK.path, diskBytes: 4096 })
    expect(answersFor(KERNEL, HOST).draft.hardware.boot.kernel).toMatchObject({ file: KERNEL.path })
    expect(answersFor({ path: '/i', kind: 'initrd', bytes: 1, why: [] }, HOST).draft.hardware.boot.kernel).toMatchObject({ file: '', initrd: '/i' })
    expect(answersFor({ path: '/fw', kind: 'firmware', bytes: 1, why: [] }, HOST)).toMatchObject({ mode: 'custom', source: 'later', draft: { hardware: { firmware: { kind: 'file', file: '/fw' } } } })
  })

  it('are checked page by page', () => {
    const fields = (page: Parameters<typeof issuesOn>[0], answers: Answers): readonly string[] => issuesOn(page, answers, HOST).map(({ field }) => field)
    const answers = newAnswers()
    expect(fields('install', answers)).toEqual(['iso'])
    expect(fields('name', answers)).toEqual(['name'])
    answers.iso = '/x'
    answers.media = { path: '/x', kind: 'disk', bytes: 1, why: [] }
    expect(fields('install', answers)).toEqual(['iso'])
    chooseSource(answers, 'disk')
    expect(fields('install', answers)).toEqual(['disk'])
    answers.disk = '/x.qcow2'
    answers.media = { path: '/x.qcow2', kind: 'disk', bytes: 1, why: [], warning: 'other-format' }
    expect(fields('install', answers)).toEqual(['disk'])
    chooseSource(answers, 'kernel')
    expect(fields('kernel', answers)).toEqual(['file'])
    answers.gibibytes = 0.5
    expect(fields('capacity', answers)).toEqual(['capacity'])
    answers.diskFile = 'a/b'
    expect(fields('disk-file', answers)).toEqual(['file'])
    answers.draft.hardware.memoryMiB = 1
    expect(fields('memory', answers)).toEqual(['memory'])
    answers.draft.hardware.serialPorts = [{ kind: 'file', file: '' }]
    expect(fields('serial', answers)).toEqual(['file'])
    expect(fields('ready', answers).length).toBeGreaterThan(1)
  })
})

describe('what is asked of the library', () => {
  it('is the VM of the answers', () => {
    const answers = answersFor(ISO, HOST)
    expect(requestOf(answers, 'folder')).toMatchObject({
      name: 'Debian 12.5.0', folder: 'folder', newDisks: [{ file: 'disk.img', bytes: 20 * 1024 ** 3 }], hardware: { memoryMiB: 1024, disks: [], cdroms: [{ file: '/isos/debian.iso', connected: true }] },
    })
    const kernel = answersFor(KERNEL, HOST)
    expect(requestOf(kernel, undefined)).toMatchObject({ newDisks: [], hardware: { boot: { kernel: { file: '/boot/linux', entry: 'auto' } }, disks: [] } })
    const disk = custom(answersFor(DISK, HOST))
    disk.diskReadOnly = true
    disk.location = '/other'
    expect(requestOf(disk, undefined)).toMatchObject({ location: '/other', newDisks: [], hardware: { disks: [{ file: '/disks/a.img', readOnly: true }] } })
    const none = custom(answersFor(ISO, HOST))
    none.diskChoice = 'none'
    expect(requestOf(none, undefined).newDisks).toEqual([])
  })

  it('is what the last page shows', () => {
    const lines = summaryOf((key, values) => `${key}${values ? JSON.stringify(values) : ''}`, answersFor(ISO, HOST), '/vms')
    expect(lines.map(({ name }) => name.replace('wizard.summary.', ''))).toEqual(['name', 'location', 'guest', 'memory', 'processors', 'firmware', 'disk', 'cdrom', 'serial'])
  })
})
