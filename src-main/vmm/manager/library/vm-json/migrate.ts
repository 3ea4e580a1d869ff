/** Forward only: each step makes of a document of its version one of the next. Steps are never changed after a release. */
import type { JsonObject } from '../json-document'

export type Migration = (document: JsonObject) => JsonObject

/** MIGRATIONS[n] leads from version n + 1 to n + 2. */
const MIGRATIONS: readonly Migration[] = []

export type Migrated = { readonly kind: 'current'; readonly document: JsonObject; readonly from: number } | { readonly kind: 'newer'; readonly version: number } | { readonly kind: 'unknown' }

export function migrate(document: JsonObject, steps: readonly Migration[] = MIGRATIONS): Migrated {
  const { version } = document
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return { kind: 'unknown' }
  const current = steps.length + 1
  if (version > current) return { kind: 'newer', version }
  let migrated = document
  for (let at = version; at < current; at++) migrated = { ...(steps[at - 1]?.(migrated) ?? migrated), version: at + 1 }
  return { kind: 'current', document: migrated, from: version }
}
