import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { problem } from '../vmm'
import { idsOf, makeFixture, WINDOW, type Fixture } from './services.fixture'

let f: Fixture
beforeEach(async () => {
  f = await makeFixture()
})
afterEach(async () => {
  vi.useRealTimers()
  await f.close()
})

const start = async (name: string, onClose?: string): Promise<string> => {
  const made = await f.ask('library.create', { name, newDisks: [], ...(onClose === undefined ? {} : { options: { onClose } }) })
  if (!made.ok) throw new Error(made.problem.message)
  await f.ask('vm.power', { vm: made.value.id, action: 'power-on' })
  return made.value.id
}

describe('the app', () => {
  it('describes itself and its host', async () => {
    expect(await f.ask('app.describe')).toMatchObject({ locale: 'en' })
    const host = await f.ask('host.describe')
    expect(host.memoryMiB).toBeGreaterThan(0)
    expect(host.limits).toMatchObject({ minMemoryMiB: 2, maxIdeDrives: 4 })
    expect(host.engines).toContain('translator')
    for (const { path } of host.firmware) expect(await f.askRaw('files.describe', { path })).toMatchObject({ ok: true })
  })

  it('keeps preferences, and tells every window', async () => {
    expect(await f.ask('app.preferences')).toMatchObject({ theme: 'system', location: join(f.folder, 'VMs') })
    expect(await f.ask('app.set-preferences', { patch: { theme: 'dark' } })).toMatchObject({ ok: true, value: { theme: 'dark' } })
    expect(f.told1('app.preferences-changed')).toMatchObject([{ theme: 'dark' }])
    expect(f.desktop.asked).toContainEqual(['setTheme', 'dark'])
    expect(await f.askRaw('app.set-preferences', { patch: { theme: 'pink' } })).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    expect(await f.askRaw('app.set-preferences', { patch: { location: 7 } })).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    f.desktop.chosen = join(f.folder, 'Other')
    await f.ask('files.choose', { purpose: 'folder' })
    expect(await f.ask('app.set-preferences', { patch: { location: f.desktop.chosen } })).toMatchObject({ ok: true, value: { location: f.desktop.chosen } })
    expect((await f.ask('library.contents')).location).toBe(f.desktop.chosen)
    expect(await f.ask('app.set-preferences', { patch: { location: null } })).toMatchObject({ ok: true, value: { location: join(f.folder, 'VMs') } })
  })

  it('does not write over preferences that are broken', async () => {
    await f.ask('app.set-preferences', { patch: { theme: 'dark' } })
    await writeFile(join(f.folder, 'app', 'preferences.json'), '{ broken')
    expect(await f.ask('app.set-preferences', { patch: { theme: 'light' } })).toMatchObject({ ok: false, problem: { code: 'preferences/broken' } })
    expect(await f.ask('app.preferences')).toMatchObject({ theme: 'dark' })
  })

  it('has windows that remember, and bounds what they remember and paste', async () => {
    await f.ask('window.remember', { memory: { tabs: ['home'] } })
    expect(await f.ask('window.memory')).toEqual({ tabs: ['home'] })
    expect(await f.askRaw('window.remember', { memory: { much: 'x'.repeat(200_000) } })).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    expect(await f.ask('clipboard.read-text')).toHaveLength(65_536)
    await f.ask('window.set-input-grabbed', { grabbed: true })
    await f.ask('window.grow-by', { width: 10, height: -10 })
    expect(f.desktop.asked.slice(-2)).toEqual([['setInputGrabbed', WINDOW, true], ['growWindow', WINDOW, 10, -10]])
  })
})

describe('quitting', () => {
  it('ends at once when nothing runs', async () => {
    await f.ask('app.quit', {})
    await f.until(() => f.ended.length > 0)
    expect(f.ended).toEqual(['app'])
  })

  it('asks about those whose settings do not say, and does what the user says', async () => {
    const one = await start('One')
    const two = await start('Two', 'suspend')
    await f.ask('app.quit', {})
    expect(f.told.filter(({ name }) => name === 'window.close-asked')).toEqual([{ window: WINDOW, name: 'window.close-asked', payload: { running: [one], quitting: true } }])
    expect(f.vm(two).asked).toEqual([])
    expect(f.ended).toEqual([])
    await f.ask('app.quit', { running: 'power-off' })
    await f.until(() => f.ended.length > 0)
    expect(f.vm(one).asked).toEqual([['act', 'power-off']])
    expect(f.vm(two).asked).toEqual([['suspend']])
    expect(f.ended).toEqual(['app'])
  })

  it('does not ask when the preferences say', async () => {
    const one = await start('One')
    await f.ask('app.set-preferences', { patch: { onQuit: 'suspend' } })
    await f.ask('app.quit', {})
    await f.until(() => f.ended.length > 0)
    expect(f.told1('window.close-asked')).toEqual([])
    expect(f.vm(one).asked).toEqual([['suspend']])
  })

  it('leaves VMs running without windows', async () => {
    const one = await start('One')
    await f.ask('app.quit', { running: 'keep-running' })
    await f.until(() => f.ended.length > 0)
    expect(f.ended).toEqual(['windows'])
    expect(f.vm(one).asked).toEqual([])
  })

  it('stays when a VM cannot be suspended', async () => {
    const one = await start('One')
    f.vm(one).refuses = { ok: false, problem: problem('disk-full', { file: '/x' }) }
    await f.ask('app.quit', { running: 'suspend' })
    await f.until(() => f.told1('app.message').some(({ id }) => id === 'cannot-suspend'))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(f.ended).toEqual([])
  })

  it('waits for guests that shut down, and stays when one does not listen', async () => {
    const one = await start('One')
    await f.ask('app.quit', { running: 'shut-down' })
    expect(f.vm(one).asked).toEqual([['act', 'shut-down-guest']])
    expect(f.ended).toEqual([])
    f.vm(one).end({ type: 'powered-off', end: { kind: 'power-off' } })
    await f.until(() => f.ended.length > 0)
    f.ended.length = 0

    await f.ask('vm.power', { vm: one, action: 'power-on' })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await f.ask('app.quit', { running: 'shut-down' })
    await vi.advanceTimersByTimeAsync(91_000)
    vi.useRealTimers()
    expect(f.ended).toEqual([])
    expect(idsOf(await f.ask('app.messages')).at(-1)).toBe('guest-ignores-power-button')
  })

  it('powers off what has crashed, and wakes what is paused before it is to shut down', async () => {
    const one = await start('One')
    const two = await start('Two')
    f.vm(one).become({ type: 'crashed', end: { kind: 'triple-fault', dump: '' } })
    await f.ask('vm.power', { vm: two, action: 'pause' })
    await f.ask('app.quit', { running: 'shut-down' })
    await f.until(() => f.vm(two).asked.length === 3)
    expect(f.vm(one).asked).toEqual([['act', 'power-off']])
    expect(f.vm(two).asked).toEqual([['act', 'pause'], ['act', 'unpause'], ['act', 'shut-down-guest']])
    f.vm(two).end({ type: 'powered-off', end: { kind: 'power-off' } })
    await f.until(() => f.ended.length > 0)
  })

  it('powers off when the system says it twice', async () => {
    const one = await start('One', 'shut-down')
    f.services.quitting.endNow()
    await f.until(() => f.vm(one).asked.length === 1)
    f.services.quitting.endNow()
    await f.until(() => f.ended.length > 0)
    expect(f.vm(one).asked).toEqual([['act', 'shut-down-guest'], ['act', 'power-off']])
  })

  it('suspends what would be asked about or kept when the system ends it', async () => {
    const one = await start('One')
    const two = await start('Two', 'keep-running')
    const three = await start('Three', 'power-off')
    f.services.quitting.endNow()
    await f.until(() => f.ended.length > 0)
    expect([one, two, three].map((id) => f.vm(id).asked)).toEqual([[['suspend']], [['suspend']], [['act', 'power-off']]])
    expect(f.ended).toEqual(['app'])
  })
})
