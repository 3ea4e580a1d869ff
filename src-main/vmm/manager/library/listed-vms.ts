/** The VMs that the library lists: the inventory read together with what is on disk, changed one after the other, and told to who watches. */
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { describeVm, type LibraryVm } from './describe-vm'
import * as edit from './inventory'
import { InventoryFile, type FolderEntry, type Inventory, type MachineEntry } from './inventory'
import { LibraryWatch, type LibraryEvent, type LibraryList } from './library-watch'
import type { LibraryPaths } from './paths'
import { fail, ok, problem, type Problem, type Result } from './problem'
import { FOLDER_SUFFIX, VmFolder } from './vm-folder'

export interface LibraryContents {
  readonly machines: readonly LibraryVm[]
  readonly folders: readonly FolderEntry[]
  readonly recent: readonly string[]
  /** Where new VMs go. */
  readonly location: string
  /** With the list itself. */
  readonly problems: readonly Problem[]
}

const MAX_LISTED = 2000

export class ListedVms {
  private readonly inventory: InventoryFile
  private readonly watches = new Set<LibraryWatch>()
  private tail: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly paths: LibraryPaths,
    program: string,
  ) {
    this.inventory = new InventoryFile(paths.inventory, program)
  }

  async contents(): Promise<LibraryContents> {
    const read = await this.inventory.read()
    if (!read.ok) {
      // The VMs are still there, only the list is not: better an incomplete one than none.
      const machines = await Promise.all((await this.scan(this.paths.location)).map((entry) => describeVm(entry)))
      return { machines, folders: [], recent: [], location: this.paths.location, problems: [read.problem] }
    }
    const { folders, recent, location } = read.value
    const machines = await Promise.all(read.value.machines.slice(0, MAX_LISTED).map((entry) => this.describe(entry)))
    return { machines, folders, recent: recent.filter((id) => machines.some((vm) => vm.id === id)), location: location ?? this.paths.location, problems: [] }
  }

  async get(id: string): Promise<Result<LibraryVm>> {
    const entry = await this.entry(id)
    return entry.ok ? ok(await this.describe(entry.value)) : entry
  }

  /** VM folders in a folder that the library does not list ("Scan for Virtual Machines"). */
  async unlisted(folder: string): Promise<readonly string[]> {
    const read = await this.inventory.read()
    const listed = new Set(read.ok ? read.value.machines.map(({ path }) => path) : [])
    return (await this.scan(folder)).map(({ path }) => path).filter((path) => !listed.has(path))
  }

  /** Tells what others change from now on; call the result to end it. */
  async watch(listener: (event: LibraryEvent) => void): Promise<() => void> {
    await mkdir(dirname(this.paths.inventory), { recursive: true, mode: 0o700 }).catch(() => undefined)
    const watch = new LibraryWatch(this.paths.inventory, { contents: () => this.contents(), vm: (id) => this.get(id).then((found) => (found.ok ? found.value : undefined)), exclusive: (work) => this.exclusive(work) }, listener)
    await this.exclusive(() => watch.start())
    this.watches.add(watch)
    return () => {
      this.watches.delete(watch)
      watch.close()
    }
  }

  /** One after the other: what we write ourselves is known before a watch looks. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.tail.then(work, work)
    this.tail = mine.catch(() => undefined)
    return mine
  }

  /** Tells the watches of a VM that we have changed. */
  async known(vm: LibraryVm): Promise<LibraryVm> {
    for (const watch of this.watches) watch.wroteVm(vm)
    return vm
  }

  /** Of the inventory. */
  async update(change: (now: Inventory) => Result<Inventory | undefined>): Promise<Result<Inventory>> {
    let before: Inventory | undefined
    const updated = await this.inventory.update((now) => {
      before = now
      return change(now)
    })
    if (before && updated.ok) for (const watch of this.watches) watch.wroteList(this.listOf(before), this.listOf(updated.value))
    return updated
  }

  /** As contents() shows it. */
  private listOf({ machines, folders, recent, location }: Inventory): LibraryList {
    return { machines, folders, recent: recent.filter((id) => machines.some((other) => other.id === id)), location: location ?? this.paths.location, problems: [] }
  }

  /** A change of the inventory alone. */
  async editInventory(change: (now: Inventory) => Result<Inventory>): Promise<Result<undefined>> {
    return this.exclusive(async () => {
      const updated = await this.update(change)
      return updated.ok ? ok(undefined) : updated
    })
  }

  /** After something that we did to the VM there. */
  async lookAgain(path: string): Promise<void> {
    if (this.watches.size === 0) return
    const read = await this.inventory.read()
    const entry = read.ok ? read.value.machines.find((other) => other.path === path) : undefined
    if (entry) await this.known(await describeVm(entry))
  }

  /** What the inventory has of a VM. */
  async entry(id: string): Promise<Result<MachineEntry>> {
    const read = await this.inventory.read()
    if (!read.ok) return read
    const entry = read.value.machines.find((other) => other.id === id)
    return entry ? ok(entry) : fail(problem('vm-gone', { id }))
  }

  /** Lists a VM, or changes how it is listed; who watches knows it then. */
  async enter(machine: Omit<MachineEntry, 'rest' | 'favourite'>): Promise<Result<LibraryVm>> {
    const { id, path, name, folder } = machine
    const updated = await this.update((now) => {
      const known = folder !== undefined && now.folders.some((other) => other.id === folder)
      return ok(edit.addMachine(now, { id, path, name, ...(known ? { folder } : {}) }))
    })
    const entry = updated.ok ? updated.value.machines.find((other) => other.id === id) : undefined
    if (!updated.ok) return updated
    return ok(await this.known(await describeVm(entry ?? { id, path, name, favourite: false })))
  }

  /** A folder that was renamed by hand is found again beside its old place. */
  private async describe(entry: MachineEntry): Promise<LibraryVm> {
    const vm = await describeVm(entry)
    if (vm.problems[0]?.code !== 'folder/missing') return vm
    const moved = (await this.scan(dirname(entry.path))).find(({ id }) => id === entry.id)
    if (!moved) return vm
    await this.update((now) => ok(edit.editMachine(now, entry.id, { path: moved.path })))
    return describeVm({ ...entry, path: moved.path })
  }

  private async scan(folder: string): Promise<readonly Omit<MachineEntry, 'rest'>[]> {
    const names = await readdir(folder).catch(() => [])
    const found = []
    for (const name of names.filter((other) => other.endsWith(FOLDER_SUFFIX) && !other.startsWith('.')).slice(0, MAX_LISTED)) {
      const path = join(resolve(folder), name)
      const read = await new VmFolder(path).read()
      if (read.ok) found.push({ id: read.value.config.id, path, name: read.value.config.name, favourite: false })
    }
    return found
  }
}
