/**
 * The file of a saved machine (docs/snapshot-format.md):
 *   8 bytes magic, u32 version, u32 length of the manifest, 32 bytes SHA-256 of everything after this header, manifest (JSON), blobs.
 * The manifest is plain data; every Uint8Array in it is replaced by { "$blob": index } and follows in the blob area. Memory blocks are stored as
 * runs of non-zero 4 KiB pages, deflated. Equal machines give equal bytes.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { PlainData } from '../devices/device'
import { fileError } from '../backends/block/raw-file'
import { VmmError } from '../errors/vmm-error'

const MAGIC = Buffer.from('VITRINE\x1a', 'latin1')
const VERSION = 1
const HEADER_BYTES = 8 + 4 + 4 + 32
const PAGE = 4096
/** Pages deflated together. */
const CHUNK_PAGES = 256
/** A machine's state is some six levels deep; a hostile one shall not exhaust the stack. */
const MAX_DEPTH = 64

export interface SavedMemoryBlock {
  readonly name: string
  readonly bytes: number
  /** Consecutive runs of pages that are not all zero: [first page, pages, deflated bytes]. */
  readonly runs: readonly { readonly first: number; readonly pages: number; readonly data: Uint8Array }[]
}

/** `packed` is told, now and then, how many bytes have been looked at. */
export function packMemory(name: string, bytes: Uint8Array, packed: (done: number) => void = () => undefined): SavedMemoryBlock {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  const runs: { first: number; pages: number; data: Uint8Array }[] = []
  const pages = bytes.length / PAGE
  for (let page = 0; page < pages; ) {
    if (isZero(words, page)) {
      page++
      continue
    }
    const first = page
    while (page < pages && page - first < CHUNK_PAGES && !isZero(words, page)) page++
    // deflate wants unshared memory
    const data = new Uint8Array((page - first) * PAGE)
    data.set(bytes.subarray(first * PAGE, page * PAGE))
    runs.push({ first, pages: page - first, data: deflateRawSync(data, { level: 1 }) })
    packed(page * PAGE)
  }
  return { name, bytes: bytes.length, runs }
}

/**
 * Fills `target` with the saved block; throws 'state/mismatch' when the sizes differ, 'state/wrong-format' when the runs are not as packMemory
 * makes them: in order and apart, which also bounds the work that a hostile file can cause.
 */
export function unpackMemory(saved: SavedMemoryBlock, target: Uint8Array): void {
  if (saved.bytes !== target.length) throw mismatch(`memory block ${saved.name} has ${saved.bytes} bytes in the file, ${target.length} in this machine`)
  target.fill(0)
  let free = 0
  for (const { first, pages, data } of saved.runs) {
    const fits = Number.isSafeInteger(first) && Number.isSafeInteger(pages) && first >= free && pages >= 1 && pages <= CHUNK_PAGES
    if (!fits || (first + pages) * PAGE > target.length) throw damagedBlock(saved.name)
    const inflated = inflate(data, pages * PAGE)
    if (inflated?.length !== pages * PAGE) throw damagedBlock(saved.name)
    target.set(inflated, first * PAGE)
    free = first + pages
  }
}

function inflate(data: Uint8Array, bytes: number): Uint8Array | undefined {
  try {
    return inflateRawSync(data, { maxOutputLength: bytes })
  } catch {
    return undefined // not deflated data, or more of it than announced
  }
}

function damagedBlock(name: string): VmmError {
  return new VmmError('state/wrong-format', `saved state: memory block ${name} is damaged; the file cannot be used`)
}

function isZero(words: BigUint64Array, page: number): boolean {
  const end = (page + 1) * (PAGE / 8)
  for (let i = page * (PAGE / 8); i < end; i++) if (words[i] !== 0n) return false
  return true
}

export function encodeContainer(manifest: PlainData): Buffer {
  const blobs: Uint8Array[] = []
  const json = JSON.stringify(detach(manifest, blobs))
  const index = Buffer.alloc(4 + blobs.length * 4)
  index.writeUInt32LE(blobs.length, 0)
  blobs.forEach((blob, i) => index.writeUInt32LE(blob.length, 4 + i * 4))
  const body = Buffer.concat([Buffer.from(json, 'utf8'), index, ...blobs])
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(VERSION, 8)
  header.writeUInt32LE(Buffer.byteLength(json, 'utf8'), 12)
  createHash('sha256').update(body).digest().copy(header, 16)
  return Buffer.concat([header, body])
}

export function decodeContainer(file: Buffer, name: string): PlainData {
  const bad = (what: string): VmmError => new VmmError('state/wrong-format', `saved state ${name}: ${what}`)
  if (file.length < HEADER_BYTES || !file.subarray(0, 8).equals(MAGIC)) throw bad('not a saved machine of Vitrine; give a file that --save-state wrote')
  const version = file.readUInt32LE(8)
  if (version !== VERSION) throw bad(`format ${version}, this Vitrine reads ${VERSION}; use the Vitrine that wrote it`)
  const body = file.subarray(HEADER_BYTES)
  if (!createHash('sha256').update(body).digest().equals(file.subarray(16, 48))) throw bad('its checksum does not match; the file is truncated or damaged')
  const damaged = (): VmmError => bad('damaged: its parts do not fit together; the file cannot be used')
  const manifestBytes = file.readUInt32LE(12)
  if (manifestBytes + 4 > body.length) throw damaged()
  const count = body.readUInt32LE(manifestBytes)
  let at = manifestBytes + 4 + count * 4
  if (at > body.length) throw damaged()
  const blobs: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const length = body.readUInt32LE(manifestBytes + 4 + i * 4)
    if (at + length > body.length) throw damaged()
    blobs.push(new Uint8Array(body.subarray(at, at + length)))
    at += length
  }
  if (at !== body.length) throw damaged()
  return attach(parseManifest(body.toString('utf8', 0, manifestBytes), damaged), blobs, damaged)
}

function parseManifest(json: string, damaged: () => VmmError): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    throw damaged()
  }
}

function detach(value: PlainData, blobs: Uint8Array[]): unknown {
  if (value instanceof Uint8Array) return { $blob: blobs.push(value) - 1 }
  if (Array.isArray(value)) return value.map((item: PlainData) => detach(item, blobs))
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, detach(item, blobs)]))
  if (value === undefined) return null
  return value
}

function attach(value: unknown, blobs: readonly Uint8Array[], damaged: () => VmmError, depth: number = 0): PlainData {
  if (depth > MAX_DEPTH) throw damaged()
  if (Array.isArray(value)) return value.map((item) => attach(item, blobs, damaged, depth + 1))
  if (value !== null && typeof value === 'object') {
    if (Object.hasOwn(value, '$blob')) {
      const blob = '$blob' in value && typeof value.$blob === 'number' ? blobs[value.$blob] : undefined
      if (!blob) throw damaged()
      return blob
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, attach(item, blobs, damaged, depth + 1)]))
  }
  // JSON knows 1e999; nothing that is saved is beyond exact integers, and loops count on that.
  if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) throw damaged()
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value
  return undefined
}

export async function readContainer(path: string): Promise<PlainData> {
  try {
    const info = await stat(path)
    if (!info.isFile()) throw new VmmError('file/not-a-file', `saved state ${path}: is ${info.isDirectory() ? 'a directory' : 'not a regular file'}; give a file that --save-state wrote`)
    return decodeContainer(await readFile(path), path)
  } catch (error) {
    throw fileError(error, 'saved state', path)
  }
}

function mismatch(what: string): VmmError {
  return new VmmError('state/mismatch', `saved state: ${what}`)
}
