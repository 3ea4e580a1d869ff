import { spawn, type ChildProcess } from 'node:child_process'
import { build } from 'esbuild'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lockHolder, takeLock, withLock, type Lock } from './lock'
import type { Result } from './problem'
import { livenessOf, ownIdentity } from './process-identity'

const root = mkdtempSync(join(tmpdir(), 'vitrine-lock-'))
const program = join(root, 'taker.mjs')
let count = 0
const newFolder = (): string => join(root, `lock-${++count}`)

beforeAll(async () => {
  await build({ entryPoints: [join(import.meta.dirname, 'lock-taker.fixture.ts')], outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

class Taker {
  private readonly child: ChildProcess
  private readonly lines: string[] = []
  private wanted: (() => void) | undefined
  readonly over: Promise<void>

  constructor(folder: string, mode = 'hold') {
    this.child = spawn(process.execPath, [program, folder, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    let rest = ''
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines)
      this.wanted?.()
    })
    this.over = new Promise((resolve) => this.child.on('close', () => resolve()))
  }

  async line(): Promise<string> {
    while (this.lines.length === 0) await new Promise<void>((resolve) => (this.wanted = resolve))
    return this.lines.shift() ?? ''
  }

  go(): void {
    this.child.stdin?.write('go\n')
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.over
  }
}

async function taken(folder: string): Promise<Lock> {
  const lock = await takeLock(folder, 'test')
  if (!lock.ok) throw new Error(lock.problem.message)
  return lock.value
}

describe('a lock', () => {
  it('is held by one, told to the others, and free again when released', async () => {
    const folder = newFolder()
    expect(await lockHolder(folder)).toBeUndefined()
    const lock = await taken(folder)
    expect(await lockHolder(folder)).toMatchObject({ pid: process.pid, program: 'test' })
    expect(await takeLock(folder, 'other')).toMatchObject({ ok: false, problem: { code: 'vm/locked', message: expect.stringContaining(`test (process ${process.pid}`) as string } })
    await lock.release()
    expect(await lockHolder(folder)).toBeUndefined()
    await (await taken(folder)).release()
    expect(readdirSync(folder)).toEqual(['0000000002'])
  })

  it('of a killed process is taken over', async () => {
    const folder = newFolder()
    const taker = new Taker(folder)
    await taker.line()
    taker.go()
    expect(await taker.line()).toBe('taken')
    expect(await takeLock(folder, 'test')).toMatchObject({ ok: false })
    await taker.kill()
    expect(await lockHolder(folder)).toBeUndefined()
    await (await taken(folder)).release()
  })

  it('of a process whose number another has now is taken over', async () => {
    const folder = newFolder()
    mkdirSync(folder)
    const stale = { ...ownIdentity(), startTime: '1', program: 'x', since: '' }
    writeFileSync(join(folder, '0000000007'), JSON.stringify(stale))
    await (await taken(folder)).release()
    expect(readdirSync(folder)).toEqual(['0000000008'])
  })

  it('of another computer or container is not', async () => {
    for (const other of [{ machine: 'other', host: 'elsewhere' }, { pidNamespace: 'other' }]) {
      const folder = newFolder()
      mkdirSync(folder)
      writeFileSync(join(folder, '0000000001'), JSON.stringify({ ...ownIdentity(), pid: 1, program: 'Vitrine', since: 'then', ...other }))
      expect(await takeLock(folder, 'test')).toMatchObject({ ok: false, problem: { code: 'vm/locked', remedy: expect.stringContaining('delete') as string } })
    }
  })

  it('that a crash of the host cut off, or that holds nonsense, does not stand in the way', async () => {
    for (const content of ['', '{"pid":', '[]', '{"pid":-1}', '\0\0\0', 'x'.repeat(10000)]) {
      const folder = newFolder()
      mkdirSync(folder)
      writeFileSync(join(folder, '0000000001'), content)
      await (await taken(folder)).release()
    }
  })

  it('goes to exactly one of many takers, of a dead process too', async () => {
    for (let round = 0; round < 4; round++) {
      const folder = newFolder()
      if (round % 2 === 1) {
        mkdirSync(folder)
        writeFileSync(join(folder, '0000000001'), JSON.stringify({ ...ownIdentity(), startTime: '1', program: 'dead', since: '' }))
      }
      const takers = Array.from({ length: 6 }, () => new Taker(folder))
      await Promise.all(takers.map((taker) => taker.line()))
      for (const taker of takers) taker.go()
      const said = await Promise.all(takers.map((taker) => taker.line()))
      expect(said.filter((line) => line === 'taken')).toHaveLength(1)
      expect(said.filter((line) => line.startsWith('refused vm/locked'))).toHaveLength(5)
      await Promise.all(takers.map((taker) => taker.kill()))
    }
  })

  it('for moments makes others wait: nobody is inside with another', async () => {
    const folder = newFolder()
    let inside = 0
    let most = 0
    const work = async (): Promise<Result<number>> => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 2))
      inside--
      return { ok: true, value: 1 }
    }
    const results = await Promise.all(Array.from({ length: 12 }, () => withLock(folder, 'test', work)))
    expect(results.every(({ ok: fine }) => fine)).toBe(true)
    expect(most).toBe(1)
  })
})

describe('a process', () => {
  it('is known by more than its number', () => {
    const own = ownIdentity()
    expect(livenessOf(own)).toBe('alive')
    expect(livenessOf({ ...own, startTime: '1' })).toBe('dead')
    expect(livenessOf({ ...own, pid: 2 ** 22 + 1 })).toBe('dead')
    expect(livenessOf({ ...own, boot: 'earlier' })).toBe('dead')
    expect(livenessOf({ ...own, machine: 'other', boot: 'other' })).toBe('unknown')
  })
})
