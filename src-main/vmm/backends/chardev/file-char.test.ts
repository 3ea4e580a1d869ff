import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FileCharBackend } from './file-char'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-file-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a serial port that goes into a file', () => {
  it('adds to what is there, in order and whole', () => {
    const path = join(folder, 'out.txt')
    writeFileSync(path, 'old\n')
    const backend = FileCharBackend.open(path, () => undefined)
    for (let i = 0; i < 10_000; i++) expect(backend.write(i & 0xff)).toBe(true)
    backend.flush()
    expect(backend.read()).toBeUndefined()
    backend.write(7)
    backend.close()
    const bytes = readFileSync(path)
    expect(bytes.length).toBe(4 + 10_001)
    expect(bytes.subarray(4, -1).every((byte, i) => byte === (i & 0xff))).toBe(true)
  })

  it('says once that it cannot be written, and the guest goes on', () => {
    const said: string[] = []
    if (!existsSync('/dev/full')) return
    closeSync(openSync('/dev/full', 'w'))
    const backend = FileCharBackend.open('/dev/full', (message) => said.push(message))
    for (let i = 0; i < 20_000; i++) expect(backend.write(65)).toBe(true)
    backend.close()
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('/dev/full')
    expect(() => FileCharBackend.open(join(folder, 'no', 'where'), () => undefined)).toThrow(/no such file/)
  })
})
