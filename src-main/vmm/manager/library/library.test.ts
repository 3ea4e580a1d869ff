import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Library, type NewVm } from './library'
import type { LibraryEvent } from './library-watch'
import type { LibraryVm } from './describe-vm'
import { libraryPaths, type LibraryPaths } from './paths'
import type { Result } from './problem'

const root = mkdtempSync(join(tmpdir(), 'vitrine-library-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let count = 0
const newPaths = (): LibraryPaths => {
  const base = join(root, String(++count))
  mkdirSync(base)
  return { inventory: join(base, 'config', 'inventory.json'), location: join(base, 'Virtual Machines') }
}
const open = (paths: LibraryPaths, program = 'test'): Library => new Library({ program, paths })

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}

const withDisk = (name: string): NewVm => ({ name, newDisks: [{ file: 'disk.img', bytes: 4096 }] })
const codes = (vm: LibraryVm | undefined): readonly string[] => (vm?.problems ?? []).map(({ code }) => code)

describe('the library', () => {
  it('starts empty, and finds what was made by another process of the same user', async () => {
    const paths = newPaths()
    expect(await open(paths).contents()).toEqual({ machines: [], folders: [], recent: [], location: paths.location, problems: [] })
    const made = value(await open(paths).create({ ...withDisk('Debian 12'), settings: { guest: { family: 'linux', system: 'Debian 12' }, hardware: { memoryMiB: 512 } } }))
    expect(made).toMatchObject({ name: 'Debian 12', state: 'powered-off', problems: [], path: join(paths.location, 'Debian 12.vitrine'), config: { hardware: { memoryMiB: 512, disks: [{ file: 'disk.img', readOnly: false }] } } })
    for (const wanted of ['Debian 12', 'debian 12', made.id, made.path, join(made.path, 'vm.json')]) expect(value(await open(paths).find(wanted)).id).toBe(made.id)
    expect(await open(paths).find('Debian')).toMatchObject({ ok: false, problem: { code: 'name/not-found' } })
  })

  it('refuses names that are taken or none', async () => {
    const library = open(newPaths())
    value(await library.create(withDisk('A')))
    expect(await library.create(withDisk('a'))).toMatchObject({ ok: false, problem: { code: 'vm/exists' } })
    for (const name of ['', ' A', 'a\nb', 'x'.repeat(81), '\ud800']) expect(await library.create(withDisk(name))).toMatchObject({ ok: false, problem: { code: 'name/bad' } })
    expect(await library.create({ name: 'B', settings: { hardware: { memoryMiB: -1 } } })).toMatchObject({ ok: false, problem: { key: 'hardware.memoryMiB' } })
    expect((await library.contents()).machines).toHaveLength(1)
  })

  it('lists what is broken with the reason, and the others as they are', async () => {
    const paths = newPaths()
    const library = open(paths)
    const [fine, broken, diskless, gone] = [value(await library.create(withDisk('Fine'))), value(await library.create(withDisk('Broken'))), value(await library.create(withDisk('Diskless'))), value(await library.create(withDisk('Gone')))]
    writeFileSync(join(broken.path, 'vm.json'), '{ "version": 1,')
    rmSync(join(diskless.path, 'disk.img'))
    rmSync(gone.path, { recursive: true })
    const { machines } = await library.contents()
    expect(machines.map((vm) => [vm.name, codes(vm)])).toEqual([['Fine', []], ['Broken', ['vm-json/broken']], ['Diskless', ['file/missing']], ['Gone', ['folder/missing']]])
    expect(machines.every(({ problems }) => problems.every(({ remedy }) => remedy !== ''))).toBe(true)
    expect(await library.begin(diskless.path)).toMatchObject({ ok: false, problem: { code: 'file/missing' } })
    await value(await library.begin(fine.path)).end('test')
  })

  it('shows the VMs that it finds when the list is broken, and does not lose the list', async () => {
    const paths = newPaths()
    const library = open(paths)
    const vm = value(await library.create(withDisk('A')))
    writeFileSync(paths.inventory, 'not json')
    const contents = await library.contents()
    expect(contents.machines.map(({ id }) => id)).toEqual([vm.id])
    expect(contents.problems).toMatchObject([{ code: 'inventory/broken' }])
    value(await library.add(vm.path))
    expect(readFileSync(`${paths.inventory}.broken-1`, 'utf8')).toBe('not json')
    expect((await library.contents()).problems).toEqual([])
  })

  it('renames a VM with its folder, and only the name while it runs', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    value(await library.change(vm.id, { hardware: { disks: [{ file: join(vm.path, 'disk.img') }] } }))
    const renamed = value(await library.rename(vm.id, 'B'))
    expect(renamed).toMatchObject({ id: vm.id, name: 'B', problems: [], config: { hardware: { disks: [{ file: 'disk.img' }] } } })
    expect(basename(renamed.path)).toBe('B.vitrine')
    const session = value(await library.begin(renamed.path))
    expect(value(await library.rename(vm.id, 'C'))).toMatchObject({ name: 'C', path: renamed.path, state: 'in-use' })
    await session.end('test')
  })

  it('finds a folder again that was renamed beside its old place', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    renameSync(vm.path, join(vm.path, '..', 'Other.vitrine'))
    expect((await library.contents()).machines).toMatchObject([{ id: vm.id, path: join(vm.path, '..', 'Other.vitrine'), problems: [] }])
  })

  it('asks whether a VM was copied or moved', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    const copy = join(vm.path, '..', 'Copy.vitrine')
    cpSync(vm.path, copy, { recursive: true })
    expect(await library.add(copy)).toMatchObject({ ok: false, problem: { code: 'vm/copied' } })
    const copied = value(await library.add(copy, 'copied'))
    expect(copied.id).not.toBe(vm.id)
    expect((await library.contents()).machines.map(({ path, problems }) => [path, problems])).toEqual([[vm.path, []], [copy, []]])
    expect(await library.find('A')).toMatchObject({ ok: false, problem: { code: 'name/ambiguous' } })
  })

  it('deletes from disk, but not what runs', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    const session = value(await library.begin(vm.path))
    expect(await library.deleteFromDisk(vm.id)).toMatchObject({ ok: false, problem: { code: 'vm/locked' } })
    await session.end('test')
    expect(value(await library.deleteFromDisk(vm.id)).kept).toEqual([])
    expect(existsSync(vm.path)).toBe(false)
    expect((await library.contents()).machines).toEqual([])
  })

  it('keeps hardware while a VM is suspended, until its state is given up', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    const session = value(await library.begin(vm.path))
    value(await session.suspend(async (path) => writeFileSync(path, 'state')))
    await session.end('suspended')
    expect(value(await library.get(vm.id))).toMatchObject({ state: 'suspended', suspendedAt: expect.any(String) as string })
    expect(await library.change(vm.id, { hardware: { memoryMiB: 8 } })).toMatchObject({ ok: false, problem: { code: 'vm/suspended', key: 'hardware.memoryMiB' } })
    value(await library.change(vm.id, { description: 'still' }))
    expect(value(await library.discardSuspendedState(vm.id)).state).toBe('powered-off')
    value(await library.change(vm.id, { hardware: { memoryMiB: 8 } }))
    expect(await library.change(vm.id, { id: 'x' })).toMatchObject({ ok: false })
  })

  it('has folders, favourites, an order and recent ones', async () => {
    const library = open(newPaths())
    const [a, b, c] = [value(await library.create(withDisk('A'))), value(await library.create(withDisk('B'))), value(await library.create(withDisk('C')))]
    const outer = value(await library.createFolder('Outer'))
    const inner = value(await library.createFolder('Inner', outer))
    value(await library.place(c.id, inner))
    value(await library.place(b.id, undefined, a.id))
    value(await library.setFavourite(a.id, true))
    await value(await library.begin(b.path)).end('test')
    let contents = await library.contents()
    expect(contents.machines.map(({ name, folder, favourite }) => [name, folder, favourite])).toEqual([['B', undefined, false], ['A', undefined, true], ['C', inner, false]])
    expect(contents.recent).toEqual([b.id])
    expect(await library.placeFolder(outer, inner)).toMatchObject({ ok: false })
    expect(await library.place(a.id, 'none')).toMatchObject({ ok: false, problem: { code: 'name/not-found' } })
    value(await library.renameFolder(inner, 'In'))
    value(await library.removeFolder(inner))
    contents = await library.contents()
    expect(contents.machines.find(({ id }) => id === c.id)?.folder).toBe(outer)
    expect(contents.folders.map(({ name }) => name)).toEqual(['Outer'])
    value(await library.remove(b.id))
    expect((await library.contents()).recent).toEqual([])
    expect(existsSync(b.path)).toBe(true)
    expect(await library.unlisted(join(b.path, '..'))).toEqual([b.path])
  })

  it.skipIf(process.getuid?.() === 0)('says that a folder is read-only', async () => {
    const library = open(newPaths())
    const vm = value(await library.create(withDisk('A')))
    chmodSync(vm.path, 0o500)
    expect(codes(value(await library.get(vm.id)))).toEqual(['folder/read-only'])
    expect(await library.begin(vm.path)).toMatchObject({ ok: false, problem: { code: 'folder/read-only' } })
    chmodSync(vm.path, 0o700)
  })

  it('says that a disk is full', async () => {
    const library = open(newPaths())
    const vm = value(await library.create({ name: 'A', settings: { hardware: { serialPorts: [{ kind: 'none' }] } } }))
    const session = value(await library.begin(vm.path))
    expect(await session.suspend(() => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })))).toMatchObject({ ok: false, problem: { code: 'file/disk-full' } })
    await session.end('test')
    expect(readdirSync(vm.path).filter((name) => name.startsWith('suspended'))).toEqual([])
  })

  it('is where the XDG specification says', () => {
    expect(libraryPaths({ XDG_CONFIG_HOME: '/x' }, 'linux').inventory).toBe('/x/vitrine/inventory.json')
    expect(libraryPaths({ XDG_CONFIG_HOME: 'relative' }, 'linux').inventory).toMatch(/^\/.*\/\.config\/vitrine\/inventory\.json$/)
    expect(libraryPaths({}, 'linux').location).toMatch(/Virtual Machines$/)
  })
})

describe('a watch of the library', () => {
  const stops: (() => void)[] = []
  afterEach(() => {
    for (const stop of stops.splice(0)) stop()
  })

  async function watched(paths: LibraryPaths): Promise<{ library: Library; events: LibraryEvent[]; until: (wanted: (event: LibraryEvent) => boolean) => Promise<LibraryEvent> }> {
    const library = open(paths)
    const events: LibraryEvent[] = []
    let heard: (() => void) | undefined
    stops.push(await library.watch((event) => {
      events.push(event)
      heard?.()
    }))
    const until = async (wanted: (event: LibraryEvent) => boolean): Promise<LibraryEvent> => {
      for (;;) {
        const at = events.findIndex(wanted)
        const [found] = at < 0 ? [] : events.splice(at, 1)
        if (found) return found
        await new Promise<void>((resolve) => (heard = resolve))
      }
    }
    return { library, events, until }
  }

  const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 900))

  it('tells what others change, and not what we do', async () => {
    const paths = newPaths()
    const { library, events, until } = await watched(paths)
    const vm = value(await library.create(withDisk('A')))
    value(await library.change(vm.id, { description: 'ours' }))
    value(await library.setFavourite(vm.id, true))
    value(await library.rename(vm.id, 'B'))
    const session = value(await library.begin(join(vm.path, '..', 'B.vitrine')))
    session.log.write('info', 'something')
    writeFileSync(session.folder.file('disk.img'), 'guest')
    await session.end('test')
    await quiet()
    expect(events).toEqual([])

    const path = join(vm.path, '..', 'B.vitrine')
    const text = readFileSync(join(path, 'vm.json'), 'utf8')
    writeFileSync(join(path, 'vm.json'), text.replace('ours', 'theirs'))
    expect(await until(({ kind }) => kind === 'vm-changed')).toMatchObject({ vm: { id: vm.id, config: { description: 'theirs' } } })
    writeFileSync(join(path, 'vm.json'), '{')
    expect(await until(({ kind }) => kind === 'vm-changed')).toMatchObject({ vm: { id: vm.id, problems: [{ code: 'vm-json/broken' }] } })
    writeFileSync(join(path, 'vm.json'), text)
    await until((event) => event.kind === 'vm-changed' && event.vm.problems.length === 0)
    rmSync(join(path, 'disk.img'))
    expect(await until(({ kind }) => kind === 'vm-changed')).toMatchObject({ vm: { problems: [{ code: 'file/missing' }] } })
    const other = open(paths, 'other')
    value(await other.create(withDisk('C')))
    await until(({ kind }) => kind === 'list-changed')
    await quiet()
    rmSync(path, { recursive: true })
    await until((event) => event.kind === 'vm-changed' && codes(event.vm).includes('folder/missing'))
  })

  it('tells what another changes at the same moment as we', async () => {
    const paths = newPaths()
    const { library, until } = await watched(paths)
    const other = open(paths, 'other')
    await Promise.all([library.createFolder('ours'), other.createFolder('theirs')])
    await until(({ kind }) => kind === 'list-changed')
    expect((await library.contents()).folders).toHaveLength(2)
  })

  it('tells that another runs a VM, and that it ended', async () => {
    const paths = newPaths()
    const { library, until } = await watched(paths)
    const vm = value(await library.create(withDisk('A')))
    const session = value(await open(paths, 'other').begin(vm.path))
    expect(await until(({ kind }) => kind === 'vm-changed')).toMatchObject({ vm: { state: 'in-use', holder: { program: 'other' } } })
    await session.end('test')
    await until((event) => event.kind === 'vm-changed' && event.vm.state === 'powered-off')
  })
})
