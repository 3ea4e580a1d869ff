/** A vm.json's bytes as a checked value, or what is wrong with it: file, key, what is there and what is expected. */
import type { z } from 'zod'
import { isObject, parseDocument, type Json, type JsonObject } from '../json-document'
import { fail, ok, type Problem, type Result } from '../problem'
import { migrate, type Migration } from './migrate'
import { VM_JSON_VERSION, vmJsonSchema } from './schema'
import type { VmJson } from './types'

export interface VmDocument {
  readonly config: VmJson
  /** The whole file in the current version, with the keys that are not known here. */
  readonly document: JsonObject
  /** The version that the file has. */
  readonly fileVersion: number
}

const REPAIR = 'correct the file by hand (src-main/vmm/docs/vm-json.md says what is expected), or put a copy of it back'

export function readVmJson(bytes: Uint8Array, file: string, steps?: readonly Migration[]): Result<VmDocument> {
  const parsed = parseDocument(bytes)
  if (!parsed.ok) return fail({ code: 'vm-json/broken', message: `${file} ${parsed.why}`, remedy: REPAIR, file })
  const migrated = migrate(parsed.document, steps)
  switch (migrated.kind) {
    case 'newer':
      return fail({ code: 'vm-json/newer', message: `${file}: version is ${migrated.version}, this Vitrine reads up to ${VM_JSON_VERSION}`, remedy: 'use the Vitrine that wrote it, or a newer one', file, key: 'version' })
    case 'unknown':
      return fail({ code: 'vm-json/broken', message: `${file}: version is ${shown(parsed.document['version'])}; expected ${VM_JSON_VERSION}`, remedy: REPAIR, file, key: 'version' })
    case 'current': {
      const checked = checkVmJson(migrated.document, file)
      return checked.ok ? ok({ config: checked.value, document: migrated.document, fileVersion: migrated.from }) : checked
    }
  }
}

export function checkVmJson(document: JsonObject, file: string): Result<VmJson> {
  const result = vmJsonSchema.safeParse(document)
  return result.success ? ok(result.data) : fail(describe(result.error.issues, document, file))
}

/** The first thing that is wrong; how many more there are. */
function describe(issues: readonly z.core.$ZodIssue[], document: JsonObject, file: string): Problem {
  const [first] = issues
  const path = first?.path ?? []
  const key = path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`), '')
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return { code: 'vm-json/broken', message: `${file}: ${key} is ${shown(valueAt(document, path))}; expected ${first?.message ?? 'something else'}${more}`, remedy: REPAIR, file, key }
}

function valueAt(document: Json, path: readonly PropertyKey[]): Json | undefined {
  let value: Json | undefined = document
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = (value as readonly Json[])[part]
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[String(part)]
    else return undefined
  }
  return value
}

const SHOWN = 60

function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`
}
