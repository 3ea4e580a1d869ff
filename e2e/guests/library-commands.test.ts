/** The library's commands as a user meets them: VMs made, run, suspended, resumed and deleted in plain Node. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bootSector } from './images/tiny'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..')
const program = join(root, 'out', 'cli', 'vitrine.mjs')
const PROMPT = 'vitrine> '

class Command {
  output = ''
  errors = ''
  readonly status: Promise<number | null>
  private readonly child: ChildProcess
  private heard: (() => void) | undefined

  constructor(home: string, args: readonly string[]) {
    this.child = spawn(process.execPath, [program, ...args], { cwd: home, env: { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_RUNTIME_DIR: home }, stdio: ['pipe', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      this.heard?.()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
    this.child.stdin?.on('error', () => undefined)
    this.status = new Promise((done) => this.child.on('close', done))
  }

  async shows(text: string, from: number = 0): Promise<void> {
    while (!this.output.slice(from).includes(text)) await new Promise<void>((done) => (this.heard = done))
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.child.kill(name)
  }
}

let home = ''
const start = (...args: readonly string[]): Command => new Command(home, args)
async function vitrine(...args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string; readonly errors: string }> {
  const command = start(...args)
  const status = await command.status
  return { status, output: command.output, errors: command.errors }
}
const folder = (name: string): string => join(home, 'Virtual Machines', `${name}.vitrine`)

beforeAll(() => {
  if (!existsSync(program)) throw new Error('out/cli/vitrine.mjs is missing: run node tools/build-cli.mjs')
})
const homes: string[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vitrine-home-'))
  homes.push(home)
})
afterAll(() => {
  for (const path of homes) rmSync(path, { recursive: true, force: true })
})

describe('commands for a VM that another process runs', () => {
  it('pause, type, look, suspend, resume and stop it', async () => {
    await vitrine('create', 'Demo', '--demo', '--memory', '16')
    for (const args of [['stop', 'Demo'], ['pause', 'Demo'], ['console', 'Demo'], ['suspend', 'Demo'], ['resume', 'Demo']]) {
      expect(await vitrine(...args), args.join(' ')).toMatchObject({ status: 2, errors: expect.stringMatching(/^vitrine: Demo: is [^\n]+\n$/) as string })
    }
    const first = start('start', 'Demo')
    await first.shows(PROMPT)
    expect(await vitrine('pause', 'Demo')).toMatchObject({ status: 0, errors: '' })
    first.type('a')
    await new Promise((done) => setTimeout(done, 300))
    expect(first.output.endsWith(PROMPT)).toBe(true)
    expect(await vitrine('unpause', 'Demo', '--json')).toMatchObject({ status: 0, output: '{\n  "done": "unpause"\n}\n' })
    await first.shows(`${PROMPT}a`)

    const attached = start('console', 'Demo')
    await new Promise((done) => setTimeout(done, 1000))
    attached.type('b')
    await attached.shows('b')
    await first.shows(`${PROMPT}ab`)
    attached.signal('SIGTERM')
    expect(await attached.status).toBe(130)

    expect(await vitrine('screenshot', 'Demo', join(home, 'screen.png'))).toMatchObject({ status: 0 })
    expect(readFileSync(join(home, 'screen.png')).subarray(1, 4).toString()).toBe('PNG')
    expect(JSON.parse((await vitrine('stats', 'Demo', '--json')).output)).toMatchObject({ instructions: expect.any(Number) as number })
    expect(await vitrine('send-keys', 'Demo', 'enter', '--text', 'x')).toMatchObject({ status: 0, errors: '' })
    expect(await vitrine('send-keys', 'Demo', 'nonsense')).toMatchObject({ status: 2, errors: expect.stringContaining('has no such keys') as string })
    expect(await vitrine('stop', 'Demo', 'now')).toMatchObject({ status: 2 })

    expect(await vitrine('suspend', 'Demo')).toMatchObject({ status: 0, errors: '' })
    const second = start('resume', 'Demo') // the lock is free already
    expect(await first.status).toBe(0)
    while (existsSync(join(folder('Demo'), 'suspended.json'))) await new Promise((done) => setTimeout(done, 50))
    second.type('c')
    await second.shows('c')
    expect(await vitrine('reset', 'Demo')).toMatchObject({ status: 0 })
    await second.shows(PROMPT)
    expect(await vitrine('stop', 'Demo', 'hard')).toMatchObject({ status: 0, errors: '' })
    expect(await second.status).toBe(0)
    expect(JSON.parse((await vitrine('info', 'Demo', '--json')).output)).toMatchObject({ state: 'powered-off' })
  })
})

describe('the library on the command line', () => {
  it('makes, lists, describes and deletes VMs', async () => {
    expect((await vitrine('list')).output).toContain('vitrine create')
    const created = await vitrine('create', 'One', '--memory', '64', '--new-disk', '1M', '--json')
    expect(created).toMatchObject({ status: 0, errors: '' })
    expect(JSON.parse(created.output)).toMatchObject({ name: 'One', state: 'powered-off', problems: [] })
    expect((await vitrine('list')).output).toMatch(/NAME +STATE +FOLDER\nOne +powered off +\//)
    expect(JSON.parse((await vitrine('list', '--json')).output)).toMatchObject({ machines: [{ name: 'One' }], problems: [] })
    expect((await vitrine('info', 'one')).output).toMatch(/Memory +64 MiB/)
    rmSync(join(folder('One'), 'disk.img'))
    expect((await vitrine('info', 'One')).output).toMatch(/Problem +the disk .*disk\.img is not there; put the file back/)
    expect(await vitrine('start', 'One')).toMatchObject({ status: 2, errors: expect.stringMatching(/^vitrine: the disk [^\n]* is not there; [^\n]*\n$/) as string })
    expect(await vitrine('delete', 'One')).toMatchObject({ status: 2, errors: expect.stringContaining('--yes') as string })
    expect(await vitrine('delete', 'One', '--yes')).toMatchObject({ status: 0 })
    expect(readdirSync(join(home, 'Virtual Machines'))).toEqual([])
  })

  it('says in one line what is wrong', async () => {
    for (const args of [['info'], ['info', 'Nobody'], ['start', 'Nobody'], ['create', 'A', '--memory', 'x'], ['add', '/nowhere'], ['delete', 'Nobody', '--yes'], ['list', 'x'], ['toString'], ['__proto__']]) {
      const { status, errors } = await vitrine(...args)
      expect(status, args.join(' ')).toBe(2)
      expect(errors, args.join(' ')).toMatch(/^vitrine: [^\n]+\n$/)
    }
  })

  it('runs a VM, suspends it at a signal, resumes it where it was, also after it was killed', async () => {
    await vitrine('create', 'Demo', '--demo', '--memory', '16')
    const first = start('start', 'Demo', '--headless')
    await first.shows(PROMPT)
    expect(JSON.parse((await vitrine('info', 'Demo', '--json')).output)).toMatchObject({ state: 'in-use', holder: { program: 'vitrine start' } })
    expect(await vitrine('start', 'Demo')).toMatchObject({ status: 2, errors: expect.stringContaining('it is in use by vitrine start (process') as string })
    expect(await vitrine('delete', 'Demo', '--yes')).toMatchObject({ status: 2 })
    first.type('he')
    await first.shows(`${PROMPT}he`)
    first.signal('SIGTERM')
    expect(await first.status).toBe(0)
    expect(readdirSync(folder('Demo')).sort()).toEqual(['suspended.json', 'suspended.state', 'thumbnail.png', 'vitrine.lock', 'vitrine.log', 'vm.json'])

    const second = start('start', 'Demo')
    while (existsSync(join(folder('Demo'), 'suspended.json'))) await new Promise((done) => setTimeout(done, 50))
    second.type('lp\r')
    await second.shows(PROMPT)
    expect(second.output).not.toContain('Type help')
    expect(second.output.startsWith('lp')).toBe(true)
    second.signal('SIGKILL')
    await second.status

    expect(JSON.parse((await vitrine('info', 'Demo', '--json')).output)).toMatchObject({ state: 'powered-off' })
    const third = start('start', 'Demo')
    await third.shows(PROMPT)
    third.signal('SIGTERM')
    await new Promise((done) => setTimeout(done, 10))
    expect(await third.status).toBe(0)
    expect(readFileSync(join(folder('Demo'), 'vitrine.log'), 'utf8')).toMatch(/powers on[^]*suspended[^]*resumes from[^]*powers on/)
  })

  it('has serial ports on TCP', async () => {
    const busy = createServer()
    await new Promise<void>((done) => busy.listen(0, '127.0.0.1', done))
    const address = busy.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await vitrine('create', 'Tcp', '--demo', '--memory', '16', '--serial', `tcp:${port}`)
    expect(await vitrine('start', 'Tcp')).toMatchObject({ status: 2, errors: expect.stringContaining('another program uses that port') as string })
    await new Promise((done) => busy.close(done))
    const running = start('start', 'Tcp', '--json')
    await running.shows('running')
    let heard = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (chunk) => (heard += chunk.toString()))
    socket.on('error', () => undefined)
    while (!heard.includes(PROMPT)) {
      socket.write('\r')
      await new Promise((done) => setTimeout(done, 100))
    }
    expect(await vitrine('stop', 'Tcp', 'hard')).toMatchObject({ status: 0 })
    expect(await running.status).toBe(0)
  })

  it('does with a guest that crashes what its settings say', async () => {
    await vitrine('create', 'Crash', '--new-disk', '504K', '--memory', '4', '--serial', 'none')
    bootSector(join(folder('Crash'), 'disk.img'), 'xor ax, ax\nmov ds, ax\nlidt [empty]\nint 3\nempty: dw 0, 0, 0')
    const set = (action: string): void => {
      const path = join(folder('Crash'), 'vm.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace(/"guestCrash": "\w+"/, `"guestCrash": "${action}"`))
    }
    expect(await vitrine('start', 'Crash')).toMatchObject({ status: 3, errors: 'vitrine: the guest\'s processor shut down (triple fault)\n' })
    expect(readFileSync(join(folder('Crash'), 'vitrine.log'), 'utf8')).toMatch(/error {3}the guest's processor shut down \(triple fault\) \| .*rip/i)
    set('keep')
    expect(await vitrine('start', 'Crash')).toMatchObject({ status: 3 })
    expect(existsSync(join(folder('Crash'), 'crashed.state'))).toBe(true)
    set('reset')
    const again = start('start', 'Crash', '--json')
    await again.shows('"crashed"')
    await again.shows('"running"', again.output.indexOf('"crashed"'))
    again.signal('SIGTERM')
    expect(await again.status).toBe(0)
    expect(await vitrine('delete', 'Crash', '--yes')).toMatchObject({ status: 0 })
    expect(existsSync(folder('Crash'))).toBe(false)
  })

  it('does not resume on a disk that was written to meanwhile', async () => {
    await vitrine('create', 'Disk', '--new-disk', '64K', '--memory', '4', '--serial', 'none')
    bootSector(join(folder('Disk'), 'disk.img'), 'jmp $')
    const first = start('start', 'Disk', '--json')
    await first.shows('running')
    first.signal('SIGTERM')
    expect(await first.status).toBe(0)
    expect(first.output).toContain('"event":"suspended"')
    writeFileSync(join(folder('Disk'), 'disk.img'), Buffer.alloc(65536, 1))
    expect(await vitrine('start', 'Disk')).toMatchObject({ status: 2, errors: expect.stringContaining('was written to since') as string })
    expect((await vitrine('list')).output).toContain('suspended, with problems')
  })
})
