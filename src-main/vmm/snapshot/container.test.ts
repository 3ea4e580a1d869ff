import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { PlainData } from '../devices/device'
import { VmmError } from '../errors/vmm-error'
import { decodeContainer, encodeContainer, packMemory, readContainer, unpackMemory, type SavedMemoryBlock } from './container'
import { writeAtomically } from '../support/write-atomically'

const PAGE = 4096
const folder = mkdtempSync(join(tmpdir(), 'vitrine-container-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function failure(work: () => unknown): VmmError {
  try {
    work()
  } catch (error) {
    if (error instanceof VmmError) return error
    throw error
  }
  throw new Error('accepted')
}

const SAMPLE: PlainData = {
  schema: ['machine', 1], numbers: [0, -1, 0.5, 2 ** 53 - 1], text: 'äöü \n', yes: true, nothing: null, empty: [],
  blob: Uint8Array.of(1, 2, 3), nested: { list: [{ data: new Uint8Array() }, { data: Uint8Array.of(255) }] },
}

/** A file with the right checksum around a hostile inside. */
function forge(json: string, index: readonly number[], blobs: readonly Uint8Array[] = [], manifestBytes: number = Buffer.byteLength(json)): Buffer {
  const words = Buffer.alloc(index.length * 4)
  index.forEach((word, i) => words.writeUInt32LE(word >>> 0, i * 4))
  const body = Buffer.concat([Buffer.from(json), words, ...blobs])
  const header = Buffer.alloc(48)
  header.write('VITRINE\x1a', 'latin1')
  header.writeUInt32LE(1, 8)
  header.writeUInt32LE(manifestBytes >>> 0, 12)
  createHash('sha256').update(body).digest().copy(header, 16)
  return Buffer.concat([header, body])
}

describe('container of saved machines', () => {
  it('gives back what was put in', () => {
    expect(decodeContainer(encodeContainer(SAMPLE), 'x')).toEqual(SAMPLE)
  })

  it('has equal bytes for equal machines', () => {
    expect(encodeContainer(SAMPLE).equals(encodeContainer(structuredClone(SAMPLE)))).toBe(true)
  })

  it('refuses a file that was cut off anywhere', () => {
    const file = encodeContainer(SAMPLE)
    for (let length = 0; length < file.length; length++) expect(failure(() => decodeContainer(file.subarray(0, length), 'x')).code).toBe('state/wrong-format')
  })

  it('refuses a file with anything behind it', () => {
    expect(failure(() => decodeContainer(Buffer.concat([encodeContainer(SAMPLE), Buffer.alloc(1)]), 'x')).code).toBe('state/wrong-format')
  })

  it('refuses a file with any bit changed', () => {
    const file = encodeContainer(SAMPLE)
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = Buffer.from(file)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const error = failure(() => decodeContainer(changed, 'the-file'))
      expect(error.code).toBe('state/wrong-format')
      expect(error.message).toContain('the-file')
    }
  })

  it('names the version that it cannot read', () => {
    const file = encodeContainer(SAMPLE)
    file.writeUInt32LE(7, 8)
    expect(failure(() => decodeContainer(file, 'x')).message).toMatch(/format 7, this Vitrine reads 1/)
  })

  it.each([
    ['manifest beyond the file', forge('{}', [0], [], 0xffffffff)],
    ['manifest up to the end', forge('{}', [0], [], 4)],
    ['manifest that is not JSON', forge('{"a":', [0])],
    ['manifest of no bytes', forge('', [0])],
    ['count beyond the file', forge('{}', [0xffffffff])],
    ['count one too high', forge('{}', [2, 0])],
    ['blob beyond the file', forge('{}', [1, 0xffffffff], [Buffer.alloc(4)])],
    ['second blob beyond the file', forge('{}', [2, 4, 1], [Buffer.alloc(4)])],
    ['bytes that belong to nothing', forge('{}', [1, 3], [Buffer.alloc(4)])],
    ['reference to a blob that is not there', forge('{"$blob":1}', [1, 4], [Buffer.alloc(4)])],
    ['reference to a blob below 0', forge('{"$blob":-1}', [0])],
    ['reference to half a blob', forge('{"$blob":0.5}', [1, 0])],
    ['reference that is no number', forge('{"$blob":"length"}', [0])],
    ['nesting without end', forge(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, [0])],
    ['nesting of objects', forge(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, [0])],
  ])('refuses a forged file: %s', (_name, file) => {
    const error = failure(() => decodeContainer(file, 'x'))
    expect(error.code).toBe('state/wrong-format')
    expect(error.message).not.toContain('\n')
  })

  it('takes no prototype from a file', () => {
    const state = decodeContainer(forge('{"__proto__":{"evil":1},"constructor":2}', [0]), 'x')
    expect(Object.getPrototypeOf(state)).toBe(Object.prototype)
    expect((state as Record<string, unknown>)['evil']).toBeUndefined()
  })

  it('refuses noise', () => {
    for (let i = 0; i < 200; i++) expect(failure(() => decodeContainer(randomBytes(i * 3), 'x')).code).toBe('state/wrong-format')
  })
})

describe('packed memory', () => {
  const filled = (bytes: number): Uint8Array => {
    const memory = new Uint8Array(bytes)
    for (const page of [0, 1, 5, 300, 700]) if (page * PAGE < bytes) memory.fill(page + 1, page * PAGE + 10, page * PAGE + 20)
    memory.fill(7, Math.floor(bytes / 2))
    return memory
  }
  const block = (runs: SavedMemoryBlock['runs'], bytes: number = 4 * PAGE): SavedMemoryBlock => ({ name: 'ram', bytes, runs })
  const pages = (n: number): Uint8Array => deflateRawSync(new Uint8Array(n * PAGE).fill(1))

  it('comes back the same, and clears what was there', () => {
    const memory = filled(1024 * PAGE)
    const target = new Uint8Array(memory.length).fill(0xaa)
    unpackMemory(packMemory('ram', memory), target)
    expect(Buffer.from(target).equals(Buffer.from(memory))).toBe(true)
  })

  it('leaves empty pages out', () => {
    expect(packMemory('ram', new Uint8Array(64 * PAGE)).runs).toEqual([])
    const memory = new Uint8Array(64 * PAGE)
    memory[9 * PAGE] = 1
    memory[10 * PAGE + 4095] = 1
    expect(packMemory('ram', memory).runs.map(({ first, pages: count }) => [first, count])).toEqual([[9, 2]])
  })

  it('works on shared memory, as WebAssembly has it', () => {
    const memory = new Uint8Array(new SharedArrayBuffer(8 * PAGE))
    memory[5 * PAGE] = 1
    const target = new Uint8Array(new SharedArrayBuffer(8 * PAGE))
    unpackMemory(packMemory('ram', memory), target)
    expect(Buffer.from(target).equals(Buffer.from(memory))).toBe(true)
  })

  it('belongs to memory of its own size', () => {
    expect(failure(() => unpackMemory(packMemory('ram', new Uint8Array(PAGE)), new Uint8Array(2 * PAGE))).code).toBe('state/mismatch')
  })

  it.each<readonly [string, SavedMemoryBlock]>([
    ['a run below the block', block([{ first: -1, pages: 1, data: pages(1) }])],
    ['a run beyond the block', block([{ first: 4, pages: 1, data: pages(1) }])],
    ['a run that leaves the block', block([{ first: 3, pages: 2, data: pages(2) }])],
    ['a run at half a page', block([{ first: 0.5, pages: 1, data: pages(1) }])],
    ['a run at no number', block([{ first: NaN, pages: 1, data: pages(1) }])],
    ['a run of nothing', block([{ first: 0, pages: 0, data: pages(0) }])],
    ['a run of too many pages', block([{ first: 0, pages: 1e9, data: pages(1) }])],
    ['less data than announced', block([{ first: 0, pages: 2, data: pages(1) }])],
    ['more data than announced', block([{ first: 0, pages: 1, data: pages(2) }])],
    ['a bomb', block([{ first: 0, pages: 1, data: deflateRawSync(new Uint8Array(1 << 24)) }])],
    ['data that is not deflated', block([{ first: 0, pages: 1, data: Uint8Array.of(255, 1, 2, 3) }])],
    ['no data', block([{ first: 0, pages: 1, data: new Uint8Array() }])],
    ['runs over each other', block([{ first: 1, pages: 2, data: pages(2) }, { first: 2, pages: 1, data: pages(1) }])],
    ['runs out of order', block([{ first: 2, pages: 1, data: pages(1) }, { first: 0, pages: 1, data: pages(1) }])],
  ])('is refused with %s', (_name, saved) => {
    expect(failure(() => unpackMemory(saved, new Uint8Array(4 * PAGE))).code).toBe('state/wrong-format')
  })

  it('stays inside its bounds whatever bit of its data changes', () => {
    const good = packMemory('ram', filled(8 * PAGE))
    const [run] = good.runs
    if (!run) throw new Error('no run')
    for (let bit = 0; bit < Math.min(run.data.length, 200) * 8; bit++) {
      const data = Uint8Array.from(run.data)
      data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        unpackMemory({ ...good, runs: [{ ...run, data }] }, new Uint8Array(8 * PAGE))
      } catch (error) {
        expect(error).toBeInstanceOf(VmmError)
      }
    }
  })
})

describe('files of saved machines', () => {
  const rejection = (work: Promise<unknown>): Promise<VmmError> =>
    work.then(
      () => {
        throw new Error('accepted')
      },
      (error: unknown) => {
        if (error instanceof VmmError) return error
        throw error
      },
    )

  it('are written whole and read back', async () => {
    const path = join(folder, 'state')
    writeFileSync(path, 'older')
    await writeAtomically(path, encodeContainer(SAMPLE))
    expect(await readContainer(path)).toEqual(SAMPLE)
    expect(readdirSync(folder)).toEqual(['state'])
  })

  it('leave nothing behind when they cannot be written', async () => {
    const busy = join(folder, 'busy')
    mkdirSync(busy)
    const error = await rejection(writeAtomically(busy, Uint8Array.of(1)))
    expect(error.message).toMatch(/busy: cannot be written \(it is a directory\)/)
    expect((await rejection(writeAtomically(join(folder, 'no', 'where'), Uint8Array.of(1)))).message).toContain('its folder does not exist')
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([])
  })

  it('may be devices', async () => {
    await writeAtomically('/dev/null', Uint8Array.of(1))
    expect(readFileSync('/dev/null')).toHaveLength(0)
  })

  it('say what is wrong with what was given', async () => {
    expect((await rejection(readContainer(join(folder, 'none')))).code).toBe('file/not-found')
    expect((await rejection(readContainer(folder))).message).toContain('is a directory')
    expect((await rejection(readContainer('/dev/zero'))).code).toBe('file/not-a-file')
    writeFileSync(join(folder, 'text'), 'just text, but longer than the header of a saved machine is')
    expect((await rejection(readContainer(join(folder, 'text')))).message).toMatch(/text: not a saved machine/)
  })
})
