import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { problem } from '../vmm'
import { idsOf, makeFixture, type FakeVm, type Fixture } from './services.fixture'
import type { VmCard } from './contract'

let f: Fixture
beforeEach(async () => {
  f = await makeFixture()
})
afterEach(async () => {
  vi.useRealTimers()
  await f.close()
})

const create = async (name: string, hardware: object = {}, options: object = {}): Promise<VmCard> => {
  const made = await f.ask('library.create', { name, newDisks: [{ file: 'disk.img', bytes: 1 << 20 }], hardware: { ...hardware }, options: { ...options } })
  if (!made.ok) throw new Error(made.problem.message)
  return made.value
}
const start = async (name = 'One', hardware: object = {}, options: object = {}): Promise<FakeVm> => {
  const { id } = await create(name, hardware, options)
  expect(await f.ask('vm.power', { vm: id, action: 'power-on' })).toEqual({ ok: true, value: undefined })
  return f.vm(id)
}
const power = async (id: string) => (await f.ask('library.contents')).machines.find((vm) => vm.id === id)?.power
const messages = async () => idsOf(await f.ask('app.messages'))

describe('power', () => {
  it('goes on, pauses, goes on and goes off, and every window is told', async () => {
    const vm = await start()
    expect(await power(vm.id)).toEqual({ type: 'running' })
    await f.ask('vm.power', { vm: vm.id, action: 'pause' })
    expect(await power(vm.id)).toEqual({ type: 'paused' })
    await f.ask('vm.power', { vm: vm.id, action: 'unpause' })
    await f.ask('vm.power', { vm: vm.id, action: 'power-off' })
    expect(await power(vm.id)).toEqual({ type: 'powered-off', lastEnd: { cause: 'power-off' } })
    expect(f.told1('vm.power-changed').map((told) => told.power.type)).toEqual(['starting', 'running', 'paused', 'running', 'powering-off'])
    await f.until(() => f.told1('vm.changed').at(-1)?.power.type === 'powered-off')
    expect(await messages()).toEqual(['created', 'powered-on', 'paused', 'unpaused', 'powered-off'])
  })

  it('is refused in the wrong state, and for what is no VM', async () => {
    const { id } = await create('One')
    for (const action of ['pause', 'unpause', 'reset', 'suspend', 'shut-down-guest', 'restart-guest', 'power-off'] as const) {
      expect(await f.askRaw('vm.power', { vm: id, action }), action).toMatchObject({ ok: false, error: { code: 'vm/bad-state' } })
    }
    await f.ask('vm.power', { vm: id, action: 'power-on' })
    for (const action of ['power-on', 'power-on-to-firmware', 'unpause'] as const) expect(await f.askRaw('vm.power', { vm: id, action }), action).toMatchObject({ ok: false, error: { code: 'vm/bad-state' } })
    expect(await f.askRaw('vm.power', { vm: 'nobody', action: 'power-on' })).toMatchObject({ ok: false, error: { code: 'vm/not-found' } })
  })

  it('that is refused by the VM\'s files is a problem, and the VM stays off', async () => {
    const { id } = await create('One')
    f.refuse = { ok: false, problem: problem('disk-missing', { file: '/x' }) }
    expect(await f.ask('vm.power', { vm: id, action: 'power-on' })).toMatchObject({ ok: false, problem: { code: 'file/missing', id: 'disk-missing', values: { file: '/x' } } })
    expect(await power(id)).toEqual({ type: 'powered-off' })
    expect((await f.ask('app.messages')).at(-1)).toMatchObject({ id: 'cannot-power-on', level: 'error', vmName: 'One', problem: { id: 'disk-missing' } })
  })

  it('tells a crash, a failure, and a suspend that does not work', async () => {
    const vm = await start()
    vm.become({ type: 'crashed', end: { kind: 'triple-fault', dump: 'rip=0' } })
    expect(await power(vm.id)).toEqual({ type: 'crashed', end: { cause: 'triple-fault', dump: 'rip=0' } })
    vm.end({ type: 'failed', code: 'internal/bug', message: 'oops' })
    expect(await power(vm.id)).toEqual({ type: 'failed', code: 'internal/bug', message: 'oops', log: join(vm.path, 'vitrine.log') })
    expect(await messages()).toEqual(['created', 'powered-on', 'guest-crashed', 'failed'])
    await f.ask('vm.power', { vm: vm.id, action: 'power-on' })
    const next = f.vm(vm.id)
    next.refuses = { ok: false, problem: problem('disk-full', { file: '/x' }) }
    expect(await f.ask('vm.power', { vm: vm.id, action: 'suspend' })).toMatchObject({ ok: false, problem: { id: 'disk-full' } })
    expect(await power(vm.id)).toEqual({ type: 'running' })
  })
})

describe('settings', () => {
  it('are given, checked and changed', async () => {
    const { id } = await create('One')
    expect(await f.ask('vm.settings', { vm: id })).toMatchObject({ ok: true, value: { name: 'One', hardware: { memoryMiB: 256, disks: [{ file: 'disk.img' }] } } })
    expect(await f.ask('vm.check-settings', { vm: id, patch: { hardware: { memoryMiB: 3000 } } })).toEqual([])
    expect(await f.ask('vm.check-settings', { vm: id, patch: { hardware: { memoryMiB: 'much' } } })).toMatchObject([{ code: 'vm-json/broken', key: 'hardware.memoryMiB' }])
    expect(await f.ask('vm.check-settings', { vm: id, patch: { hardware: { processors: { count: 2 } } } })).toMatchObject([{ code: 'hardware/impossible', key: 'hardware.processors.count' }])
    expect(await f.ask('vm.check-settings', { vm: id, patch: { hardware: { disks: [{ file: 'gone.img' }] } } })).toMatchObject([{ id: 'disk-missing' }])
    await create('Two')
    expect(await f.ask('vm.check-settings', { vm: id, patch: { name: 'TWO' } })).toMatchObject([{ id: 'name-taken' }])
    expect(await f.ask('vm.check-settings', { vm: id, patch: { name: 'ONE' } })).toEqual([])
    expect(await f.ask('vm.settings', { vm: id })).toMatchObject({ value: { hardware: { memoryMiB: 256, disks: [{ file: 'disk.img' }] } } })
    expect(await f.ask('vm.change-settings', { vm: id, patch: { name: 'Uno', description: 'x', hardware: { memoryMiB: 64 } } })).toMatchObject({ ok: true, value: { name: 'Uno', description: 'x' } })
    expect(await f.ask('vm.change-settings', { vm: id, patch: { hardware: { memoryMiB: 1 } } })).toMatchObject({ ok: false, problem: { code: 'vm-json/broken' } })
    expect(await f.ask('vm.change-settings', { vm: id, patch: { id: '0f8fad5b-d9cb-469f-a165-70867728950e' } })).toMatchObject({ ok: false, problem: { id: 'id-is-fixed' } })
  })

  it('add disks and make them larger', async () => {
    const { id, path } = await create('One')
    expect(await f.ask('vm.add-disk', { vm: id, bytes: 1000 })).toMatchObject({ ok: true, value: { devices: [{}, {}, { file: 'disk.img' }, { file: 'disk-2.img', bytes: 1024 }, {}, {}] } })
    expect(await f.ask('vm.expand-disk', { vm: id, index: 1, bytes: 4096 })).toMatchObject({ ok: true })
    expect((await stat(join(path, 'disk-2.img'))).size).toBe(4096)
    expect(await f.ask('vm.expand-disk', { vm: id, index: 1, bytes: 1024 })).toMatchObject({ ok: false, problem: { id: 'disk-not-larger' } })
    expect(await f.ask('vm.expand-disk', { vm: id, index: 7, bytes: 1 << 20 })).toMatchObject({ ok: false, problem: { id: 'no-such-device' } })
    expect(await f.ask('vm.expand-disk', { vm: id, index: 0, bytes: 2 ** 50 })).toMatchObject({ ok: false, problem: { id: 'disk-size-impossible' } })
  })

  it('change a disc in a VM that runs, at once and for good', async () => {
    const iso = join(f.folder, 'a.iso')
    await writeFile(iso, 'x')
    f.desktop.chosen = iso
    await f.ask('files.choose', { purpose: 'iso' })
    const vm = await start('One', { cdroms: [{ connected: false }] })
    expect(await f.ask('vm.set-cdrom', { vm: vm.id, index: 0, file: iso, connected: true })).toMatchObject({ ok: true })
    expect(vm.asked).toEqual([['setCdrom', 0, iso, true]])
    expect(await f.ask('vm.settings', { vm: vm.id })).toMatchObject({ value: { hardware: { cdroms: [{ file: iso, connected: true }] } } })
    await f.ask('vm.set-cdrom', { vm: vm.id, index: 0, connected: false })
    const changed = await f.ask('vm.settings', { vm: vm.id })
    expect(changed.ok && changed.value.hardware.cdroms).toEqual([{ connected: false }])
    expect(await f.ask('vm.set-cdrom', { vm: vm.id, index: 1, connected: false })).toMatchObject({ ok: false, problem: { id: 'no-such-device' } })
    expect((await messages()).slice(-2)).toEqual(['cd-inserted', 'cd-ejected'])
    vm.refuses = { ok: false, problem: problem('cdrom-locked', { name: 'One' }) }
    expect(await f.ask('vm.set-cdrom', { vm: vm.id, index: 0, file: iso, connected: true })).toMatchObject({ ok: false, problem: { id: 'cdrom-locked' } })
    expect(await f.ask('vm.settings', { vm: vm.id })).toMatchObject({ value: { hardware: { cdroms: [{ connected: false }] } } })
  })
})

describe('a VM that runs', () => {
  it('takes keys and text, and gives its picture', async () => {
    const vm = await start()
    expect(await f.ask('vm.send-keys', { vm: vm.id, keys: 'ctrl-alt-delete' })).toEqual({ ok: true, value: undefined })
    expect(await f.ask('vm.send-keys', { vm: vm.id, keys: 'foo' })).toMatchObject({ ok: false, problem: { id: 'keys-unknown' } })
    expect(await f.ask('vm.type-text', { vm: vm.id, text: 'abcde' })).toEqual({ ok: true, value: { skipped: 2 } })
    expect(await f.ask('vm.screenshot', { vm: vm.id, to: 'clipboard' })).toEqual({ ok: true, value: undefined })
    expect(f.desktop.asked.at(-1)).toEqual(['writeClipboardImage', 2])
    f.desktop.chosen = join(f.folder, 'shot.png')
    expect(await f.ask('vm.screenshot', { vm: vm.id, to: 'file' })).toEqual({ ok: true, value: f.desktop.chosen })
    expect([...(await readFile(f.desktop.chosen))]).toEqual([0x89, 0x50])
    expect(await f.ask('vm.screen-text', { vm: vm.id })).toEqual(['C:\\>'])
  })

  it('says so when it is off', async () => {
    const { id } = await create('One')
    for (const [name, payload] of [['vm.send-keys', { keys: 'a' }], ['vm.type-text', { text: 'a' }], ['vm.screenshot', { to: 'file' }]] as const) {
      expect(await f.askRaw(name, { vm: id, ...payload }), name).toMatchObject({ ok: true, value: { ok: false, problem: { id: 'not-on' } } })
    }
    for (const name of ['vm.screen-text', 'vm.stats', 'vm.inspect', 'vm.device-states'] as const) expect(await f.ask(name, { vm: id })).toBeUndefined()
  })

  it('takes no paste when its settings say so, also when they were changed meanwhile', async () => {
    const vm = await start()
    await f.ask('vm.change-settings', { vm: vm.id, patch: { options: { isolation: { paste: false } } } })
    expect(await f.ask('vm.type-text', { vm: vm.id, text: 'x' })).toMatchObject({ ok: false, problem: { id: 'paste-off' } })
  })

  it('has a console and serial ports, with numbers of their own', async () => {
    const vm = await start()
    const one = await f.ask('console.open', { vm: vm.id })
    const two = await f.ask('serial.open', { vm: vm.id, port: 0 })
    expect(two).not.toBe(one)
    f.ports.get(one)?.say({ kind: 'key', code: 'KeyA', pressed: true })
    f.ports.get(one)?.say({ kind: 'key', code: '', pressed: true })
    f.ports.get(two)?.say({ kind: 'input', bytes: Uint8Array.of(65) })
    expect(vm.asked).toContainEqual(['key', 'KeyA', true])
    expect(vm.asked).toContainEqual(['serialInput', 0, Uint8Array.of(65)])
    expect(vm.asked.filter(([what]) => what === 'key')).toHaveLength(1)
    const again = await f.ask('console.open', { vm: vm.id })
    expect(f.ports.get(one)?.closed).toBe(true)
    expect(f.ports.get(again)?.closed).toBe(false)
  })

  /** As every window knows it. */
  async function logOf(id: string): Promise<string | undefined> {
    const { machines } = await f.ask('library.contents')
    return machines.find((card) => card.id === id)?.devices.flatMap((device) => (device.kind === 'serial-port' ? (device.log ?? []) : []))[0]
  }

  it('writes its serial port into a file too, and waits for the disk', async () => {
    const vm = await start()
    f.desktop.chosen = join(f.folder, 'serial.log')
    await f.ask('files.choose', { purpose: 'serial-log' })
    expect(await f.ask('serial.log', { vm: vm.id, port: 0, path: f.desktop.chosen })).toEqual({ ok: true, value: undefined })
    expect(await logOf(vm.id)).toBe(f.desktop.chosen)
    await f.until(() => f.told1('vm.changed').some(({ devices }) => devices.some((device) => device.kind === 'serial-port' && device.log !== undefined)))
    vm.observer.onSerial(0, new TextEncoder().encode('login: '))
    await f.until(() => vm.asked.some(([what]) => what === 'serialTaken'))
    expect(await readFile(f.desktop.chosen, 'utf8')).toBe('login: ')
    expect(vm.asked).toContainEqual(['serialTaken', 0, 7])
    await f.ask('serial.log', { vm: vm.id, port: 0 })
    vm.observer.onSerial(0, new TextEncoder().encode('more'))
    expect(await readFile(f.desktop.chosen, 'utf8')).toBe('login: ')
    expect((await f.ask('app.messages')).at(-1)).toMatchObject({ id: 'serial-log-ended', values: { file: f.desktop.chosen } })
  })

  it.skipIf(!existsSync('/dev/full'))('leaves a log whose disk is full, says so, and lets the guest go on', async () => {
    const vm = await start()
    f.desktop.chosen = '/dev/full'
    await f.ask('files.choose', { purpose: 'serial-log' })
    await f.ask('serial.log', { vm: vm.id, port: 0, path: f.desktop.chosen })
    const port = f.ports.get(await f.ask('serial.open', { vm: vm.id, port: 0 }))
    expect(await logOf(vm.id)).toBe('/dev/full')
    vm.observer.onSerial(0, Uint8Array.of(65, 66))
    port?.say({ kind: 'taken', bytes: 2 })
    await f.until(() => vm.asked.some(([what]) => what === 'serialTaken'))
    await vi.waitFor(async () => expect(await logOf(vm.id)).toBeUndefined())
    expect((await f.ask('app.messages')).at(-1)).toMatchObject({ id: 'problem', level: 'warning', problem: { code: 'file/disk-full' } })
  })

  it('writes no later run into the file', async () => {
    const vm = await start()
    f.desktop.chosen = join(f.folder, 'serial.log')
    await f.ask('files.choose', { purpose: 'serial-log' })
    await f.ask('serial.log', { vm: vm.id, port: 0, path: f.desktop.chosen })
    vm.observer.onSerial(0, new TextEncoder().encode('first'))
    vm.end({ type: 'powered-off', end: { kind: 'stopped' } })
    expect(await logOf(vm.id)).toBeUndefined()
    vm.observer.onSerial(0, new TextEncoder().encode('second'))
    await f.ask('serial.log', { vm: vm.id, port: 0 }) // would wait for what is still to be written
    await vi.waitFor(async () => expect(await readFile(f.desktop.chosen ?? '', 'utf8')).toBe('first'))
  })

  it('speaks on its serial port when its text screen stands still', async () => {
    const vm = await start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const say = async (): Promise<void> => {
      vm.observer.onSerial(0, Uint8Array.of(65))
      await vi.advanceTimersByTimeAsync(3100)
    }
    const before = vm.screenText
    let line = 0
    vm.screenText = async () => [`line ${++line}`]
    await say()
    vm.screenText = async () => undefined
    await say()
    expect(f.told1('vm.serial-speaks')).toEqual([])
    vm.screenText = before
    await say()
    await say()
    expect(f.told1('vm.serial-speaks')).toEqual([{ vm: vm.id, port: 0 }])
  })

  it('has thumbnails for the windows that ask, when the picture changes', async () => {
    const vm = await start()
    const frame = { width: 1, height: 1, rects: [{ x: 0, y: 0, width: 1, height: 1, packed: Uint32Array.of(1, 0xff000000) }] }
    vm.observer.onFrame(frame)
    await f.ask('library.watch-thumbnails', { vms: [vm.id, 'nobody'] })
    await f.until(() => f.told1('vm.thumbnail').length === 1)
    expect(f.told.find(({ name }) => name === 'vm.thumbnail')).toMatchObject({ window: 1, payload: { vm: vm.id } })
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(f.told1('vm.thumbnail')).toHaveLength(1)
    vm.observer.onFrame(frame)
    await f.until(() => f.told1('vm.thumbnail').length === 2)
    await f.ask('library.watch-thumbnails', { vms: [] })
    vm.observer.onFrame(frame)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(f.told1('vm.thumbnail')).toHaveLength(2)
    expect(await f.ask('library.thumbnail', { vm: vm.id })).toEqual(Uint8Array.of(0x89, 0x50))
  })
})
