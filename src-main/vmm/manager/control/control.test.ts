import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { problem, type Result } from '../library/problem'
import { ControlClient } from './control-client'
import { controlFolder, controlPath } from './control-path'
import { ControlServer, type VmControl } from './control-server'
import type { ControlRequest } from './protocol'

const root = mkdtempSync(join(tmpdir(), 'vitrine-control-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let count = 0
const newPath = (): string => join(root, String(++count), 'vm.sock')

class FakeVm implements VmControl {
  readonly did: string[] = []
  outcome: Result<undefined> = { ok: true, value: undefined }
  show: ((bytes: Uint8Array) => void) | undefined
  status(): { readonly state: 'running' } {
    return { state: 'running' }
  }
  stop(how: string): boolean {
    this.did.push(`stop ${how}`)
    return true
  }
  async suspend(): Promise<Result<undefined>> {
    this.did.push('suspend')
    return this.outcome
  }
  reset(): boolean {
    return false
  }
  pause(): boolean {
    this.did.push('pause')
    return true
  }
  unpause(): boolean {
    throw new Error('a bug')
  }
  async screenshot(): Promise<Uint8Array> {
    return Buffer.alloc(300_000, 7)
  }
  sendKeys(chord: string): boolean {
    return chord === 'enter'
  }
  async typeText(text: string): Promise<{ skipped: number }> {
    this.did.push(`text ${text}`)
    return { skipped: 1 }
  }
  async setMemoryTarget(bytes: number): Promise<boolean> {
    this.did.push(`memory ${bytes}`)
    return bytes < 2 ** 30
  }
  async stats(): Promise<unknown> {
    return { instructions: 5 }
  }
  console(output: (bytes: Uint8Array) => void): { input: (bytes: Uint8Array) => void; close: () => void } {
    this.show = output
    return { input: (bytes) => void this.did.push(`input ${Buffer.from(bytes).toString()}`), close: () => void this.did.push('left') }
  }
}

const servers: ControlServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}

async function serve(path: string = newPath()): Promise<{ vm: FakeVm; client: ControlClient; server: ControlServer; path: string }> {
  const vm = new FakeVm()
  const server = value(await ControlServer.listen(path, vm))
  servers.push(server)
  return { vm, server, client: value(await ControlClient.connect(path)), path }
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('the socket of a running VM', () => {
  it('answers each request once', async () => {
    const { vm, client } = await serve()
    expect(await client.ask({ command: 'status' })).toEqual({ ok: true, value: { state: 'running' } })
    for (const command of ['pause', 'suspend'] as const) expect(await client.ask({ command })).toEqual({ ok: true, value: undefined })
    expect(await client.ask({ command: 'stop', how: 'soft' })).toMatchObject({ ok: true })
    expect(await client.ask({ command: 'reset' })).toMatchObject({ ok: false, problem: { id: 'not-now', values: { state: 'running', stateId: 'running' }, message: 'it is running' } })
    expect(await client.ask({ command: 'send-text', text: 'ü\n' })).toEqual({ ok: true, value: { skipped: 1 } })
    expect(await client.ask({ command: 'balloon', mebibytes: 512 })).toEqual({ ok: true, value: undefined })
    expect(vm.did).toEqual(['pause', 'suspend', 'stop soft', 'text ü\n', 'memory 536870912'])
    expect(await client.ask({ command: 'balloon', mebibytes: 1024 })).toMatchObject({ ok: false, problem: { message: 'it has no memory balloon' } })
    expect(await client.ask({ command: 'send-keys', keys: 'nothing' })).toMatchObject({ ok: false, problem: { code: 'control/refused', id: 'keys-unknown', values: { keys: 'nothing' }, message: 'nothing: the guest\'s keyboard has no such keys' } })
    expect(await client.ask({ command: 'stats' })).toEqual({ ok: true, value: { instructions: 5 } })
    const picture = value(await client.ask({ command: 'screenshot' }))
    expect(typeof picture === 'string' && Buffer.from(picture, 'base64').equals(Buffer.alloc(300_000, 7))).toBe(true)
    vm.outcome = { ok: false, problem: problem('disk-full', { file: 'disk.img' }) }
    expect(await client.ask({ command: 'suspend' })).toMatchObject({ ok: false, problem: { message: 'disk.img cannot be written: the disk is full', remedy: expect.stringContaining('make room') as string } })
  })

  it('is the owner\'s alone', async () => {
    const { path } = await serve()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    const open = newPath()
    mkdirSync(dirname(open))
    chmodSync(dirname(open), 0o777)
    expect(await ControlServer.listen(open, new FakeVm())).toMatchObject({ ok: false })
    expect(controlPath('/vm', { XDG_RUNTIME_DIR: '/run/user/1' })).toMatch(/^\/run\/user\/1\/vitrine\/[0-9a-f]{32}\.sock$/)
    expect(controlFolder({ XDG_RUNTIME_DIR: 'relative' })).toMatch(/^\/.*vitrine-/)
  })

  it('becomes the serial port, both ways', async () => {
    const { vm, client, server } = await serve()
    value(await client.ask({ command: 'console' }))
    let heard = ''
    vm.show?.(Buffer.from('login: '))
    const send = client.attach((bytes) => (heard += Buffer.from(bytes).toString()))
    vm.show?.(Buffer.from('\n{"command":"stop"}\n'))
    await until(() => heard.endsWith('}\n'))
    expect(heard).toBe('login: \n{"command":"stop"}\n')
    send(Buffer.from('root\n'))
    await until(() => vm.did.includes('input root\n'))
    await server.close()
    await client.closed()
    await until(() => vm.did.includes('left'))
  })

  it('lets a console go that does not read', async () => {
    const { vm, path } = await serve()
    const socket = connect(path)
    socket.pause()
    socket.on('error', () => undefined)
    socket.write('{"command":"console"}\n')
    await until(() => vm.show !== undefined)
    for (let i = 0; i < 400 && !vm.did.includes('left'); i++) {
      vm.show?.(Buffer.alloc(65536))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => vm.did.includes('left'))
    socket.destroy()
  })

  it('stands whatever comes in', async () => {
    const { vm, client, path } = await serve()
    const hostile: readonly (string | Buffer)[] = ['\n', 'null\n', '[]\n', '{}\n', '{"command":"format"}\n', '{"command":"stop","how":"x"}\n', '{"command":"send-keys","keys":""}\n', Buffer.alloc(70_000, 97), Buffer.from([0xff, 0xfe, 10]), `${'['.repeat(5000)}\n`, '{"__proto__":{"command":"reset"}}\n']
    for (const text of hostile) {
      const answer = await new Promise<string>((resolve) => {
        let heard = ''
        const socket = connect(path, () => socket.write(text))
        socket.on('data', (chunk) => (heard += chunk.toString()))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(heard))
      })
      expect(answer).toMatch(/^\{"ok":false,.*\}\n$/)
    }
    expect(vm.did).toEqual([])
    expect(await client.ask({ command: 'unpause' })).toMatchObject({ ok: false, problem: { message: 'a bug' } })
    expect(await client.ask({ command: 'explode' } as unknown as ControlRequest)).toMatchObject({ ok: false })
    expect(await client.ask({ command: 'status' })).toMatchObject({ ok: false, problem: { code: 'control/unreachable' } })
  })

  it('of a dead process is taken over; when nobody listens, that is said', async () => {
    const path = newPath()
    expect(await ControlClient.connect(path)).toMatchObject({ ok: false, problem: { code: 'control/unreachable' } })
    mkdirSync(dirname(path), { mode: 0o700 })
    writeFileSync(path, '')
    const { server, client } = await serve(path)
    await server.close()
    await client.closed()
    expect(existsSync(path)).toBe(false)
  })
})
