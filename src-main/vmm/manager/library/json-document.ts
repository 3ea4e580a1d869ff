/** JSON files that people edit and other versions write: read within bounds, changed without losing what is not understood. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** A thousand times what is usual. */
const MAX_BYTES = 1 << 20
/** What is nested deeper is no file of ours, and could exhaust the stack of whoever walks it. */
const MAX_DEPTH = 32

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

export type Parsed = { readonly ok: true; readonly document: JsonObject } | { readonly ok: false; readonly why: string }

/** `why` says what is wrong and, for a slip of the pen, where. */
export function parseDocument(bytes: Uint8Array): Parsed {
  if (bytes.length > MAX_BYTES) return { ok: false, why: `has ${bytes.length} bytes, more than the ${MAX_BYTES} that are read` }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes) // takes a byte order mark away
  } catch {
    return { ok: false, why: 'is not UTF-8 text' }
  }
  if (text.trim() === '') return { ok: false, why: 'is empty' }
  let document: Json
  try {
    document = JSON.parse(text) as Json // JSON.parse makes nothing else
  } catch (error) {
    return { ok: false, why: `is not JSON: ${position(error, text)}` }
  }
  if (!isObject(document)) return { ok: false, why: `holds ${Array.isArray(document) ? 'a list' : 'a single value'}; an object { ... } is expected` }
  if (depth(document) > MAX_DEPTH) return { ok: false, why: `is nested more than ${MAX_DEPTH} levels deep` }
  return { ok: true, document }
}

/** V8 tells what, and not always where; a line and a column are what editors show. */
function position(error: unknown, text: string): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ')
  const what = message.replace(/ at position \d+.*$/, '').replace(/, .* is not valid JSON$/, '').replace(/ in JSON$/, '')
  const before = text.slice(0, firstWrong(text)).split('\n')
  return `${what}, line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
}

/** The first character after which no more text would make it JSON: what can still become JSON fails only at its end. */
function firstWrong(text: string): number {
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (canGoOn(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

function canGoOn(start: string): boolean {
  try {
    JSON.parse(start)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const at = / at position (\d+)/.exec(message)
    return at ? Number(at[1]) >= start.length : /end of JSON/.test(message)
  }
}

/** Level by level, without recursion: a file may be as deep as it is long. */
function depth(document: Json): number {
  let level: readonly Json[] = [document]
  for (let deep = 0; ; deep++) {
    level = level.flatMap((value) => (Array.isArray(value) ? (value as readonly Json[]) : isObject(value) ? Object.values(value) : []))
    if (level.length === 0) return deep
    if (deep > MAX_DEPTH) return deep
  }
}

/** Never more than is parsed, of regular files only: a pipe or device in the file's place would never end. */
export async function readBounded(path: string, maxBytes: number = MAX_BYTES): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const info = await file.stat()
    if (!info.isFile()) throw new Error(`is ${info.isDirectory() ? 'a directory' : 'not a regular file'}`)
    const buffer = Buffer.alloc(Math.min(info.size, maxBytes) + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  } finally {
    await file.close()
  }
}

export function formatDocument(document: JsonObject): Uint8Array {
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`)
}

export type Patch = { readonly [key: string]: Json | Patch | undefined }

/**
 * JSON Merge Patch (RFC 7396): null takes a key away, objects are merged, everything else replaces; undefined leaves as it is. Two additions:
 * an object of another `kind` replaces, because the keys of the old kind mean nothing to it; elements of a list keep the keys that `isKnown` does
 * not know, found again by their `file`, or by place and kind.
 */
export function mergePatch(document: JsonObject, patch: Patch, isKnown: (path: readonly string[], key: string) => boolean, path: readonly string[] = []): JsonObject {
  const merged = new Map<string, Json>(Object.entries(document))
  for (const [key, value] of Object.entries(patch)) {
    const old = merged.get(key)
    const here = [...path, key]
    if (value === undefined) continue
    if (value === null) merged.delete(key)
    else if (Array.isArray(value)) merged.set(key, mergeList(Array.isArray(old) ? (old as readonly Json[]) : [], value as readonly Json[], (name) => isKnown(here, name)))
    else if (isObject(value)) merged.set(key, mergePatch(isObject(old) && sameKind(old, value) ? old : {}, value, isKnown, here))
    else merged.set(key, value as Json)
  }
  return Object.fromEntries(merged) // unlike assignment, this makes "__proto__" an ordinary key
}

function sameKind(old: JsonObject, value: JsonObject): boolean {
  return value['kind'] === undefined || old['kind'] === value['kind']
}

function mergeList(old: readonly Json[], list: readonly Json[], isKnown: (key: string) => boolean): readonly Json[] {
  return list.map((value, i) => {
    if (!isObject(value)) return value
    const { file } = value
    const match = file !== undefined ? old.find((other) => isObject(other) && other['file'] === file) : old[i]
    if (!isObject(match) || !sameKind(match, value)) return value
    const kept = Object.entries(match).filter(([key]) => !isKnown(key) && !Object.hasOwn(value, key))
    return Object.fromEntries([...Object.entries(value), ...kept])
  })
}
