/**
 * What the library shows: one file in the user's configuration folder (docs/vm-json.md, "The inventory"). Several programs may change it: each change is made to
 * what the file holds at that moment, under a lock. What is not understood in it is kept.
 */
import { constants, copyFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeAtomically } from '../../support/write-atomically'
import { formatDocument, isObject, parseDocument, readBounded, type Json, type JsonObject } from './json-document'
import { withLock } from './lock'
import { fail, fileProblem, ok, problem, systemCode, type Result } from './problem'

const VERSION = 1
const MAX_RECENT = 20

export interface MachineEntry {
  readonly id: string
  /** Of the VM's folder, absolute. */
  readonly path: string
  /** As it was last seen: shown while vm.json cannot be read. */
  readonly name: string
  readonly favourite: boolean
  /** The library folder that it is in; undefined: the top. */
  readonly folder?: string | undefined
  /** Keys that are not known here. */
  readonly rest: JsonObject
}

export interface FolderEntry {
  readonly id: string
  readonly name: string
  /** undefined: the top. */
  readonly parent?: string | undefined
  readonly rest: JsonObject
}

export interface Inventory {
  /** Where new VMs go; undefined: the default. */
  readonly location?: string | undefined
  /** In the order in which they are shown; so are folders. */
  readonly machines: readonly MachineEntry[]
  readonly folders: readonly FolderEntry[]
  /** VMs that were used, the latest first. */
  readonly recent: readonly string[]
  readonly rest: JsonObject
  /** Elements of the lists that are not understood. */
  readonly strange: { readonly machines: readonly Json[]; readonly folders: readonly Json[] }
}

const EMPTY: Inventory = { machines: [], folders: [], recent: [], rest: {}, strange: { machines: [], folders: [] } }

const id = z.string().min(1).max(100)
const Machine = z.object({ id, path: z.string().min(1).max(4096).startsWith('/'), name: z.string().max(200).default(''), favourite: z.boolean().default(false), folder: id.optional() })
const Folder = z.object({ id, name: z.string().min(1).max(200), parent: id.optional() })
const KNOWN = ['version', 'location', 'machines', 'folders', 'recent']

export class InventoryFile {
  constructor(
    readonly path: string,
    private readonly program: string,
  ) {}

  async read(): Promise<Result<Inventory>> {
    let bytes: Uint8Array
    try {
      bytes = await readBounded(this.path)
    } catch (error) {
      return systemCode(error) === 'ENOENT' ? ok(EMPTY) : fail(fileProblem(error, this.path))
    }
    return parseInventory(bytes, this.path)
  }

  /** `change` gets what the file holds now, whoever wrote it; it answers undefined when there is nothing to change. */
  async update(change: (now: Inventory) => Result<Inventory | undefined>): Promise<Result<Inventory>> {
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
    } catch (error) {
      return fail(fileProblem(error, this.path))
    }
    return withLock(`${this.path}.lock`, this.program, async () => {
      const read = await this.read()
      if (!read.ok && read.problem.code !== 'inventory/broken') return read
      const now = read.ok ? read.value : EMPTY
      const next = change(now)
      if (!next.ok) return next
      if (next.value === undefined) return ok(now)
      try {
        if (!read.ok) await this.putAside()
        await writeAtomically(this.path, formatDocument(toDocument(next.value)))
        return ok(next.value)
      } catch (error) {
        return fail(fileProblem(error, this.path))
      }
    })
  }

  /** A file that cannot be read is not overwritten: someone may want to repair it. */
  private async putAside(): Promise<void> {
    for (let number = 1; ; number++) {
      try {
        return await copyFile(this.path, `${this.path}.broken-${number}`, constants.COPYFILE_EXCL)
      } catch (error) {
        if (systemCode(error) !== 'EEXIST' || number >= 100) throw error
      }
    }
  }
}


export function parseInventory(bytes: Uint8Array, file: string): Result<Inventory> {
  const parsed = parseDocument(bytes)
  if (!parsed.ok) return fail(problem('inventory-garbled', { file, detail: parsed.why }, { file }))
  const { document } = parsed
  const { version } = document
  if (typeof version === 'number' && version > VERSION) {
    return fail(problem('inventory-newer', { file, version, known: VERSION }, { file, key: 'version' }))
  }
  if (version !== VERSION) return fail(problem('inventory-version', { file, version: JSON.stringify(version) ?? 'missing', known: VERSION }, { file, key: 'version' }))
  const folders = entries(document['folders'], Folder)
  const machines = entries(document['machines'], Machine)
  const known = new Set(folders.good.map((folder) => folder.id))
  const { location, recent } = document
  return ok({
    ...(typeof location === 'string' && location.startsWith('/') ? { location } : {}),
    // A folder that is not there, or lies in itself, would hide what is in it.
    machines: machines.good.map((machine) => (machine.folder === undefined || known.has(machine.folder) ? machine : { ...machine, folder: undefined })),
    folders: withoutCycles(folders.good),
    recent: Array.isArray(recent) ? [...new Set((recent as readonly Json[]).filter((item): item is string => typeof item === 'string'))].slice(0, MAX_RECENT) : [],
    rest: without(document, KNOWN),
    strange: { machines: machines.strange, folders: folders.strange },
  })
}

/** One bad element must not take the others with it; the second of two with the same id is one. */
function entries<T extends { readonly id: string }>(value: Json | undefined, schema: z.ZodType<T> & { readonly shape: Readonly<Record<string, unknown>> }): { readonly good: readonly (T & { readonly rest: JsonObject })[]; readonly strange: readonly Json[] } {
  const good = new Map<string, T & { readonly rest: JsonObject }>()
  const strange: Json[] = []
  for (const element of Array.isArray(value) ? (value as readonly Json[]) : []) {
    const checked = schema.safeParse(element)
    if (!checked.success || !isObject(element) || good.has(checked.data.id)) strange.push(element)
    else good.set(checked.data.id, { ...checked.data, rest: without(element, Object.keys(schema.shape)) })
  }
  return { good: [...good.values()], strange }
}

function withoutCycles(folders: readonly FolderEntry[]): readonly FolderEntry[] {
  const parents = new Map(folders.map((folder) => [folder.id, folder.parent]))
  return folders.map((folder) => {
    const seen = new Set([folder.id])
    for (let at = folder.parent; at !== undefined; at = parents.get(at)) {
      if (seen.has(at) || !parents.has(at)) {
        parents.set(folder.id, undefined)
        return { ...folder, parent: undefined }
      }
      seen.add(at)
    }
    return folder
  })
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

function toDocument({ location, machines, folders, recent, rest, strange }: Inventory): JsonObject {
  return {
    version: VERSION,
    ...(location === undefined ? {} : { location }),
    machines: [
      ...machines.map(({ id: machine, path, name, favourite, folder, rest: others }) => ({ id: machine, path, name, ...(favourite ? { favourite } : {}), ...(folder === undefined ? {} : { folder }), ...others })),
      ...strange.machines,
    ],
    folders: [...folders.map(({ id: folder, name, parent, rest: others }) => ({ id: folder, name, ...(parent === undefined ? {} : { parent }), ...others })), ...strange.folders],
    recent: recent.slice(0, MAX_RECENT),
    ...rest,
  }
}

// ---- changes, as functions of what is there ---------------------------------------------------------------------------------------------

export function addMachine(now: Inventory, machine: Omit<MachineEntry, 'rest' | 'favourite'>): Inventory {
  const old = now.machines.find((other) => other.id === machine.id)
  const entry = { favourite: false, rest: {}, ...old, ...machine }
  return { ...now, machines: old ? now.machines.map((other) => (other === old ? entry : other)) : [...now.machines, entry] }
}

export function removeMachine(now: Inventory, machine: string): Inventory {
  return { ...now, machines: now.machines.filter((other) => other.id !== machine), recent: now.recent.filter((other) => other !== machine) }
}

export function editMachine(now: Inventory, machine: string, edit: Partial<Pick<MachineEntry, 'path' | 'name' | 'favourite'>>): Inventory {
  return { ...now, machines: now.machines.map((other) => (other.id === machine ? { ...other, ...edit } : other)) }
}

/** Into a folder (undefined: the top), before another VM of it or at its end. */
export function placeMachine(now: Inventory, machine: string, folder: string | undefined, before?: string): Result<Inventory> {
  const moved = now.machines.find((other) => other.id === machine)
  if (!moved) return fail(problem('vm-gone', { id: machine }))
  if (folder !== undefined && !now.folders.some((other) => other.id === folder)) return fail(problem('folder-gone', { id: folder }))
  const others = now.machines.filter((other) => other !== moved)
  const at = others.findIndex((other) => other.id === before)
  return ok({ ...now, machines: inserted(others, at, { ...moved, folder }) })
}

export function addFolder(now: Inventory, folder: Omit<FolderEntry, 'rest'>): Result<Inventory> {
  if (folder.parent !== undefined && !now.folders.some((other) => other.id === folder.parent)) return fail(problem('folder-gone', { id: folder.parent }))
  return ok({ ...now, folders: [...now.folders, { ...folder, rest: {} }] })
}

export function renameFolder(now: Inventory, folder: string, name: string): Result<Inventory> {
  if (!now.folders.some((other) => other.id === folder)) return fail(problem('folder-gone', { id: folder }))
  return ok({ ...now, folders: now.folders.map((other) => (other.id === folder ? { ...other, name } : other)) })
}

/** Into another folder (undefined: the top), but not into itself; before a sibling or at the end. */
export function placeFolder(now: Inventory, folder: string, parent: string | undefined, before?: string): Result<Inventory> {
  const moved = now.folders.find((other) => other.id === folder)
  if (!moved) return fail(problem('folder-gone', { id: folder }))
  for (let at = parent; at !== undefined; at = now.folders.find((other) => other.id === at)?.parent) {
    if (at === folder) return fail(problem('folder-into-itself', { name: moved.name }))
    if (!now.folders.some((other) => other.id === at)) return fail(problem('folder-gone', { id: at }))
  }
  const others = now.folders.filter((other) => other !== moved)
  const at = others.findIndex((other) => other.id === before)
  return ok({ ...now, folders: inserted(others, at, { ...moved, parent }) })
}

/** What was in it moves up to where it was. */
export function removeFolder(now: Inventory, folder: string): Result<Inventory> {
  const gone = now.folders.find((other) => other.id === folder)
  if (!gone) return fail(problem('folder-gone', { id: folder }))
  return ok({
    ...now,
    folders: now.folders.filter((other) => other !== gone).map((other) => (other.parent === folder ? { ...other, parent: gone.parent } : other)),
    machines: now.machines.map((other) => (other.folder === folder ? { ...other, folder: gone.parent } : other)),
  })
}

export function markUsed(now: Inventory, machine: string): Inventory {
  return { ...now, recent: [machine, ...now.recent.filter((other) => other !== machine)].slice(0, MAX_RECENT) }
}

/** Below 0: at the end. */
function inserted<T>(list: readonly T[], at: number, item: T): readonly T[] {
  return at < 0 ? [...list, item] : [...list.slice(0, at), item, ...list.slice(at)]
}
