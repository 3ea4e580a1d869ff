import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { VmmError } from '../../errors/vmm-error'
import { RawFile } from './raw-file'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-raw-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

function file(name: string, bytes: number | Uint8Array): string {
  writeFileSync(at(name), typeof bytes === 'number' ? new Uint8Array(bytes) : bytes)
  return at(name)
}

const disk = (path: string, readOnly: boolean = false): Promise<RawFile> => RawFile.openDisk(path, { readOnly, option: '--disk' })
const cd = (path: string): Promise<RawFile> => RawFile.openCd(path, '--cdrom')

async function failure(opening: Promise<RawFile>): Promise<VmmError> {
  try {
    await (await opening).close()
  } catch (error) {
    if (error instanceof VmmError) return error
    throw error
  }
  throw new Error('it opened')
}

const NOBODY = 65534

/** Root lacks no permission: runs `work` as somebody who does. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    if (root) process.seteuid?.(0)
  }
}

/** An ISO 9660 volume of so many sectors, as its primary volume descriptor tells. */
function iso(sectors: number, told: number): Uint8Array {
  const bytes = Buffer.alloc(sectors * 2048)
  bytes[16 * 2048] = 1
  bytes.write('CD001', 16 * 2048 + 1, 'latin1')
  bytes.writeUInt32LE(told, 16 * 2048 + 80)
  bytes.writeUInt16LE(2048, 16 * 2048 + 128)
  return bytes
}

describe('raw disk images', () => {
  it('read and write bytes in several pieces', async () => {
    const path = file('disk', 4096)
    const opened = await disk(path)
    expect([opened.bytes, opened.readOnly, opened.name]).toEqual([4096, false, path])
    await opened.write(512, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)])
    await opened.flush()
    const [a, b] = [new Uint8Array(1), new Uint8Array(3)]
    await opened.read(511, [a, b])
    expect([...a, ...b]).toEqual([0, 1, 2, 3])
    await opened.close()
    expect([...readFileSync(path).subarray(512, 516)]).toEqual([1, 2, 3, 0])
  })

  it('open read-only without changing anything', async () => {
    const path = file('read-only', 1024)
    const opened = await disk(path, true)
    expect(opened.readOnly).toBe(true)
    await expect(opened.write(0, [Uint8Array.of(1)])).rejects.toThrow('read-only')
    await opened.flush()
    await opened.close()
    expect(readFileSync(path)[0]).toBe(0)
  })

  it('report when the file became shorter under them', async () => {
    const path = file('shrinks', 2048)
    const opened = await disk(path)
    truncateSync(path, 512)
    await expect(opened.read(512, [new Uint8Array(512)])).rejects.toThrow('the file ends at 512, it was 2048 bytes')
    await opened.close()
  })

  it('may be links', async () => {
    file('linked', 512)
    symlinkSync(at('linked'), at('link'))
    const opened = await disk(at('link'))
    expect(opened.bytes).toBe(512)
    await opened.close()
  })

  it.each([
    ['missing', 'file/not-found', 'no such file', (): string => at('none')],
    ['a broken link', 'file/not-found', 'no such file', (): string => (symlinkSync(at('gone'), at('broken')), at('broken'))],
    ['below a file', 'file/unreadable', 'not a directory', (): string => join(file('plain', 512), 'x')],
    ['a directory', 'file/not-a-file', 'is a directory', (): string => folder],
    ['a device', 'file/not-a-file', 'not a regular file', (): string => '/dev/zero'],
    ['empty', 'file/too-small', '0 bytes', (): string => file('empty', 0)],
    ['smaller than a sector', 'file/too-small', '511 bytes', (): string => file('small', 511)],
    ['no whole number of sectors', 'file/too-small', '513 bytes', (): string => file('odd', 513)],
  ] as const)('are refused when %s', async (_name, code, part, make) => {
    const path = make()
    const error = await failure(disk(path))
    expect(error.code).toBe(code)
    expect(error.message).toContain(`--disk ${path}:`)
    expect(error.message).toContain(part)
    expect(error.message).not.toContain('\n')
  })

  it('are refused without permission, and say that ",ro" may help', async () => {
    const path = file('locked', 512)
    chmodSync(folder, 0o755)
    chmodSync(path, 0o444)
    await asNobody(async () => {
      expect((await failure(disk(path))).message).toMatch(/permission denied.*",ro"/)
      await (await disk(path, true)).close()
    })
    chmodSync(path, 0)
    await asNobody(async () => expect((await failure(disk(path, true))).code).toBe('file/unreadable'))
  })
})

describe('CD images', () => {
  it('are read-only, in whole sectors', async () => {
    const opened = await cd(file('other.iso', 5 * 2048 + 100))
    expect([opened.bytes, opened.readOnly]).toEqual([5 * 2048, true])
    await expect(opened.write(0, [Uint8Array.of(1)])).rejects.toThrow('read-only')
    await opened.close()
  })

  it('may be longer than their volume', async () => {
    const opened = await cd(file('padded.iso', iso(40, 30)))
    expect(opened.bytes).toBe(40 * 2048)
    await opened.close()
  })

  it('are refused when shorter than their volume', async () => {
    const error = await failure(cd(file('cut.iso', iso(40, 41))))
    expect(error.code).toBe('file/too-small')
    expect(error.message).toMatch(/cut\.iso: truncated: the volume has 83968 bytes, the file 81920/)
    expect((await failure(cd(file('huge.iso', iso(20, 0xffffffff))))).code).toBe('file/too-small')
  })

  it('are refused when missing, a directory, or less than a sector', async () => {
    mkdirSync(at('folder'))
    expect((await failure(cd(at('none.iso')))).code).toBe('file/not-found')
    expect((await failure(cd(at('folder')))).message).toContain(`--cdrom ${at('folder')}: is a directory`)
    expect((await failure(cd(file('tiny.iso', 2047)))).code).toBe('file/too-small')
  })
})

describe('the write cache of a disk', () => {
  it.each([[true, 2], [false, 0]])('write-through %s: a write waits for the host\'s disk', async (writeThrough, syncs) => {
    const path = file(`cache-${writeThrough}`, 4096)
    const other = await open(path)
    const datasync = vi.spyOn(Object.getPrototypeOf(other) as { datasync: () => Promise<void> }, 'datasync')
    await other.close()
    const opened = await RawFile.openDisk(path, { readOnly: false, writeThrough, option: '--disk' })
    try {
      await opened.write(0, [new Uint8Array(512), new Uint8Array(512)])
      await opened.write(1024, [new Uint8Array(512)])
      expect(datasync).toHaveBeenCalledTimes(syncs)
      await opened.flush()
      expect(datasync).toHaveBeenCalledTimes(syncs + 1)
    } finally {
      await opened.close()
      datasync.mockRestore()
    }
  })
})
