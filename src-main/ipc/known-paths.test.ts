import { describe, expect, it } from 'vitest'
import { machineConfig, namedFiles } from '../vmm/manager/library/vm-json/machine-config'
import { vmJsonSchema } from '../vmm/manager/library/vm-json/schema'
import { KnownPaths, namedPaths } from './known-paths'

const FOLDER = '/vms/Some.vitrine'
const allowed = (known: KnownPaths, patch: unknown, folder: string | undefined = FOLDER, listed: Parameters<KnownPaths['checkPatch']>[2] = []): boolean => {
  try {
    known.checkPatch(patch, folder, listed)
    return true
  } catch {
    return false
  }
}

describe('known paths', () => {
  it('are those that were chosen, for what they were chosen for', () => {
    const known = new KnownPaths()
    known.chosen('/isos/debian.iso', 'iso')
    known.chosen('/disks/root.img', 'disk')
    expect(known.knows('/isos/debian.iso', 'read')).toBe(true)
    expect(known.knows('/isos/../isos/debian.iso', 'read')).toBe(true)
    expect(known.knows('/isos/debian.iso', 'write')).toBe(false)
    expect(known.knows('/disks/root.img', 'write')).toBe(true)
    expect(known.knows('/disks/root.img', 'read')).toBe(true)
    for (const other of ['/isos', '/isos/debian.iso/x', '/isos/other.iso', 'isos/debian.iso', '', '/etc/passwd']) expect(known.knows(other, 'read'), other).toBe(false)
    known.chosen('/disks/root.img', 'iso')
    expect(known.knows('/disks/root.img', 'write')).toBe(true)
  })

  it('in settings: files of the VM and known ones, nothing else', () => {
    const known = new KnownPaths()
    known.chosen('/isos/debian.iso', 'iso')
    known.chosen('/disks/root.img', 'disk')
    expect(allowed(known, { hardware: { disks: [{ file: 'disk.img' }, { file: 'sub/disk.img' }, { file: '/disks/root.img' }] } })).toBe(true)
    expect(allowed(known, { hardware: { cdroms: [{ file: '/isos/debian.iso', connected: true }] } })).toBe(true)
    expect(allowed(known, { hardware: { disks: [{ file: '/isos/debian.iso', readOnly: true }] } })).toBe(true)
    for (const hardware of [
      { disks: [{ file: '/isos/debian.iso' }] },
      { disks: [{ file: '/etc/passwd', readOnly: true }] },
      { disks: [{ file: '../Other.vitrine/disk.img' }] },
      { disks: [{ file: 'sub/../../Other.vitrine/disk.img' }] },
      { disks: [{ file: '.' }] },
      { disks: [{ file: 'vm.json' }] },
      { disks: [{ file: './vm.json' }] },
      { disks: [{ file: 'vitrine.lock/run/1' }] },
      { serialPorts: [{ kind: 'file', file: '/isos/debian.iso' }] },
      { serialPorts: [{ kind: 'file', file: '/home/user/.bashrc' }] },
      { cdroms: [{ file: '/etc/shadow' }] },
      { firmware: { kind: 'file', file: '/etc/shadow' } },
      { firmware: { kind: 'file', file: '/isos/debian.iso', vgaBios: '/etc/shadow' } },
      { boot: { kernel: { file: '/boot/vmlinuz' } } },
      { boot: { kernel: { file: '/isos/debian.iso', initrd: '/etc/shadow' } } },
      { boot: { kernel: { file: '/isos/debian.iso', modules: [{ file: '/etc/shadow' }] } } },
      { somethingNew: [[{ deep: { file: '/etc/shadow' } }]] },
    ]) expect(allowed(known, { hardware }), JSON.stringify(hardware)).toBe(false)
  })

  it('in a VM that is still to be made: names of files and known paths', () => {
    const known = new KnownPaths()
    known.chosen('/isos/debian.iso', 'iso')
    expect(new KnownPaths().knows('/x', 'read')).toBe(false)
    known.checkPatch({ hardware: { disks: [{ file: 'disk.img' }], cdroms: [{ file: '/isos/debian.iso' }] } }, undefined)
    for (const file of ['sub/disk.img', '../disk.img', '/etc/passwd', 'vm.json', '.hidden', '', 'a\\b']) expect(() => known.checkPatch({ hardware: { disks: [{ file }] } }, undefined), file).toThrow()
  })

  it('in settings that name them already, for no more than now', () => {
    const known = new KnownPaths()
    const listed = namedPaths({ hardware: { disks: [{ file: '../Shared/base.img', readOnly: true }], cdroms: [{ file: '/isos/old.iso' }] } })
    expect(allowed(known, { hardware: { disks: [{ file: '../Shared/base.img', readOnly: true }] } }, FOLDER, listed)).toBe(true)
    expect(allowed(known, { hardware: { cdroms: [{ file: '/isos/old.iso' }] } }, FOLDER, listed)).toBe(true)
    expect(allowed(known, { hardware: { disks: [{ file: '../Shared/base.img' }] } }, FOLDER, listed)).toBe(false)
    expect(allowed(known, { hardware: { disks: [{ file: '/isos/old.iso' }] } }, FOLDER, listed)).toBe(false)
  })

  it('are found wherever vm.json names a file', () => {
    const config = vmJsonSchema.parse({
      version: 1, id: '0f8fad5b-d9cb-469f-a165-70867728950e', name: 'x',
      hardware: {
        disks: [{ file: 'a' }], cdroms: [{ file: 'b' }], firmware: { kind: 'file', file: 'c', vgaBios: 'd' },
        boot: { kernel: { file: 'e', initrd: 'f', modules: [{ file: 'g' }] } }, serialPorts: [{ kind: 'file', file: 'h' }],
      },
    })
    expect(namedPaths(config).map(({ path }) => path).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    const opened = namedFiles(config, '/').map(({ path }) => path.slice(1))
    for (const path of opened) expect(namedPaths(config).map((named) => named.path)).toContain(path)
    expect(JSON.stringify(machineConfig(config, '/x')).match(/\/x\/./g)?.length).toBe(opened.length)
  })

  it('nested without end are refused', () => {
    let deep: unknown = { file: '/etc/passwd' }
    for (let i = 0; i < 10_000; i++) deep = [deep]
    expect(allowed(new KnownPaths(), deep)).toBe(false)
  })
})
