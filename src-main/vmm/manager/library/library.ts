/** The library: the VMs that the inventory lists, and everything that can be done with them while they do not run. Answers are values; nothing here throws. */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { describeVm, type LibraryVm } from './describe-vm'
import * as edit from './inventory'
import { mergePatch, type JsonObject, type Patch } from './json-document'
import type { LibraryEvent } from './library-watch'
import { ListedVms, type LibraryContents } from './listed-vms'
import { fail, ok, problem, type Problem, type Result } from './problem'
import { libraryPaths, type LibraryPaths } from './paths'
import { discardSuspended, readSuspended, firstDifference } from './suspended'
import { readThumbnail } from './thumbnail'
import { deleteVm, type Deleted } from './vm-delete'
import { FOLDER_SUFFIX, inUse, VmFolder, type NewDisk } from './vm-folder'
import { checkVmJson } from './vm-json/read'
import { namedFiles } from './vm-json/machine-config'
import { isElementKey, isVmName, MAX_NAME_LENGTH, VM_JSON_VERSION } from './vm-json/schema'
import { powerOnProblems, VmSession } from './vm-session'

export interface LibraryOptions {
  /** As lock holders and logs name us, such as "Vitrine" or "vitrine start". */
  readonly program: string
  readonly paths?: LibraryPaths
}

export interface NewVm {
  readonly name: string
  /** Keys of vm.json (docs/vm-json.md); what is missing gets its default. Paths are absolute. */
  readonly settings?: { readonly description?: string; readonly guest?: Patch; readonly hardware?: Patch; readonly options?: Patch }
  /** Made empty in the VM's folder; they come before the disks that `settings` names. */
  readonly newDisks?: readonly NewDisk[]
  /** The folder in which the VM's own is made; undefined: the library's. */
  readonly location?: string
  /** Of the library. */
  readonly folder?: string
}

export class Library {
  private readonly list: ListedVms
  private readonly program: string

  constructor({ program, paths }: LibraryOptions) {
    this.program = program
    this.list = new ListedVms(paths ?? libraryPaths(), program)
  }

  // ---- what is there ------------------------------------------------------------------------------------------------------------------

  async contents(): Promise<LibraryContents> {
    return this.list.contents()
  }

  async get(id: string): Promise<Result<LibraryVm>> {
    return this.list.get(id)
  }

  /** By id, name (upper and lower case alike when that is clear) or path; a path need not be in the library. */
  async find(wanted: string): Promise<Result<LibraryVm>> {
    const { machines, problems } = await this.list.contents()
    const byId = machines.find(({ id }) => id === wanted)
    if (byId) return ok(byId)
    const named = machines.filter(({ name }) => name === wanted)
    const found = named.length > 0 ? named : machines.filter(({ name }) => sameName(name, wanted))
    const [first, second] = found
    if (first && second) return fail(problem('name-ambiguous', { name: wanted, count: found.length, ids: found.map(({ id }) => id).join(' or ') }))
    if (first) return ok(first)
    if (wanted.includes('/') || wanted.endsWith(FOLDER_SUFFIX)) return this.findPath(wanted, machines)
    const [broken] = problems
    if (broken) return fail(broken)
    return fail(problem('name-unknown', { name: wanted }))
  }

  async thumbnail(id: string): Promise<Uint8Array | undefined> {
    const entry = await this.list.entry(id)
    return entry.ok ? readThumbnail(new VmFolder(entry.value.path)) : undefined
  }

  // ---- VMs --------------------------------------------------------------------------------------------------------------------------------

  async create({ name, settings = {}, newDisks = [], location, folder }: NewVm): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const free = await this.freeName(name)
      if (!free.ok) return free
      const { hardware } = settings
      const listed = hardware?.['disks']
      const given = Array.isArray(listed) ? (listed as readonly JsonObject[]) : []
      const disks = newDisks.length === 0 ? {} : { disks: [...newDisks.filter(({ file }) => !given.some((disk) => disk.file === file)).map(({ file }) => ({ file })), ...given] }
      const wanted = { version: VM_JSON_VERSION, id: randomUUID(), name, ...settings, hardware: { ...hardware, ...disks } }
      const checked = checkVmJson(plain(wanted), 'the new virtual machine')
      if (!checked.ok) return checked
      const parent = location ?? (await this.list.contents()).location
      const made = await VmFolder.create(resolve(parent), { ...plain(checked.value), name }, newDisks)
      if (!made.ok) return made
      return this.list.enter({ id: checked.value.id, path: made.value.path, name, folder })
    })
  }

  /**
   * Adds a VM that is on disk ("Open"). One whose id is in the library at another place that still has it has been copied: `as` says whether it gets an id of
   * its own, or takes the other's place.
   */
  async add(path: string, as?: 'copied' | 'moved'): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const found = await VmFolder.find(path)
      if (!found.ok) return found
      const vm = found.value
      const read = await vm.read()
      if (!read.ok) return read
      let { id } = read.value.config
      const { name } = read.value.config
      const listed = await this.list.entry(id)
      if (listed.ok && listed.value.path !== vm.path && as !== 'moved') {
        const other = await new VmFolder(listed.value.path).read()
        if (other.ok && other.value.config.id === id) {
          if (as !== 'copied') {
            return fail(problem('vm-copied', { file: vm.path, other: listed.value.path }, { file: vm.path }))
          }
          id = randomUUID()
          const changed = await vm.change({ id }, this.program)
          if (!changed.ok) return changed
        }
      }
      return this.list.enter({ id, path: vm.path, name })
    })
  }

  /** Takes a VM out of the library; nothing on disk changes. */
  async remove(id: string): Promise<Result<undefined>> {
    return this.list.editInventory((now) => ok(edit.removeMachine(now, id)))
  }

  /** Deletes what belongs to the VM, and takes it out of the library. */
  async deleteFromDisk(id: string): Promise<Result<Deleted>> {
    return this.list.exclusive(async () => {
      const entry = await this.list.entry(id)
      return entry.ok ? this.deleteAt(entry.value.path, id) : entry
    })
  }

  /** The same for one that the library need not know. */
  async deleteFolder(path: string): Promise<Result<Deleted>> {
    return this.list.exclusive(async () => {
      const found = await VmFolder.find(path)
      return found.ok ? this.deleteAt(found.value.path, undefined) : found
    })
  }

  /** The folder follows, unless the VM runs. */
  async rename(id: string, name: string): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const entry = await this.list.entry(id)
      if (!entry.ok) return entry
      const free = await this.freeName(name, id)
      if (!free.ok) return free
      const vm = new VmFolder(entry.value.path)
      const lock = await vm.lock(this.program)
      if (!lock.ok && lock.problem.code !== 'vm/locked') return lock
      let path: Result<string>
      try {
        path = await this.renameAt(vm, name, lock.ok)
      } finally {
        if (lock.ok) await lock.value.release()
      }
      return path.ok ? this.list.enter({ id, path: path.value, name, folder: entry.value.folder }) : path
    })
  }

  /** Answers where the VM is then. The name counts; a folder that cannot be moved keeps its own. */
  private async renameAt(vm: VmFolder, name: string, withFolder: boolean): Promise<Result<string>> {
    const changed = await vm.change({ name, ...(withFolder ? await relativePaths(vm) : {}) }, this.program)
    if (!changed.ok) return changed
    const moved = withFolder ? await vm.moveTo(name) : ok(vm)
    return ok(moved.ok ? moved.value.path : vm.path)
  }

  /** Merges into vm.json (RFC 7396: null takes a key away). Hardware stays as it is while the VM is suspended: its state would not fit. */
  async change(id: string, patch: Patch): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const entry = await this.list.entry(id)
      if (!entry.ok) return entry
      const vm = new VmFolder(entry.value.path)
      const suspended = await readSuspended(vm)
      const changed = await vm.change(patch, this.program, (now, next) => {
        if (next.id !== now.id) return problem('id-is-fixed', {}, { key: 'id' })
        const key = !suspended.ok || suspended.value ? firstDifference(now.hardware, next.hardware, 'hardware') : undefined
        return key === undefined ? undefined : problem('setting-while-suspended', { key }, { key })
      })
      if (!changed.ok) return changed
      return this.list.enter({ ...entry.value, name: changed.value.name })
    })
  }

  /** What would be wrong with it after such a change, before and at power-on. Nothing is written. */
  async check(id: string, patch: Patch): Promise<readonly Problem[]> {
    const entry = await this.list.entry(id)
    if (!entry.ok) return [entry.problem]
    const vm = new VmFolder(entry.value.path)
    const read = await vm.read()
    if (!read.ok) return [read.problem]
    const checked = checkVmJson(mergePatch(read.value.document, patch, isElementKey), vm.vmJson)
    return checked.ok ? powerOnProblems(vm, checked.value) : [checked.problem]
  }

  /** Why a new VM could not have this name; undefined: it can. */
  async checkName(name: string, except?: string): Promise<Problem | undefined> {
    const free = await this.freeName(name, except)
    return free.ok ? undefined : free.problem
  }

  /** Makes an empty disk in the VM's folder, the last of its disks. */
  async addDisk(id: string, bytes: number): Promise<Result<LibraryVm>> {
    const found = await this.list.get(id)
    if (!found.ok) return found
    const { config, path, problems, state } = found.value
    const [trouble] = problems
    if (!config) return fail(trouble ?? problem('vm-gone', { id }))
    if (state === 'suspended') return fail(problem('setting-while-suspended', { key: 'hardware.disks' }, { key: 'hardware.disks' }))
    const vm = new VmFolder(path)
    const made = await vm.addDisk(bytes)
    if (!made.ok) return made
    const changed = await this.change(id, { hardware: { disks: [...config.hardware.disks.map((disk) => ({ ...disk })), { file: made.value }] } })
    if (!changed.ok) await rm(vm.file(made.value), { force: true }).catch(() => undefined)
    return changed
  }

  /** Makes a disk larger; the VM is off. What is in it (partitions, file systems) stays as it is. */
  async expandDisk(id: string, index: number, bytes: number): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const entry = await this.list.entry(id)
      if (!entry.ok) return entry
      const vm = new VmFolder(entry.value.path)
      const lock = await vm.lock(this.program)
      if (!lock.ok) return lock
      try {
        const grown = await growDisk(vm, index, bytes)
        if (!grown.ok) return grown
      } finally {
        await lock.value.release()
      }
      return ok(await this.list.known(await describeVm(entry.value)))
    })
  }

  /** Gives the suspended state up: the next start is a power-on. */
  async discardSuspendedState(id: string): Promise<Result<LibraryVm>> {
    return this.list.exclusive(async () => {
      const entry = await this.list.entry(id)
      if (!entry.ok) return entry
      const vm = new VmFolder(entry.value.path)
      const lock = await vm.lock(this.program)
      if (!lock.ok) return lock
      try {
        const discarded = await discardSuspended(vm)
        if (!discarded.ok) return discarded
      } finally {
        await lock.value.release()
      }
      return ok(await this.list.known(await describeVm(entry.value)))
    })
  }

  /** Locks and checks a VM to run it; `path` as LibraryVm has it. */
  async begin(path: string): Promise<Result<VmSession>> {
    return this.list.exclusive(async () => {
      const session = await VmSession.begin(new VmFolder(path), this.program, (work) => this.list.exclusive(() => work().then(() => this.list.lookAgain(path))))
      if (!session.ok) return session
      const { id } = session.value.config
      await this.list.update((now) => ok(now.machines.some((other) => other.id === id) ? edit.markUsed(now, id) : undefined))
      await this.list.lookAgain(path)
      return session
    })
  }

  // ---- the list -----------------------------------------------------------------------------------------------------------------------------

  async setFavourite(id: string, favourite: boolean): Promise<Result<undefined>> {
    return this.list.editInventory((now) => ok(edit.editMachine(now, id, { favourite })))
  }

  async place(id: string, folder: string | undefined, before?: string): Promise<Result<undefined>> {
    return this.list.editInventory((now) => edit.placeMachine(now, id, folder, before))
  }

  async createFolder(name: string, parent?: string): Promise<Result<string>> {
    if (!isVmName(name)) return fail(badName(name))
    const id = randomUUID()
    const added = await this.list.editInventory((now) => edit.addFolder(now, { id, name, parent }))
    return added.ok ? ok(id) : added
  }

  async renameFolder(folder: string, name: string): Promise<Result<undefined>> {
    return isVmName(name) ? this.list.editInventory((now) => edit.renameFolder(now, folder, name)) : fail(badName(name))
  }

  async placeFolder(folder: string, parent: string | undefined, before?: string): Promise<Result<undefined>> {
    return this.list.editInventory((now) => edit.placeFolder(now, folder, parent, before))
  }

  /** What is in it moves up. */
  async removeFolder(folder: string): Promise<Result<undefined>> {
    return this.list.editInventory((now) => edit.removeFolder(now, folder))
  }

  /** Where new VMs go; undefined: the default. */
  async setLocation(location: string | undefined): Promise<Result<undefined>> {
    if (location !== undefined && !isAbsolute(location)) return fail(problem('location-not-absolute', { location }))
    return this.list.editInventory((now) => ok({ ...now, location }))
  }

  /** VM folders in a folder that the library does not list ("Scan for Virtual Machines"). */
  async unlisted(folder: string): Promise<readonly string[]> {
    return this.list.unlisted(folder)
  }

  /** Tells what others change from now on; call the result to end it. */
  async watch(listener: (event: LibraryEvent) => void): Promise<() => void> {
    return this.list.watch(listener)
  }

  // ---- parts ---------------------------------------------------------------------------------------------------------------------------------

  private async findPath(path: string, machines: readonly LibraryVm[]): Promise<Result<LibraryVm>> {
    const found = await VmFolder.find(path)
    if (!found.ok) return found
    const listed = machines.find((vm) => vm.path === found.value.path)
    if (listed) return ok(listed)
    const read = await found.value.read()
    return read.ok ? ok(await describeVm({ id: read.value.config.id, path: found.value.path, name: read.value.config.name, favourite: false })) : read
  }

  private async freeName(name: string, except?: string): Promise<Result<undefined>> {
    if (!isVmName(name)) return fail(badName(name))
    const { machines } = await this.list.contents()
    const other = machines.find((vm) => vm.id !== except && sameName(vm.name, name))
    return other ? fail(problem('name-taken', { name, other: other.path })) : ok(undefined)
  }

  private async deleteAt(path: string, id: string | undefined): Promise<Result<Deleted>> {
    const vm = new VmFolder(path)
    const read = await vm.read()
    if (!read.ok && read.problem.code === 'folder/missing') return fail(read.problem)
    const others = (await this.list.contents()).machines.filter((other) => other.path !== path)
    const othersUse = new Set(others.flatMap((other) => (other.config ? namedFiles(other.config, other.path).map((file) => file.path) : [])))
    const lock = await vm.lock(this.program)
    if (!lock.ok) {
      const holder = await vm.holder()
      return fail(holder ? inUse(path, holder) : lock.problem)
    }
    let deleted: Result<Deleted>
    try {
      deleted = await deleteVm(vm, read.ok ? read.value.config : undefined, othersUse)
    } finally {
      await lock.value.release()
    }
    if (!deleted.ok || id === undefined) return deleted
    const updated = await this.list.update((now) => ok(edit.removeMachine(now, id)))
    return updated.ok ? deleted : updated
  }
}

async function growDisk(vm: VmFolder, index: number, bytes: number): Promise<Result<undefined>> {
  const read = await vm.read()
  if (!read.ok) return read
  const suspended = await readSuspended(vm)
  if (!suspended.ok) return suspended
  const key = `hardware.disks[${index}]`
  if (suspended.value) return fail(problem('setting-while-suspended', { key }, { key }))
  const disk = read.value.config.hardware.disks[index]
  return disk ? vm.growDisk(disk.file, bytes) : fail(problem('no-such-device', { name: read.value.config.name }, { key }))
}

/** Paths into the VM's own folder, so that they stay right when it gets another name. */
async function relativePaths(vm: VmFolder): Promise<Patch> {
  const read = await vm.read()
  if (!read.ok) return {}
  const prefix = `${vm.path}/`
  const relative = (value: unknown): unknown => {
    if (typeof value === 'string') return value.startsWith(prefix) ? value.slice(prefix.length) : value
    if (Array.isArray(value)) return value.map(relative)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, relative(item)]))
  }
  const { hardware } = read.value.config
  const changed = relative(hardware)
  return firstDifference(hardware, changed, '') === undefined ? {} : { hardware: changed as Patch }
}

function badName(name: string): Problem {
  return problem('name-bad', { name: JSON.stringify(name), most: MAX_NAME_LENGTH })
}

function sameName(a: string, b: string): boolean {
  return a.normalize().toLowerCase() === b.normalize().toLowerCase()
}

/** What zod has made has no undefined in it that JSON would not drop. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
