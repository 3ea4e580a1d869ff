import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { controlPath, ControlServer, ok, type LibraryVm, type Result, type VmControl } from '../vmm'
import { allowsPowerAction, POWER_ACTIONS, type RunStateType } from './contract'
import { Elsewhere } from './elsewhere'

/** A VM of another process, as its socket shows it. */
class OtherVm implements VmControl {
  state: RunStateType = 'running'
  readonly did: string[] = []
  status = (): { state: RunStateType } => ({ state: this.state })
  stop = (how: string): boolean => this.does(`stop ${how}`)
  suspend = async (): Promise<Result<undefined>> => ok(void this.does('suspend'))
  reset = (): boolean => false
  pause(): boolean {
    this.state = 'paused'
    return this.does('pause')
  }
  unpause = (): boolean => this.does('unpause')
  screenshot = async (maxWidth?: number): Promise<Uint8Array> => Uint8Array.of(1, (maxWidth ?? 0) & 0xff)
  sendKeys = (keys: string): boolean => keys !== 'nonsense' && this.does(`keys ${keys}`)
  async typeText(text: string): Promise<{ skipped: number }> {
    this.does(`text ${text.length}`)
    return { skipped: 1 }
  }
  stats = async (): Promise<unknown> => ({})
  setMemoryTarget = async (): Promise<boolean> => false
  console = (): undefined => undefined
  private does(what: string): boolean {
    this.did.push(what)
    return true
  }
}

let folder: string
let elsewhere: Elsewhere
let other: OtherVm
let server: ControlServer | undefined
let changes: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-elsewhere-'))
  vi.stubEnv('XDG_RUNTIME_DIR', folder)
  changes = []
  elsewhere = new Elsewhere((id) => changes.push(id))
  other = new OtherVm()
})
afterEach(async () => {
  elsewhere.close()
  await server?.close()
  server = undefined
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const HOLDER = { pid: process.pid + 1, startTime: '', boot: '', pidNamespace: '', machine: '', host: 'here', program: 'vitrine start', since: '' }
const vm = (more: Partial<LibraryVm> = {}): LibraryVm => ({ id: 'id', path: folder, name: 'Other', favourite: false, state: 'in-use', holder: HOLDER, problems: [], ...more })
async function serve(): Promise<void> {
  const listening = await ControlServer.listen(controlPath(folder), other)
  if (!listening.ok) throw new Error(listening.problem.message)
  server = listening.value
}

describe('VMs of other processes', () => {
  it('are asked what they are doing, and tell when that changes or they end', async () => {
    await serve()
    elsewhere.saw(vm())
    expect(elsewhere.state('id')).toBeUndefined()
    await vi.waitFor(() => expect(elsewhere.state('id')).toBe('running'))
    expect([changes, elsewhere.picture('id')]).toEqual([['id'], 0])
    expect(await elsewhere.power('id', 'pause')).toEqual({ ok: true, value: undefined })
    // Its state is asked for at once, not in a second.
    await vi.waitFor(() => expect(elsewhere.state('id')).toBe('paused'), 500)
    expect(changes).toEqual(['id', 'id'])
    await server?.close()
    await vi.waitFor(() => expect(changes).toHaveLength(3))
    await vi.waitFor(() => expect(elsewhere.state('id')).toBeUndefined(), 3000)
  })

  it('do what their sockets take', async () => {
    await serve()
    elsewhere.saw(vm())
    await vi.waitFor(() => expect(elsewhere.state('id')).toBe('running'))
    for (const action of POWER_ACTIONS) await elsewhere.power('id', action)
    expect(other.did).toEqual(['stop soft', 'stop hard', 'suspend', 'pause', 'unpause'])
    expect(await elsewhere.power('id', 'power-on')).toBeUndefined()
    expect(await elsewhere.power('id', 'reset')).toMatchObject({ ok: false, problem: { id: 'not-now', values: { stateId: 'paused' } } })
    expect(await elsewhere.screenshot('id', 100)).toEqual(Buffer.from([1, 100]))
    expect(await elsewhere.sendKeys('id', 'ctrl-alt-delete')).toMatchObject({ ok: false, problem: { id: 'not-now' } })
    other.state = 'running'
    expect(await elsewhere.sendKeys('id', 'ctrl-alt-delete')).toMatchObject({ ok: true })
    expect(await elsewhere.sendKeys('id', 'nonsense')).toMatchObject({ ok: false, problem: { id: 'keys-unknown' } })
    expect(await elsewhere.typeText('id', `${'x'.repeat(4095)}\u{1f600}y`)).toEqual({ ok: true, value: { skipped: 2 } })
    expect(other.did.slice(-2)).toEqual(['text 4095', 'text 3'])
  })

  it('that do not listen are tried again; those that nobody holds are left', async () => {
    elsewhere.saw(vm())
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(elsewhere.state('id')).toBeUndefined()
    expect(await elsewhere.power('id', 'suspend')).toMatchObject({ ok: false, problem: { id: 'control-unreachable' } })
    await serve()
    await vi.waitFor(() => expect(elsewhere.state('id')).toBe('running'), 3000)
    elsewhere.saw(vm({ state: 'powered-off', holder: undefined }))
    expect([elsewhere.state('id'), elsewhere.picture('id')]).toEqual([undefined, undefined])
    elsewhere.saw(vm({ holder: { ...HOLDER, pid: process.pid } }))
    expect(elsewhere.state('id')).toBeUndefined()
    expect(await elsewhere.screenshot('id')).toBeUndefined()
  })

  it('may be asked for what their state allows, and never to be powered on', () => {
    const allowed = (state: RunStateType | undefined): string[] => POWER_ACTIONS.filter((action) => allowsPowerAction({ type: 'in-use', program: 'x', pid: 1, host: 'x', state }, action))
    expect(allowed('running')).toEqual(['shut-down-guest', 'power-off', 'reset', 'suspend', 'pause'])
    expect(allowed('paused')).toEqual(['power-off', 'reset', 'suspend', 'unpause'])
    expect(allowed(undefined)).toEqual([])
  })
})
