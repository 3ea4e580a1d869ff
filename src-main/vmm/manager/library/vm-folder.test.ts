import { spawn, type ChildProcess } from 'node:child_process'
import { build } from 'esbuild'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InventoryFile, parseInventory } from './inventory'
import type { Result } from './problem'
import { discardSuspended, readSuspended, suspendedProblem, writeSuspended } from './suspended'
import { readThumbnail, writeThumbnail } from './thumbnail'
import { deleteVm } from './vm-delete'
import { folderName, VmFolder, type NewDisk } from './vm-folder'
import { VmLog } from './vm-log'
import { VmSession } from './vm-session'
import type { VmJson } from './vm-json/types'

const root = mkdtempSync(join(tmpdir(), 'vitrine-folder-'))
const writer = join(root, 'writer.mjs')
let count = 0
const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'

beforeAll(async () => {
  await build({ entryPoints: [join(import.meta.dirname, 'test-writer.fixture.ts')], outfile: writer, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}

const newParent = (): string => {
  const parent = join(root, `parent-${++count}`)
  mkdirSync(parent)
  return parent
}

async function newVm(hardware: object = {}, disks: readonly NewDisk[] = [], parent: string = newParent()): Promise<VmFolder> {
  return value(await VmFolder.create(parent, { version: 1, id: ID, name: 'Test', hardware: hardware as Record<string, never> }, disks))
}

const config = async (vm: VmFolder): Promise<VmJson> => value(await vm.read()).config
const ready = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.stdout?.once('data', () => resolve()))
const over = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('close', resolve))

describe('a VM folder', () => {
  it('is made whole, with its disks, and never over another', async () => {
    const parent = newParent()
    mkdirSync(join(parent, 'Test.vitrine'))
    const vm = await newVm({ disks: [{ file: 'disk.img' }] }, [{ file: 'disk.img', bytes: 1 << 20 }], parent)
    expect(basename(vm.path)).toBe('Test 2.vitrine')
    expect(statSync(vm.file('disk.img')).size).toBe(1 << 20)
    expect(readdirSync(join(parent, 'Test.vitrine'))).toEqual([])
    expect(readdirSync(parent).sort()).toEqual(['Test 2.vitrine', 'Test.vitrine'])
    expect(await vm.fileProblems(await config(vm))).toEqual([])
  })

  it('leaves nothing behind when it cannot be made', async () => {
    const parent = newParent()
    for (const file of ['../x.img', 'vm.json', '.x', 'vitrine.lock', '']) expect(await VmFolder.create(parent, { version: 1, id: ID, name: 'Test' }, [{ file, bytes: 512 }])).toMatchObject({ ok: false })
    for (const bytes of [0, 511, -512, 2 ** 50, NaN]) expect(await VmFolder.create(parent, { version: 1, id: ID, name: 'Test' }, [{ file: 'd', bytes }])).toMatchObject({ ok: false })
    expect(await VmFolder.create(parent, { version: 1, id: 'x', name: 'Test' })).toMatchObject({ ok: false, problem: { code: 'vm-json/broken', key: 'id' } })
    expect(readdirSync(parent)).toEqual([])
  })

  it('has a name that every file system takes', () => {
    expect(folderName('a/b\\c:d*e')).toBe('a-b-c-d-e.vitrine')
    expect(folderName('../..')).toBe('--...vitrine')
    expect(folderName('.hidden')).toBe('-hidden.vitrine')
    expect(folderName('CON')).toBe('CON-.vitrine')
    expect(Buffer.byteLength(folderName('中'.repeat(80)))).toBeLessThan(220)
  })

  it('keeps what a hand wrote into vm.json, and its permissions', async () => {
    const vm = await newVm()
    writeFileSync(vm.vmJson, JSON.stringify({ note: 'mine', version: 1, id: ID, name: 'Test', hardware: { disks: [{ file: 'a', why: 'b' }], x: 1 } }))
    chmodSync(vm.vmJson, 0o640)
    value(await vm.change({ name: 'Other', hardware: { memoryMiB: 8 } }, 'test'))
    expect(JSON.parse(readFileSync(vm.vmJson, 'utf8'))).toEqual({ note: 'mine', version: 1, id: ID, name: 'Other', hardware: { disks: [{ file: 'a', why: 'b' }], x: 1, memoryMiB: 8 } })
    expect(statSync(vm.vmJson).mode & 0o777).toBe(0o640)
  })

  it('does not write what would be wrong', async () => {
    const vm = await newVm()
    const before = readFileSync(vm.vmJson, 'utf8')
    expect(await vm.change({ hardware: { memoryMiB: 0 } }, 'test')).toMatchObject({ ok: false, problem: { key: 'hardware.memoryMiB' } })
    expect(readFileSync(vm.vmJson, 'utf8')).toBe(before)
  })

  it('says what is missing, and what to do', async () => {
    const vm = await newVm({ disks: [{ file: 'gone.img' }], cdroms: [{ file: '/nowhere/cd.iso' }, { file: '/nowhere/other.iso', connected: false }] })
    mkdirSync(vm.file('folder'))
    const problems = await vm.fileProblems(await config(vm))
    expect(problems.map(({ code, key, message }) => [code, key, message])).toEqual([
      ['file/missing', 'hardware.disks[0].file', `the disk ${vm.file('gone.img')} is not there`],
      ['file/missing', 'hardware.cdroms[0].file', 'the CD image /nowhere/cd.iso is not there'],
    ])
    rmSync(vm.vmJson)
    expect(await vm.read()).toMatchObject({ ok: false, problem: { code: 'vm-json/missing' } })
    rmSync(vm.path, { recursive: true })
    expect(await vm.read()).toMatchObject({ ok: false, problem: { code: 'folder/missing' } })
  })

  it('is not fooled by a pipe or a folder in the place of vm.json', async () => {
    const vm = await newVm()
    rmSync(vm.vmJson)
    mkdirSync(vm.vmJson)
    expect(await vm.read()).toMatchObject({ ok: false, problem: { code: 'file/unreadable' } })
    rmSync(vm.vmJson, { recursive: true })
    symlinkSync('/dev/zero', vm.vmJson)
    expect(await vm.read()).toMatchObject({ ok: false, problem: { code: 'file/unreadable' } })
  })

  it('always has a whole vm.json, also when writers are killed', async () => {
    const vm = await newVm()
    for (let round = 0; round < 5; round++) {
      const children = ['a', 'b'].map((label) => spawn(process.execPath, [writer, 'vm', vm.path, label], { stdio: ['ignore', 'pipe', 'inherit'] }))
      await Promise.all(children.map(ready))
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 37))
      for (const child of children) {
        child.kill('SIGKILL')
        await over(child)
      }
      expect((await config(vm)).description).toMatch(/^(a*|b*)$/)
    }
    value(await vm.change({ description: 'c' }, 'test'))
    const lock = value(await vm.lock('test'))
    await lock.release()
    expect(readdirSync(vm.path).sort()).toEqual(['vitrine.lock', 'vm.json'])
  })
})

describe('deleting a VM', () => {
  it('takes what is its own and nothing else', async () => {
    const outside = join(root, 'outside')
    mkdirSync(outside)
    for (const name of ['far.img', 'linked.img']) writeFileSync(join(outside, name), 'x')
    const vm = await newVm({ disks: [{ file: 'disk.img' }, { file: join(outside, 'far.img') }, { file: 'link.img' }, { file: 'way/linked.img' }], cdroms: [{ file: 'cd.iso' }], serialPorts: [{ kind: 'file', file: 'serial.txt' }] })
    for (const name of ['disk.img', 'cd.iso', 'serial.txt', 'vitrine.log', 'vitrine.log.1', 'suspended.state', 'letters.txt']) writeFileSync(vm.file(name), 'x')
    symlinkSync(join(outside, 'linked.img'), vm.file('link.img'))
    symlinkSync(outside, vm.file('way'))
    const { kept } = value(await deleteVm(vm, await config(vm), new Set()))
    expect(readdirSync(vm.path).sort()).toEqual(['cd.iso', 'letters.txt', 'way'])
    expect(readdirSync(outside).sort()).toEqual(['far.img', 'linked.img'])
    expect([...kept].sort()).toEqual([join(outside, 'far.img'), vm.file('cd.iso'), vm.file('letters.txt'), vm.file('way'), vm.file('way/linked.img')].sort())
  })

  it('leaves disks that another VM uses, and everything but its own names when vm.json is broken', async () => {
    const vm = await newVm({ disks: [{ file: 'disk.img' }] }, [{ file: 'disk.img', bytes: 512 }])
    value(await deleteVm(vm, await config(vm), new Set([vm.file('disk.img')])))
    expect(readdirSync(vm.path)).toEqual(['disk.img'])
    const broken = await newVm({ disks: [{ file: 'disk.img' }] }, [{ file: 'disk.img', bytes: 512 }])
    value(await deleteVm(broken, undefined, new Set()))
    expect(readdirSync(broken.path)).toEqual(['disk.img'])
    const whole = await newVm({ disks: [{ file: 'disk.img' }] }, [{ file: 'disk.img', bytes: 512 }])
    value(await deleteVm(whole, await config(whole), new Set()))
    expect(existsSync(whole.path)).toBe(false)
  })
})

describe('a suspended VM', () => {
  const save = async (path: string): Promise<void> => writeFileSync(path, 'state')
  const vmWithDisk = (): Promise<VmFolder> => newVm({ disks: [{ file: 'disk.img' }] }, [{ file: 'disk.img', bytes: 512 }])

  it('is one from the moment that all of it is written to the moment that it is used', async () => {
    const vm = await vmWithDisk()
    expect(await readSuspended(vm)).toEqual({ ok: true, value: undefined })
    value(await writeSuspended(vm, await config(vm), save))
    const suspended = value(await readSuspended(vm))
    expect(suspended?.state).toBe(vm.file('suspended.state'))
    expect(suspended && (await suspendedProblem(vm, suspended, await config(vm)))).toBeUndefined()
    value(await writeSuspended(vm, await config(vm), save))
    expect(readdirSync(vm.path).filter((name) => name.startsWith('suspended'))).toHaveLength(2)
    value(await discardSuspended(vm))
    expect(readdirSync(vm.path).sort()).toEqual(['disk.img', 'vm.json'])
  })

  it('is not resumed on other hardware or another disk', async () => {
    const vm = await vmWithDisk()
    value(await writeSuspended(vm, await config(vm), save))
    const suspended = value(await readSuspended(vm))
    if (!suspended) throw new Error('not suspended')
    const now = await config(vm)
    expect(await suspendedProblem(vm, suspended, { ...now, hardware: { ...now.hardware, memoryMiB: 8 } })).toMatchObject({ code: 'state/does-not-fit', key: 'hardware.memoryMiB' })
    utimesSync(vm.file('disk.img'), 1, 1)
    expect(await suspendedProblem(vm, suspended, now)).toMatchObject({ message: expect.stringContaining('written to') as string })
    truncateSync(vm.file('disk.img'), 1024)
    expect(await suspendedProblem(vm, suspended, now)).toMatchObject({ code: 'state/does-not-fit' })
  })

  it('keeps the earlier state when the new one cannot be written', async () => {
    const vm = await vmWithDisk()
    value(await writeSuspended(vm, await config(vm), save))
    expect(await writeSuspended(vm, await config(vm), () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })))).toMatchObject({ ok: false, problem: { code: 'file/disk-full' } })
    expect(value(await readSuspended(vm))?.state).toBe(vm.file('suspended.state'))
  })

  it('whose files make no sense says so', async () => {
    const vm = await vmWithDisk()
    for (const text of ['', '{}', '{"version":1,"at":"","state":"../../etc/passwd","hardware":{},"disks":[]}', '{"version":1,"at":"","state":"suspended.state","hardware":{},"disks":[]}']) {
      writeFileSync(vm.file('suspended.json'), text)
      expect(await readSuspended(vm)).toMatchObject({ ok: false, problem: { code: 'state/does-not-fit' } })
    }
  })
})

describe('a session', () => {
  it('has the VM locked from power-on to its end', async () => {
    const vm = await newVm()
    const session = value(await VmSession.begin(vm, 'first'))
    expect(await VmSession.begin(vm, 'second')).toMatchObject({ ok: false, problem: { code: 'vm/locked', message: expect.stringContaining('first') as string } })
    await session.end('test')
    const log = readFileSync(vm.file('vitrine.log'), 'utf8')
    expect(log).toMatch(/^\S+Z info {4}first: powers on\n\S+Z info {4}ended: test\n$/)
    await value(await VmSession.begin(vm, 'second')).end('test')
  })

  it('does not begin, and locks nothing, when something is missing', async () => {
    const vm = await newVm({ disks: [{ file: 'gone' }] })
    expect(await VmSession.begin(vm, 'test')).toMatchObject({ ok: false, problem: { code: 'file/missing' } })
    expect(await VmSession.begin(await newVm({ memoryMiB: 3000 }), 'test', undefined, 2 ** 30)).toMatchObject({ ok: false, problem: { key: 'hardware.memoryMiB' } })
    expect(await vm.holder()).toBeUndefined()
  })
})

describe('the log', () => {
  it('is bounded, whatever a guest causes', async () => {
    const vm = await newVm()
    const log = new VmLog(vm, 'info', 2000)
    for (let i = 0; i < 5000; i++) log.write('info', `line ${i} \x1b[31m\r\nsecond`)
    log.write('debug', 'not this')
    await log.flush()
    for (let i = 0; i < 300; i++) {
      log.write('warning', `later ${i}`)
      if (i % 20 === 0) await log.flush()
    }
    await log.flush()
    const names = readdirSync(vm.path).filter((name) => name.startsWith('vitrine.log')).sort()
    expect(names).toEqual(['vitrine.log', 'vitrine.log.1', 'vitrine.log.2'])
    const latest = readFileSync(vm.file('vitrine.log'), 'utf8')
    expect(latest).toContain('later 299')
    expect(latest).not.toMatch(/not this/)
    const all = names.map((name) => readFileSync(vm.file(name), 'utf8')).join('')
    expect(all).not.toContain('\x1b')
  })

  it('that cannot be written disturbs nobody', async () => {
    const log = new VmLog(new VmFolder(join(root, 'nowhere')), 'info')
    log.write('error', 'x')
    await log.flush()
  })
})

describe('a folder that has gone', () => {
  it('is not made again by a change or a lock', async () => {
    const vm = new VmFolder(join(root, 'gone.vitrine'))
    expect(await vm.change({ name: 'x' }, 'test')).toMatchObject({ ok: false, problem: { code: 'file/missing' } })
    expect(await vm.lock('test')).toMatchObject({ ok: false, problem: { code: 'file/missing' } })
    expect(existsSync(vm.path)).toBe(false)
  })
})

describe('the thumbnail', () => {
  it('on a full disk is a problem with a remedy', async () => {
    const vm = await newVm()
    symlinkSync('/dev/full', vm.file('thumbnail.png'))
    expect(await writeThumbnail(vm, Uint8Array.of(1))).toMatchObject({ ok: false, problem: { code: 'file/disk-full', remedy: expect.stringContaining('make room') as string } })
  })

  it('is a picture or nothing', async () => {
    const vm = await newVm()
    expect(await readThumbnail(vm)).toBeUndefined()
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1)
    value(await writeThumbnail(vm, png))
    expect(await readThumbnail(vm)).toEqual(Buffer.from(png))
    writeFileSync(vm.file('thumbnail.png'), '<svg>')
    expect(await readThumbnail(vm)).toBeUndefined()
  })
})

describe('the inventory', () => {
  it('keeps changes of several processes', async () => {
    const path = join(newParent(), 'config', 'inventory.json')
    const children = ['a', 'b', 'c'].map((label) => spawn(process.execPath, [writer, 'inventory', path, label, '15'], { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(await Promise.all(children.map(over))).toEqual([0, 0, 0])
    const { machines } = value(await new InventoryFile(path, 'test').read())
    expect(machines).toHaveLength(45)
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
  })

  it('survives writers that are killed', async () => {
    const path = join(newParent(), 'inventory.json')
    let least = 0
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [writer, 'inventory', path, `r${round}-`], { stdio: ['ignore', 'pipe', 'inherit'] })
      await ready(child)
      await new Promise((resolve) => setTimeout(resolve, 80 + round * 31))
      child.kill('SIGKILL')
      await over(child)
      const { machines } = value(await new InventoryFile(path, 'test').read())
      expect(machines.length).toBeGreaterThanOrEqual(least)
      least = machines.length
    }
    expect(least).toBeGreaterThan(0)
  })

  it('keeps what it does not understand, and the good of what is partly bad', async () => {
    const path = join(newParent(), 'inventory.json')
    const document = {
      version: 1, theme: 'dark', machines: [{ id: 'a', path: '/a', colour: 'red' }, { id: 'b', path: 'relative' }, 'text', { id: 'a', path: '/second' }, { id: 'c', path: '/c', folder: 'none' }],
      folders: [{ id: 'x', name: 'X', parent: 'y' }, { id: 'y', name: 'Y', parent: 'x' }, 5], recent: ['a', 7, 'a'],
    }
    writeFileSync(path, JSON.stringify(document))
    const file = new InventoryFile(path, 'test')
    const read = value(await file.read())
    expect(read.machines.map(({ id, folder }) => [id, folder])).toEqual([['a', undefined], ['c', undefined]])
    expect(read.folders.filter(({ parent }) => parent === undefined)).not.toEqual([])
    expect(read.recent).toEqual(['a'])
    value(await file.update((now) => ({ ok: true, value: { ...now, location: '/vms' } })))
    const written = JSON.parse(readFileSync(path, 'utf8')) as typeof document
    expect(written).toMatchObject({ version: 1, theme: 'dark', location: '/vms' })
    expect(written.machines).toEqual(expect.arrayContaining([{ id: 'a', path: '/a', name: '', colour: 'red' }, { id: 'b', path: 'relative' }, 'text', { id: 'a', path: '/second' }]))
    expect(written.folders).toContain(5)
  })

  it('that is broken is put aside before a new one is begun; a newer one is left alone', async () => {
    const path = join(newParent(), 'inventory.json')
    const file = new InventoryFile(path, 'test')
    writeFileSync(path, '{"version": 1, "machines": [')
    expect(await file.read()).toMatchObject({ ok: false, problem: { code: 'inventory/broken' } })
    value(await file.update((now) => ({ ok: true, value: { ...now, location: '/vms' } })))
    expect(readFileSync(`${path}.broken-1`, 'utf8')).toBe('{"version": 1, "machines": [')
    writeFileSync(path, '{"version": 2}')
    expect(await file.update((now) => ({ ok: true, value: now }))).toMatchObject({ ok: false, problem: { code: 'inventory/newer' } })
    expect(readFileSync(path, 'utf8')).toBe('{"version": 2}')
  })

  it('answers whatever is in it', () => {
    for (const text of ['', 'null', '[]', '{}', '{"version":1,"machines":{}}', '{"version":1,"machines":[null,{"__proto__":1}],"folders":[[]],"recent":{}}', '{"version":-1}']) {
      expect(typeof parseInventory(Buffer.from(text), 'x').ok).toBe('boolean')
    }
  })
})
