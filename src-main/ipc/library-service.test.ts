import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { idsOf, makeFixture, WINDOW, type Fixture } from './services.fixture'

let f: Fixture
beforeEach(async () => {
  f = await makeFixture()
})
afterEach(() => f.close())

const create = async (name: string, more: object = {}) => {
  const made = await f.ask('library.create', { name, newDisks: [], ...more })
  if (!made.ok) throw new Error(made.problem.message)
  return made.value
}
const json = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await readFile(join(path, 'vm.json'), 'utf8')) as Record<string, unknown>

describe('the library behind the contract', () => {
  it('creates, lists and tells', async () => {
    const card = await create('One', { newDisks: [{ file: 'disk.img', bytes: 1 << 20 }], hardware: { memoryMiB: 128, cdroms: [{ connected: false }] }, description: 'Mine' })
    expect(card).toMatchObject({ name: 'One', power: { type: 'powered-off' }, problems: [], description: 'Mine', temporary: false, favourite: false, onClose: 'ask' })
    expect(card.devices).toMatchObject([{ kind: 'memory', mebibytes: 128 }, { kind: 'processors' }, { kind: 'disk', file: 'disk.img', bytes: 1 << 20 }, { kind: 'cdrom', connected: false }, { kind: 'serial-port', to: 'terminal' }, { kind: 'display' }])
    expect(await f.ask('library.contents')).toMatchObject({ machines: [{ id: card.id, name: 'One' }], folders: [], problems: [] })
    await f.until(() => f.told1('library.changed').length > 0 && f.told1('vm.changed').length > 0)
    expect(f.told1('library.changed').at(-1)).toMatchObject({ machines: [{ id: card.id }] })
    expect(idsOf(await f.ask('app.messages'))).toEqual(['created'])
  })

  it('says why a name cannot be', async () => {
    await create('One')
    expect(await f.ask('library.check-name', { name: 'Two' })).toBeUndefined()
    expect(await f.ask('library.check-name', { name: 'one' })).toMatchObject({ code: 'vm/exists', id: 'name-taken' })
    expect(await f.ask('library.check-name', { name: ' ' })).toMatchObject({ code: 'name/bad' })
    expect(await f.ask('library.create', { name: 'ONE', newDisks: [] })).toMatchObject({ ok: false, problem: { code: 'vm/exists' } })
  })

  it('makes the demo once', async () => {
    const first = await f.ask('library.create-demo')
    const second = await f.ask('library.create-demo')
    expect(first).toMatchObject({ ok: true, value: { name: 'Demo Guest' } })
    expect(second).toMatchObject({ ok: true, value: { id: first.ok ? first.value.id : '' } })
  })

  it('keeps folders, favourites and order', async () => {
    const one = await create('One')
    const two = await create('Two')
    const folder = await f.ask('library.create-folder', { name: 'Work' })
    if (!folder.ok) throw new Error(folder.problem.message)
    await f.ask('library.place', { vm: two.id, folder: folder.value })
    await f.ask('library.set-favourite', { vm: one.id, favourite: true })
    expect(await f.ask('library.rename-folder', { folder: folder.value, name: 'Home' })).toMatchObject({ ok: true })
    expect(await f.ask('library.contents')).toMatchObject({ folders: [{ name: 'Home' }], machines: [{ name: 'One', favourite: true }, { name: 'Two', folder: folder.value }] })
    expect(await f.ask('library.place-folder', { folder: folder.value, parent: folder.value })).toMatchObject({ ok: false })
    expect(await f.ask('library.remove-folder', { folder: folder.value })).toMatchObject({ ok: true })
    expect(await f.ask('library.rename', { vm: one.id, name: 'Eins' })).toMatchObject({ ok: true, value: { name: 'Eins' } })
  })

  it('removes from the list, and deletes from the disk', async () => {
    const one = await create('One')
    const two = await create('Two')
    expect(await f.ask('library.remove', { vm: one.id })).toEqual({ ok: true, value: undefined })
    expect(await json(one.path)).toMatchObject({ name: 'One' })
    expect(await f.ask('library.delete', { vm: two.id })).toEqual({ ok: true, value: undefined })
    await expect(json(two.path)).rejects.toThrow()
    expect((await f.ask('library.contents')).machines).toEqual([])
  })

  it('does neither while the VM is on', async () => {
    const { id } = await create('One')
    await f.ask('vm.power', { vm: id, action: 'power-on' })
    for (const name of ['library.remove', 'library.delete'] as const) expect(await f.askRaw(name, { vm: id })).toMatchObject({ ok: false, error: { code: 'vm/bad-state' } })
  })

  it('answers with not-found for VMs that are none', async () => {
    for (const name of ['library.remove', 'library.delete', 'library.thumbnail', 'library.show-folder', 'library.discard-suspended', 'vm.settings', 'vm.log', 'console.open'] as const) {
      expect(await f.askRaw(name, { vm: '../../etc' }), name).toMatchObject({ ok: false, error: { code: 'vm/not-found' } })
    }
    expect(f.desktop.asked.filter(([what]) => what === 'showFolder')).toEqual([])
  })

  it('shows folders of its VMs', async () => {
    const { id, path } = await create('One')
    await f.ask('library.show-folder', { vm: id })
    expect(f.desktop.asked.at(-1)).toEqual(['showFolder', path])
  })

  it('tells what others change', async () => {
    const { path } = await create('One')
    await f.until(() => f.told1('vm.changed').length > 0)
    f.told.length = 0
    await writeFile(join(path, 'vm.json'), JSON.stringify({ ...(await json(path)), description: 'By hand' }))
    await f.until(() => f.told1('vm.changed').some(({ description }) => description === 'By hand'))
  })

  it('lists a VM whose file is broken, with the reason', async () => {
    const { id, path } = await create('One')
    await writeFile(join(path, 'vm.json'), '{')
    expect((await f.ask('library.contents')).machines).toMatchObject([{ id, name: 'One', problems: [{ code: 'vm-json/broken', id: 'vm-json-garbled' }], devices: [] }])
    expect(await f.ask('vm.settings', { vm: id })).toMatchObject({ ok: false, problem: { code: 'vm-json/broken' } })
    expect(await f.ask('vm.power', { vm: id, action: 'power-on' })).toMatchObject({ ok: false, problem: { code: 'vm-json/broken' } })
  })
})

describe('paths that nobody has chosen', () => {
  const forbidden = { ok: false, error: { code: 'ipc/forbidden' } }

  it('are refused wherever a request has one', async () => {
    const { id } = await create('One', { hardware: { cdroms: [{ connected: false }] } })
    const secret = join(f.folder, 'secret')
    await writeFile(secret, 'x')
    for (const [name, payload] of [
      ['files.describe', { path: secret }],
      ['files.describe', { path: '/etc/passwd' }],
      ['library.open', { path: secret }],
      ['library.scan', { folder: f.folder }],
      ['library.check-name', { name: 'x', location: secret }],
      ['library.create', { name: 'x', newDisks: [], location: f.folder }],
      ['library.create', { name: 'x', newDisks: [], hardware: { disks: [{ file: secret }] } }],
      ['library.create', { name: 'x', newDisks: [], hardware: { boot: { kernel: { file: secret } } } }],
      ['library.create', { name: 'x', newDisks: [], hardware: { serialPorts: [{ kind: 'file', file: secret }] } }],
      ['library.create', { name: 'x', newDisks: [], options: { file: secret } }],
      ['vm.change-settings', { vm: id, patch: { hardware: { firmware: { kind: 'file', file: secret } } } }],
      ['vm.change-settings', { vm: id, patch: { hardware: { disks: [{ file: '../../secret' }] } } }],
      ['vm.check-settings', { vm: id, patch: { hardware: { disks: [{ file: secret }] } } }],
      ['vm.set-cdrom', { vm: id, index: 0, file: secret, connected: true }],
      ['serial.log', { vm: id, port: 0, path: secret }],
      ['app.set-preferences', { patch: { location: f.folder } }],
    ] as const) expect(await f.askRaw(name, payload), `${name} ${JSON.stringify(payload)}`).toMatchObject(forbidden)
    expect((await f.ask('library.contents')).machines).toHaveLength(1)
  })

  it('are let through when the user has chosen them, for that use', async () => {
    const iso = join(f.folder, 'some.iso')
    await writeFile(iso, Buffer.alloc(1 << 20))
    f.desktop.chosen = iso
    expect(await f.ask('files.choose', { purpose: 'iso', suggested: '/etc/passwd' })).toBe(iso)
    expect(f.desktop.asked.at(-1)).toEqual(['choose', WINDOW, 'iso', 'passwd'])
    expect(await f.ask('files.describe', { path: iso })).toMatchObject({ ok: true, value: { path: iso, bytes: 1 << 20 } })
    const { id } = await create('One', { hardware: { cdroms: [{ file: iso }] } })
    expect(await f.askRaw('vm.change-settings', { vm: id, patch: { hardware: { disks: [{ file: iso }] } } })).toMatchObject(forbidden)
    expect(await f.askRaw('serial.log', { vm: id, port: 0, path: iso })).toMatchObject(forbidden)
    f.desktop.chosen = undefined
    expect(await f.ask('files.choose', { purpose: 'disk' })).toBeUndefined()
  })

  it('are known when they were dropped, or found by a scan that was allowed', async () => {
    const { path, id } = await create('One')
    await f.ask('library.remove', { vm: id })
    f.services.dropped(WINDOW, [join(f.folder, 'VMs')])
    expect(f.told1('files.dropped')).toEqual([{ paths: [join(f.folder, 'VMs')] }])
    expect(await f.ask('library.scan', { folder: join(f.folder, 'VMs') })).toEqual([path])
    expect(await f.ask('library.open', { path })).toMatchObject({ ok: true, value: { id } })
    expect(await f.ask('library.open', { path })).toMatchObject({ ok: true, value: { id } })
  })

  it('are not made known by links and names in a VM', async () => {
    await mkdir(join(f.folder, 'elsewhere'))
    const { id, path } = await create('One')
    await symlink(join(f.folder, 'elsewhere'), join(path, 'link'))
    // A path through a link is still a path of the VM's folder: what it leads to is the user's own doing.
    expect(await f.askRaw('vm.change-settings', { vm: id, patch: { hardware: { disks: [{ file: join(path, '..', 'x.img') }] } } })).toMatchObject(forbidden)
    expect(await f.askRaw('vm.change-settings', { vm: id, patch: { hardware: { disks: [{ file: `${path}2/x.img` }] } } })).toMatchObject(forbidden)
  })
})

describe('temporary VMs', () => {
  it('are listed, can be set and started, and have no place in the library', async () => {
    const made = await f.services.library.createTemporary('debian.iso', { memoryMiB: 64 })
    const again = await f.services.library.createTemporary('debian.iso', { memoryMiB: 64 })
    if (!made.ok || !again.ok) throw new Error('not made')
    const { id } = made.value
    expect((await f.ask('library.contents')).machines).toMatchObject([{ id, name: 'debian.iso', temporary: true, onClose: 'power-off' }, { name: 'debian.iso 2', temporary: true }])
    expect(await f.ask('vm.change-settings', { vm: id, patch: { hardware: { memoryMiB: 65 } } })).toMatchObject({ ok: true })
    expect(await f.ask('vm.power', { vm: id, action: 'power-on' })).toMatchObject({ ok: true })
    for (const [name, payload] of [['library.place', { vm: id }], ['library.set-favourite', { vm: id, favourite: true }]] as const) expect(await f.askRaw(name, payload)).toMatchObject({ ok: false, error: { code: 'vm/bad-state' } })
    f.vm(id).act('power-off')
    expect(await f.ask('library.remove', { vm: id })).toMatchObject({ ok: true })
    expect((await f.ask('library.contents')).machines).toMatchObject([{ name: 'debian.iso 2' }])
    expect((await f.library.contents()).machines).toEqual([])
  })
})
