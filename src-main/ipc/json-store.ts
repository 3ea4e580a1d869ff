/** A JSON file of the app's: written atomically, read anew before each change, and never written over when it cannot be understood. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail, fileProblem, formatDocument, ok, parseDocument, problem, readBounded, writeAtomically, type JsonObject, type Result } from '../vmm'

export class JsonStore {
  private tail: Promise<unknown> = Promise.resolve()

  constructor(readonly path: string) {}

  /** {}: there is none yet. */
  async read(): Promise<Result<JsonObject>> {
    let bytes: Uint8Array
    try {
      bytes = await readBounded(this.path)
    } catch (error) {
      return isMissing(error) ? ok({}) : fail(fileProblem(error, this.path))
    }
    const parsed = parseDocument(bytes)
    return parsed.ok ? ok(parsed.document) : fail(problem('preferences-garbled', { file: this.path, detail: parsed.why }, { file: this.path }))
  }

  /** One after the other. `change` gets what is there at that moment. */
  async update(change: (now: JsonObject) => JsonObject): Promise<Result<JsonObject>> {
    const mine = this.tail.then(() => this.write(change))
    this.tail = mine.catch(() => undefined)
    return mine
  }

  private async write(change: (now: JsonObject) => JsonObject): Promise<Result<JsonObject>> {
    const now = await this.read()
    if (!now.ok) return now
    const next = change(now.value)
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      await writeAtomically(this.path, formatDocument(next))
      return ok(next)
    } catch (error) {
      return fail(fileProblem(error, this.path))
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
