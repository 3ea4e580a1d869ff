/** The user's preferences: a file of the app's. What is wrong in it counts as its default, is told, and stays as it is until the user changes it. */
import { mergePatch, problem, type JsonObject, type Patch, type Problem, type Result } from '../vmm'
import { Preferences } from './contract'
import { JsonStore } from './json-store'

export class PreferencesStore {
  private readonly store: JsonStore
  private now: Preferences = Preferences.parse({})

  constructor(path: string) {
    this.store = new JsonStore(path)
  }

  get current(): Preferences {
    return this.now
  }

  /** Answers what is wrong with the file. */
  async load(): Promise<readonly Problem[]> {
    const read = await this.store.read()
    if (!read.ok) return [read.problem]
    const { preferences, wrong } = understand(read.value)
    this.now = preferences
    return wrong.map((key) => problem('preference-wrong', { file: this.store.path, key }, { file: this.store.path, key }))
  }

  /** undefined: the patch is no patch of preferences. */
  async change(patch: Patch): Promise<Result<Preferences> | undefined> {
    const wanted = understand(mergePatch(asDocument(this.now), patch, () => false))
    if (wanted.wrong.length > 0 || Object.keys(patch).some((key) => !(key in Preferences.shape))) return undefined
    const updated = await this.store.update((document) => mergePatch(document, patch, () => false))
    if (!updated.ok) return updated
    this.now = understand(updated.value).preferences
    return { ok: true, value: this.now }
  }
}

/** Each key for itself, so that one slip does not void the others. */
function understand(document: JsonObject): { readonly preferences: Preferences; readonly wrong: readonly string[] } {
  const wrong: string[] = []
  const good: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(Preferences.shape)) {
    if (!Object.hasOwn(document, key)) continue
    const parsed = schema.safeParse(document[key])
    if (parsed.success) good[key] = parsed.data
    else wrong.push(key)
  }
  return { preferences: Preferences.parse(good), wrong }
}

function asDocument(preferences: Preferences): JsonObject {
  return JSON.parse(JSON.stringify(preferences)) as JsonObject // plain data
}
