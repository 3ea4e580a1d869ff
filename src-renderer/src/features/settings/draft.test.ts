import { describe, expect, it } from 'vitest'
import type { VmJson } from '../../../../src-main/ipc/contract'
import { vmJsonSchema } from '../../../../src-main/vmm/manager/library/vm-json/schema'
import { changeOf, isEmpty } from './change'
import { draftOf, freeDiskName, newDraft, patchOf, plain, type JsonPatch, type JsonValue, type MachineDraft } from './draft'
import { issuesOf, pageOfKey } from './validate'

const HOST = { memoryMiB: 16_384, freeMemoryMiB: 8192, cpus: 4, limits: { minMemoryMiB: 2, maxMemoryMiB: 3840, maxCpus: 1, maxIdeDrives: 4, maxSerialPorts: 4, maxDiskBytes: 2 ** 41 - 512, videoMemoryMiB: [16 as const] }, cpuFeatures: [], engines: [], firmware: [] }

function vmJson(hardware: object = {}): VmJson {
  return vmJsonSchema.parse({ version: 1, id: '0f8fad5b-d9cb-469f-a165-70867728950e', name: 'A', hardware: { ...hardware } })
}

/** JSON Merge Patch, with the library's rule that an object of another kind replaces. */
function merged(before: JsonValue | undefined, patch: JsonValue): JsonValue {
  const isGroup = (value: JsonValue | undefined): value is JsonPatch => typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isGroup(patch)) return patch
  const old = isGroup(before) && (patch['kind'] === undefined || patch['kind'] === before['kind']) ? before : {}
  return Object.fromEntries(Object.entries({ ...old, ...patch }).flatMap(([key, value]) => (patch[key] === null ? [] : [[key, key in patch ? merged(old[key], value) : value]])))
}

/** What vm.json is after the patch. */
function after(before: VmJson, edit: (draft: MachineDraft) => void): VmJson {
  const draft = draftOf(before)
  edit(draft)
  const patch = patchOf(before, draft)
  return vmJsonSchema.parse(merged(plain(before), patch ?? {}))
}

describe('a draft of settings', () => {
  it('writes nothing when nothing has changed', () => {
    const rich = vmJson({ disks: [{ file: 'a.img', readOnly: true }], cdroms: [{ connected: false }], firmware: { kind: 'file', file: '/fw', vgaBios: '/rom' }, processors: { model: { vendor: 'GenuineIntel', disabled: ['SSE'] } } })
    expect(patchOf(rich, draftOf(rich))).toBeUndefined()
    expect(isEmpty(changeOf(rich, draftOf(rich), true, '/vm'))).toBe(true)
  })

  it('writes only what has changed, and takes away what is gone', () => {
    const before = vmJson({ processors: { model: { vendor: 'GenuineIntel' } }, boot: { kernel: { file: '/k', initrd: '/i' } }, cdroms: [{ file: '/a.iso' }] })
    const draft = draftOf(before)
    draft.hardware.memoryMiB = 512
    draft.hardware.processors.model.vendor = undefined
    expect(patchOf(before, draft)).toEqual({ hardware: { memoryMiB: 512, processors: { model: { vendor: null } } } })
    const next = after(before, (edited) => {
      edited.hardware.boot.kernel = undefined
      edited.hardware.cdroms = [{ connected: true }]
      edited.hardware.firmware = { kind: 'file', file: '/fw' }
      edited.hardware.serialPorts.push({ kind: 'tcp', port: 5555, protocol: 'raw' })
      edited.options.isolation.paste = false
    })
    expect(next.hardware.boot.kernel).toBeUndefined()
    expect(next.hardware).toMatchObject({ cdroms: [{ connected: true }], firmware: { kind: 'file', file: '/fw' }, serialPorts: [{ kind: 'terminal' }, { kind: 'tcp', port: 5555, protocol: 'raw' }] })
    expect(next.hardware.cdroms[0]?.file).toBeUndefined()
    expect(next.options.isolation.paste).toBe(false)
  })

  it('has the defaults of vm.json for a VM that does not exist yet', () => {
    const { hardware, options, guest } = vmJson()
    expect(plain(newDraft())).toEqual(plain({ name: '', description: '', guest, hardware, options }))
  })

  it('makes disks, expands them, changes discs of a running VM at once, and renames last', () => {
    const before = vmJson({ disks: [{ file: 'a.img' }, { file: 'b.img' }], cdroms: [{ file: 'cd.iso' }] })
    const draft = draftOf(before)
    const [, second] = draft.hardware.disks
    if (second?.kind === 'existing') second.expandTo = 40 * 1024 ** 3
    draft.hardware.disks.push({ kind: 'new', file: 'c.img', gibibytes: 2 })
    draft.hardware.cdroms[0] = { file: 'other.iso', connected: true }
    draft.name = 'B'
    expect(changeOf(before, draft, true, '/vm')).toEqual({ patch: undefined, discs: [{ index: 0, connected: true, file: '/vm/other.iso' }], expand: [{ index: 1, bytes: 40 * 1024 ** 3 }], create: [2 * 1024 ** 3], name: 'B' })
    expect(changeOf(before, draft, false, '/vm')).toMatchObject({ patch: { hardware: { cdroms: [{ file: 'other.iso', connected: true }] } }, discs: [] })
    draft.hardware.cdroms.push({ connected: true })
    expect(changeOf(before, draft, true, '/vm').discs).toEqual([])
    expect(freeDiskName([{ kind: 'existing', file: '/vm/disk.img', readOnly: false, cache: 'writeback' }, { kind: 'new', file: 'disk-2.img', gibibytes: 1 }])).toBe('disk-3.img')
  })

  it('says what is wrong, at its place', () => {
    const wrong = (edit: (draft: MachineDraft) => void): readonly string[] => {
      const draft = draftOf(vmJson({ disks: [{ file: 'a.img' }], cdroms: [{}] }))
      edit(draft)
      return issuesOf(draft, HOST).map(({ page, field }) => `${page} ${field}`)
    }
    expect(wrong(() => undefined)).toEqual([])
    expect(wrong((draft) => (draft.name = ' A'))).toEqual(['general name'])
    for (const amount of [1, 3841, 1.5, NaN]) expect(wrong((draft) => (draft.hardware.memoryMiB = amount))).toEqual(['memory memory'])
    expect(wrong((draft) => draft.hardware.disks.push({ kind: 'existing', file: 'a.img', readOnly: true, cache: 'writeback' }))).toEqual(['disk-1 file'])
    expect(wrong((draft) => draft.hardware.disks.push({ kind: 'new', file: '../x', gibibytes: 0 }))).toEqual(['disk-1 capacity', 'disk-1 file'])
    expect(wrong((draft) => draft.hardware.disks.push({ kind: 'new', file: 'vm.json', gibibytes: 1 }))).toEqual(['disk-1 file'])
    expect(wrong((draft) => draft.hardware.cdroms.push({ connected: true }, { connected: true }, { connected: true }))).toEqual(['disk-0 drives'])
    expect(wrong((draft) => (draft.hardware.serialPorts = [{ kind: 'tcp', port: 1, protocol: 'raw' }, { kind: 'tcp', port: 1, protocol: 'raw' }, { kind: 'tcp', port: 70_000, protocol: 'raw' }]))).toEqual(['serial-port-1 port', 'serial-port-2 port'])
    expect(wrong((draft) => (draft.hardware.boot = { order: [], menu: true, kernel: { file: '', commandLine: 'a\nb', entry: 'auto', modules: [] } }))).toEqual(['kernel file', 'kernel commandLine', 'boot menu'])
    expect(wrong((draft) => (draft.hardware.firmware = { kind: 'file', file: '' }))).toEqual(['firmware file'])
    expect(wrong((draft) => (draft.hardware.processors.model = { vendor: 'short', stepping: 16, disabled: [] }))).toEqual(['processors vendor', 'processors stepping'])
  })

  it('knows the page of a key', () => {
    expect(['hardware.disks[2].file', 'hardware.cdroms', 'hardware.boot.kernel.file', 'hardware.boot.menu', 'name', 'options.logLevel', 'other', undefined].map(pageOfKey)).toEqual(['disk-2', 'cdrom-0', 'kernel', 'boot', 'general', 'log', undefined, undefined])
  })
})
