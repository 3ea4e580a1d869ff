/**
 * Tells what others change in the library: compares what is there with what was last known. What we write ourselves is told to us first (`wrote...`), so it
 * makes no difference; neither does a touch that changes nothing.
 */
import { dirname, join } from 'node:path'
import type { LibraryVm } from './describe-vm'
import type { LibraryContents } from './listed-vms'
import { FolderWatcher } from './watcher'

export type LibraryEvent =
  /** VMs were added or removed, or folders, favourites, order, recent ones changed. */
  | { readonly kind: 'list-changed' }
  /** vm.json, its files, its lock or its state. */
  | { readonly kind: 'vm-changed'; readonly vm: LibraryVm }

export interface LibraryView {
  contents(): Promise<LibraryContents>
  /** undefined: the library does not have it. */
  vm(id: string): Promise<LibraryVm | undefined>
  /** Not while the library itself changes something. */
  exclusive(work: () => Promise<void>): Promise<void>
}

/** The part of the contents that is in the inventory. */
export type LibraryList = Pick<LibraryContents, 'folders' | 'recent' | 'location' | 'problems'> & { readonly machines: readonly Pick<LibraryVm, 'id' | 'favourite' | 'folder'>[] }

const LIST = ''
/** A process that is killed tells nobody, and the lock that it held becomes free without a trace on disk. */
const HOLDERS_MS = 2000

export class LibraryWatch {
  private readonly watcher: FolderWatcher
  private readonly holders: NodeJS.Timeout
  private list = ''
  private readonly vms = new Map<string, string>()
  private readonly heldByOthers = new Set<string>()
  private closed = false

  constructor(
    private readonly inventory: string,
    private readonly view: LibraryView,
    private readonly listener: (event: LibraryEvent) => void,
  ) {
    this.watcher = new FolderWatcher((keys) => this.check(keys), matters)
    this.holders = setInterval(() => this.check(this.heldByOthers), HOLDERS_MS)
    this.holders.unref()
  }

  async start(): Promise<void> {
    const contents = await this.view.contents()
    this.list = listKey(contents)
    for (const vm of contents.machines) this.note(vm)
    this.follow(contents)
  }

  /** We have made `after` of `before`; when that was not what we knew, another has changed it too, and that is still to be told. */
  wroteList(before: LibraryList, after: LibraryList): void {
    if (this.list === listKey(before)) this.list = listKey(after)
    this.check(new Set([LIST]))
  }

  wroteVm(vm: LibraryVm): void {
    this.note(vm)
  }

  close(): void {
    this.closed = true
    clearInterval(this.holders)
    this.watcher.close()
  }

  private check(keys: ReadonlySet<string>): void {
    if (this.closed || keys.size === 0) return
    const wanted = [...keys]
    this.view.exclusive(() => this.compare(wanted)).catch(() => undefined) // what cannot be read is in the contents, as a problem
  }

  private async compare(keys: readonly string[]): Promise<void> {
    if (this.closed) return
    if (keys.includes(LIST)) {
      const contents = await this.view.contents()
      this.follow(contents)
      const key = listKey(contents)
      const changed = key !== this.list
      this.list = key
      if (changed) this.listener({ kind: 'list-changed' })
      const there = new Set(contents.machines.map(({ id }) => id))
      for (const id of this.vms.keys()) if (!there.has(id)) this.forget(id)
      for (const vm of contents.machines) this.compareVm(vm)
      return
    }
    for (const id of keys) {
      const vm = await this.view.vm(id)
      if (vm) this.compareVm(vm)
    }
  }

  private compareVm(vm: LibraryVm): void {
    const old = this.vms.get(vm.id)
    this.note(vm)
    // A VM that was not there is told with the list.
    if (!this.closed && old !== undefined && old !== this.vms.get(vm.id)) this.listener({ kind: 'vm-changed', vm })
  }

  private note(vm: LibraryVm): void {
    const { favourite: _inList, folder: _too, ...rest } = vm
    this.vms.set(vm.id, JSON.stringify(rest))
    if (vm.holder !== undefined && vm.holder.pid !== process.pid) this.heldByOthers.add(vm.id)
    else this.heldByOthers.delete(vm.id)
  }

  private forget(id: string): void {
    this.vms.delete(id)
    this.heldByOthers.delete(id)
  }

  private follow({ machines }: LibraryContents): void {
    const folders = new Map([[dirname(this.inventory), LIST]])
    for (const { id, path } of machines) {
      folders.set(path, id)
      folders.set(join(path, 'vitrine.lock', 'run'), id)
    }
    this.watcher.follow(folders)
  }
}

/** Not every write of a running VM to its disks and its log, nor what comes before a rename. */
function matters(event: string, name: string): boolean {
  if (name.endsWith('.tmp') || name.startsWith('thumbnail.') || name.startsWith('vitrine.log') || name === 'inventory.json.lock' || name.startsWith('taking-')) return false
  return event === 'rename' || name.endsWith('.json') || name.endsWith('.vitrine') || /^\d{10}$/.test(name)
}

function listKey({ machines, folders, recent, location, problems }: LibraryList): string {
  return JSON.stringify([machines.map(({ id, favourite, folder }) => [id, favourite, folder]), folders, recent, location, problems])
}
