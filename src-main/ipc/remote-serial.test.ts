import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { controlPath, ControlServer, ok, type LibraryVm, type VmConsole, type VmControl } from '../vmm'
import { Elsewhere } from './elsewhere'
import { RemoteSerial } from './remote-serial'

let folder: string
let elsewhere: Elsewhere
let server: ControlServer
let show: ((bytes: Uint8Array) => void) | undefined
const typed: string[] = []
let heard = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-remote-'))
  vi.stubEnv('XDG_RUNTIME_DIR', folder)
  show = undefined
  heard = ''
  typed.length = 0
  const nothing = (): boolean => false
  const other: VmControl = {
    status: () => ({ state: 'running' }), stop: nothing, reset: nothing, pause: nothing, unpause: nothing, sendKeys: nothing,
    suspend: async () => ok(undefined), screenshot: async () => undefined, typeText: async () => ({ skipped: 0 }), stats: async () => undefined,
    setMemoryTarget: async () => false,
    console: (output): VmConsole => {
      show = output
      return { input: (bytes) => void typed.push(Buffer.from(bytes).toString()), close: () => (show = undefined) }
    },
  }
  const listening = await ControlServer.listen(controlPath(folder), other)
  if (!listening.ok) throw new Error(listening.problem.message)
  server = listening.value
  elsewhere = new Elsewhere(() => undefined)
  const holder = { pid: process.pid + 1, startTime: '', boot: '', pidNamespace: '', machine: '', host: '', program: '', since: '' }
  const vm: LibraryVm = { id: 'id', path: folder, name: 'Other', favourite: false, state: 'in-use', holder, problems: [] }
  elsewhere.saw(vm)
  await vi.waitFor(() => expect(elsewhere.state('id')).toBe('running'))
})
afterEach(async () => {
  elsewhere.close()
  await server.close()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

it('is the other process\'s terminal, both ways, until it is closed', async () => {
  const serial = new RemoteSerial('id', elsewhere, (bytes) => (heard += Buffer.from(bytes).toString()))
  await Promise.all([serial.open(), serial.open()])
  show?.(Buffer.from('login: '))
  await vi.waitFor(() => expect(heard).toBe('login: '))
  serial.send(Buffer.from('root'))
  await vi.waitFor(() => expect(typed).toEqual(['root']))
  serial.close()
  await vi.waitFor(() => expect(show).toBeUndefined())
  await serial.open()
  expect(show).toBeUndefined()
})

it('leaves unread what the window does not take, and is opened again when it has been let go', async () => {
  let bytes = 0
  const serial = new RemoteSerial('id', elsewhere, (piece) => (bytes += piece.length))
  await serial.open()
  const first = show
  for (let i = 0; i < 400 && show === first; i++) {
    show?.(Buffer.alloc(65536))
    await new Promise((resolve) => setImmediate(resolve))
  }
  // What was on its way when reading stopped comes still, and no more than that.
  expect(bytes).toBeLessThan(8 << 20)
  serial.taken(bytes)
  await vi.waitFor(() => expect(show !== undefined && show !== first).toBe(true), 5000)
  serial.close()
})
