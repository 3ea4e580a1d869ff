/** A VM on disk: the folder `<Name>.vitrine/` and the files in it that are ours. */
import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { hostEpochMs } from '../../time/host-clock'
import { removeLeftovers, syncFolder, writeAtomically } from '../../support/write-atomically'
import { formatDocument, mergePatch, readBounded, type JsonObject, type Patch } from './json-document'
import { inUseProblem, lockHolder, takeLock, withLock, type Lock, type LockHolder } from './lock'
import { fail, fileProblem, ok, problem, systemCode, type Problem, type Result } from './problem'
import { exists } from './process-identity'
import { namedFiles, type NamedFile } from './vm-json/machine-config'
import { checkVmJson, readVmJson, type VmDocument } from './vm-json/read'
import { isElementKey, VM_JSON_VERSION } from './vm-json/schema'
import type { VmJson } from './vm-json/types'

export const FOLDER_SUFFIX = '.vitrine'
export const VM_JSON = 'vm.json'
export const VM_LOG = 'vitrine.log'
export const THUMBNAIL = 'thumbnail.png'
const LOCKS = 'vitrine.lock'
/** vm.json as an older Vitrine left it, before this one first wrote it. */
const earlierName = (version: number): string => `vm.json.version-${version}`

const MAX_FOLDER_NAME_BYTES = 200

/** A name that every file system takes, also those of sticks. */
export function folderName(name: string): string {
  let plain = name.replace(/[/\\:*?"<>|]/g, '-').replace(/^\.+/, '-')
  while (Buffer.byteLength(plain) > MAX_FOLDER_NAME_BYTES) plain = [...plain].slice(0, -1).join('')
  return `${/^(con|prn|aux|nul|com\d|lpt\d)$/i.test(plain) ? `${plain}-` : plain}${FOLDER_SUFFIX}`
}

export interface NewDisk {
  /** In the VM's folder. */
  readonly file: string
  readonly bytes: number
}

const SECTOR_BYTES = 512
export const MAX_DISK_BYTES: number = 2 ** 41 - SECTOR_BYTES

export class VmFolder {
  constructor(readonly path: string) {}

  file(name: string): string {
    return resolve(this.path, name)
  }

  get vmJson(): string {
    return this.file(VM_JSON)
  }

  /**
   * Makes the folder with everything in it under a name of its own and then gives it its name, so that a VM is there whole or not at all. A folder
   * that has the name already is left alone: the next gets a number.
   */
  static async create(parent: string, config: JsonObject & { readonly name: string }, disks: readonly NewDisk[] = []): Promise<Result<VmFolder>> {
    const checked = checkVmJson(config, VM_JSON)
    if (!checked.ok) return checked
    for (const disk of disks) {
      const wrong = diskProblem(disk)
      if (wrong) return fail(wrong)
    }
    const making = join(parent, `.vitrine-${process.pid}-${randomUUID()}.new`)
    try {
      await mkdir(parent, { recursive: true })
      await removeUnfinished(parent)
      await mkdir(making)
      for (const disk of disks) await makeDisk(join(making, disk.file), disk.bytes)
      await writeAtomically(join(making, VM_JSON), formatDocument(config))
      const path = await claimName(making, parent, config.name)
      await syncFolder(parent)
      return ok(new VmFolder(path))
    } catch (error) {
      await rm(making, { recursive: true, force: true }).catch(() => undefined)
      return fail(fileProblem(error, parent))
    }
  }

  /** Finds the folder that a path names: itself, or its vm.json. */
  static async find(path: string): Promise<Result<VmFolder>> {
    try {
      const real = await realpath(path)
      const folder = (await stat(real)).isDirectory() ? real : basename(real) === VM_JSON ? dirname(real) : undefined
      if (folder === undefined) return fail(problem('not-a-vm', { file: path }, { file: path }))
      await access(join(folder, VM_JSON))
      return ok(new VmFolder(folder))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return fail(problem('folder-without-vm-json', { file: path }, { file: path }))
      return fail(fileProblem(error, path))
    }
  }

  async read(): Promise<Result<VmDocument>> {
    try {
      return readVmJson(await readBounded(this.vmJson), this.vmJson)
    } catch (error) {
      return fail(await this.readTrouble(error))
    }
  }

  /** The bytes of vm.json, to see whether it has changed; undefined: it cannot be read. */
  async fingerprint(): Promise<Uint8Array | undefined> {
    return readBounded(this.vmJson).catch(() => undefined)
  }

  /** Merges `patch` into vm.json (mergePatch); nothing is written when the outcome would be wrong. `isAllowed` sees what is there at that moment. */
  async change(patch: Patch, program: string, isAllowed: (now: VmJson, next: VmJson) => Problem | undefined = () => undefined): Promise<Result<VmJson>> {
    return withLock(this.file(`${LOCKS}/edit`), program, async () => {
      const now = await this.read()
      if (!now.ok) return now
      const { document, config, fileVersion } = now.value
      const next = mergePatch(document, patch, isElementKey)
      const checked = checkVmJson(next, this.vmJson)
      if (!checked.ok) return checked
      const refused = isAllowed(config, checked.value)
      if (refused) return fail(refused)
      try {
        if (fileVersion !== VM_JSON_VERSION) await writeAtomically(this.file(earlierName(fileVersion)), await readBounded(this.vmJson))
        await writeAtomically(this.vmJson, formatDocument(next))
        return checked
      } catch (error) {
        return fail(fileProblem(error, this.vmJson))
      }
    })
  }

  /** Gives the folder the name that belongs to the VM's; answers where it is then. */
  async moveTo(name: string): Promise<Result<VmFolder>> {
    const parent = dirname(this.path)
    if (basename(this.path) === folderName(name)) return ok(this)
    try {
      const path = await claimName(this.path, parent, name)
      await syncFolder(parent)
      return ok(new VmFolder(path))
    } catch (error) {
      return fail(fileProblem(error, this.path))
    }
  }

  /** A new empty disk under the next free name; answers the name. */
  async addDisk(bytes: number): Promise<Result<string>> {
    const names = new Set(await readdir(this.path).catch(() => []))
    let file = 'disk.img'
    for (let number = 2; names.has(file); number++) file = `disk-${number}.img`
    const wrong = diskProblem({ file, bytes })
    if (wrong) return fail(wrong)
    try {
      await makeDisk(this.file(file), bytes)
      await syncFolder(this.path)
      return ok(file)
    } catch (error) {
      return fail(fileProblem(error, this.file(file)))
    }
  }

  /** Makes a raw disk larger. The caller has the VM locked. */
  async growDisk(file: string, bytes: number): Promise<Result<undefined>> {
    const path = this.file(file)
    const wrong = diskProblem({ file: basename(path), bytes }, false)
    if (wrong) return fail(wrong)
    try {
      const disk = await open(path, 'r+')
      try {
        const { size } = await disk.stat()
        if (bytes <= size) return fail(problem('disk-not-larger', { file: path, now: size }, { file: path }))
        await disk.truncate(bytes)
        await disk.sync()
      } finally {
        await disk.close()
      }
      return ok(undefined)
    } catch (error) {
      return fail(fileProblem(error, path))
    }
  }

  /** For as long as the VM runs. */
  async lock(program: string): Promise<Result<Lock>> {
    const lock = await takeLock(this.file(`${LOCKS}/run`), program)
    // A process that was killed in the middle of a write left something behind; now nobody else writes here.
    if (lock.ok) await removeLeftovers(this.path, exists)
    return lock.ok || lock.problem.code !== 'folder/read-only' ? lock : fail(this.readOnly())
  }

  async holder(): Promise<LockHolder | undefined> {
    return lockHolder(this.file(`${LOCKS}/run`)).catch(() => undefined)
  }

  /** Files that are named and not there or not usable, and a folder that cannot be written to. */
  async fileProblems(config: VmJson): Promise<readonly Problem[]> {
    const problems: Problem[] = []
    for (const file of namedFiles(config, this.path)) {
      const { key, what, path, writable } = file
      try {
        const info = await stat(path)
        if (!info.isFile()) problems.push(problem(`${what}-not-a-file`, { file: path }, { file: path, key }))
        else await access(path, writable ? constants.R_OK | constants.W_OK : constants.R_OK)
      } catch (error) {
        problems.push(missing(error, file))
      }
    }
    try {
      await access(this.path, constants.W_OK)
    } catch {
      problems.push(this.readOnly())
    }
    return problems
  }

  private readOnly(): Problem {
    return problem('folder-not-writable', { file: this.path }, { file: this.path })
  }

  private async readTrouble(error: unknown): Promise<Problem> {
    if (systemCode(error) !== 'ENOENT') return problem('vm-json-unreadable', { file: this.vmJson, detail: error instanceof Error ? error.message : String(error) }, { file: this.vmJson })
    const there = await stat(this.path).catch(() => undefined)
    return there?.isDirectory()
      ? problem('vm-json-missing', { file: this.vmJson }, { file: this.vmJson })
      : problem('folder-missing', { file: this.path }, { file: this.path })
  }
}

function missing(error: unknown, { what, path, key, writable }: NamedFile): Problem {
  const at = { file: path, key }
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return problem(`${what}-missing`, { file: path }, at)
    default:
      return writable ? problem('disk-not-writable', { file: path }, at) : problem(`${what}-unreadable`, { file: path }, at)
  }
}

/** Names in a VM's folder that are the VM's own, whatever vm.json says. */
export function isOurs(name: string): boolean {
  return name === VM_JSON || name === LOCKS || name === THUMBNAIL || /^(vm\.json\.version-\d+|vitrine\.log(\.\d+)?|suspended\.(json|state(\.\d+)?)|crashed\.state|\.vm\.json\.\d+-\d+\.tmp)$/.test(name)
}

function diskProblem({ file, bytes }: NewDisk, isNew: boolean = true): Problem | undefined {
  if (isNew && (file !== basename(file) || file.startsWith('.') || isOurs(file))) return problem('disk-name-bad', { file }, { file })
  const isPossible = Number.isInteger(bytes) && bytes >= SECTOR_BYTES && bytes <= MAX_DISK_BYTES && bytes % SECTOR_BYTES === 0
  return isPossible ? undefined : problem('disk-size-impossible', { file, bytes, sector: SECTOR_BYTES }, { file })
}

async function makeDisk(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.truncate(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** rename() would take the place of an empty folder, so a name is first claimed by making one. */
async function claimName(from: string, parent: string, name: string): Promise<string> {
  const wanted = folderName(name)
  for (let number = 1; ; number++) {
    const path = join(parent, number === 1 ? wanted : `${wanted.slice(0, -FOLDER_SUFFIX.length)} ${number}${FOLDER_SUFFIX}`)
    try {
      await mkdir(path)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' || number >= 1000) throw error
      continue
    }
    try {
      await rename(from, path)
    } catch (error) {
      await rmdir(path).catch(() => undefined)
      throw error
    }
    return path
  }
}

/** The process may be another computer's, which this one cannot see. */
const UNFINISHED_PATIENCE_MS = 3_600_000
const UNFINISHED = /^\.vitrine-(?<pid>\d+)-[0-9a-f-]{36}\.new$/

/** What processes left that were killed while they made a VM. */
async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = UNFINISHED.exec(name)?.groups?.['pid']
    if (pid === undefined || exists(Number(pid))) continue
    const path = join(parent, name)
    const changed = await stat(path).then(({ mtimeMs }) => mtimeMs, () => Infinity)
    if (hostEpochMs() - changed > UNFINISHED_PATIENCE_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** For messages where the holder is known and the lock was not asked for. */
export function inUse(folder: string, holder: LockHolder): Problem {
  return inUseProblem(holder, folder)
}
