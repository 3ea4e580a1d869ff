/** A vm.json's bytes as a checked value, or what is wrong with it: file, key, what is there and what is expected. */
import type { z } from 'zod'
import { isObject, parseDocument, type Json, type JsonObject } from '../json-document'
import { fail, ok, problem, type Problem, type Result } from '../problem'
import { expectedValues } from './expected'
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

export function readVmJson(bytes: Uint8Array, file: string, steps?: readonly Migration[]): Result<VmDocument> {
  const parsed = parseDocument(bytes)
  if (!parsed.ok) return fail(problem('vm-json-garbled', { file, detail: parsed.why }, { file }))
  const migrated = migrate(parsed.document, steps)
  switch (migrated.kind) {
    case 'newer':
      return fail(problem('vm-json-newer', { file, version: migrated.version, known: VM_JSON_VERSION }, { file, key: 'version' }))
    case 'unknown':
      return fail(problem('vm-json-version', unknownVersion(file, parsed.document['version']), { file, key: 'version' }))
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
  const found = valueAt(document, path)
  const values = { ...expectedValues(first?.message), file, key, value: shown(found), ...(found === undefined ? { valueId: 'missing' } : {}) }
  return issues.length > 1 ? problem('vm-json-wrong-and-more', { ...values, more: issues.length - 1 }, { file, key }) : problem('vm-json-wrong', values, { file, key })
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

function unknownVersion(file: string, version: Json | undefined): { readonly file: string; readonly version: string; readonly known: number; readonly versionId?: string } {
  return { file, version: shown(version), known: VM_JSON_VERSION, ...(version === undefined ? { versionId: 'missing' } : {}) }
}

const SHOWN = 60

function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`
}
