/** The library behind the contract. Temporary VMs (machine options on the command line) have a small library of their own, and are listed after the others. */
import { namedPaths, type KnownPaths } from './known-paths'
import { problem, type Library, type LibraryContents, type LibraryVm, type Patch, type Result } from '../vmm'
import { resolve } from 'node:path'
import { IpcError, type LibraryDto, type Outcome, type RequestInput, type VmCard } from './contract'
import type { Desktop } from './desktop'
import type { MessageLog } from './message-log'
import { done, problemDto, refusal } from './problem-dto'
import type { Emit, HandlersOf } from './server'
import type { Thumbnails } from './thumbnails'
import { deviceSummaries, vmCard } from './vm-card'
import type { VmRuns } from './vm-runs'

export interface LibraryServiceOptions {
  readonly library: Library
  readonly temporary: Library
  readonly runs: VmRuns
  readonly thumbnails: Thumbnails
  readonly known: KnownPaths
  readonly messages: MessageLog
  readonly desktop: Desktop
  readonly emit: Emit
}

/** Several changes at once are told once. */
const TELL_AFTER_MS = 30
const DEMO_NAME = 'Demo Guest'
const DEMO_MEMORY_MIB = 64

export class LibraryService {
  private readonly temporaryIds = new Set<string>()
  private listTimer: NodeJS.Timeout | undefined
  private readonly vmTimers = new Map<string, NodeJS.Timeout>()
  private unwatch: (() => void) | undefined
  private telling: Promise<void> = Promise.resolve()

  constructor(private readonly options: LibraryServiceOptions) {}

  // ---- for the other services -----------------------------------------------------------------------------------------------------------

  /** What is changed by others is told to the windows from now on. */
  async watch(): Promise<void> {
    this.unwatch = await this.options.library.watch((event) => {
      if (event.kind === 'list-changed') this.listChanged()
      else this.vmChanged(event.vm.id)
    })
  }

  close(): void {
    this.unwatch?.()
    clearTimeout(this.listTimer)
    for (const timer of this.vmTimers.values()) clearTimeout(timer)
  }

  libraryOf(id: string): Library {
    return this.temporaryIds.has(id) ? this.options.temporary : this.options.library
  }

  /** Throws what the request is answered with. */
  async get(id: string): Promise<LibraryVm> {
    const found = await this.libraryOf(id).get(id)
    if (!found.ok) throw new IpcError('vm/not-found', found.problem.message)
    this.learn(found.value)
    return found.value
  }

  async find(wanted: string): Promise<Result<LibraryVm>> {
    const found = await this.options.library.find(wanted)
    if (found.ok) this.learn(found.value)
    return found
  }

  async open(path: string): Promise<Result<LibraryVm>> {
    const added = await this.options.library.add(path)
    this.listChanged()
    return added
  }

  /** A VM for this run of the app. */
  async createTemporary(name: string, hardware: Patch): Promise<Result<LibraryVm>> {
    const { temporary } = this.options
    let free = name
    for (let number = 2; await temporary.checkName(free); number++) free = `${name} ${number}`
    const made = await temporary.create({ name: free, settings: { hardware, options: { onClose: 'power-off' } } })
    if (made.ok) this.temporaryIds.add(made.value.id)
    this.listChanged()
    return made
  }

  /** What it is doing is as of the moment when all is ready: nothing that was told meanwhile is taken back. */
  async cards(vms: readonly LibraryVm[]): Promise<VmCard[]> {
    const ready = await Promise.all(vms.map(async (vm) => {
      this.learn(vm)
      this.options.runs.elsewhere.saw(vm)
      return { vm, devices: await deviceSummaries(vm) }
    }))
    return ready.map(({ vm, devices }) => vmCard(vm, devices, this.options.runs.facts(vm.id), this.temporaryIds.has(vm.id)))
  }

  async changed(result: Result<LibraryVm>): Promise<Outcome<VmCard>> {
    if (!result.ok) return refusal(result.problem)
    this.vmChanged(result.value.id)
    return this.shown(result.value)
  }

  /** Tells the windows, soon. */
  vmChanged(id: string): void {
    if (this.vmTimers.has(id)) return
    this.vmTimers.set(id, setTimeout(() => {
      this.vmTimers.delete(id)
      this.soon(async () => {
        const found = await this.libraryOf(id).get(id)
        const [card] = found.ok ? await this.cards([found.value]) : []
        if (card) this.options.emit('vm.changed', card)
      })
    }, TELL_AFTER_MS))
  }

  listChanged(): void {
    this.listTimer ??= setTimeout(() => {
      this.listTimer = undefined
      this.soon(async () => this.options.emit('library.changed', await this.contents()))
    }, TELL_AFTER_MS)
  }

  /** One after the other, so that what is older is told first. What cannot be read now is read with the next change. */
  private soon(tell: () => Promise<void>): void {
    this.telling = this.telling.then(tell).catch(() => undefined)
  }

  private async shown(vm: LibraryVm): Promise<Outcome<VmCard>> {
    const [card] = await this.cards([vm])
    return card ? { ok: true, value: card } : refusal(problem('vm-gone', { id: vm.id }))
  }

  async contents(): Promise<LibraryDto> {
    const [listed, temporary] = await Promise.all([this.options.library.contents(), this.options.temporary.contents()])
    const machines = await this.cards([...listed.machines, ...this.current(temporary)])
    this.options.known.know(listed.location, 'write')
    return {
      machines,
      folders: listed.folders.map(({ id, name, parent }) => ({ id, name, ...(parent === undefined ? {} : { parent }) })),
      recent: [...listed.recent],
      location: listed.location,
      problems: listed.problems.map(problemDto),
    }
  }

  // ---- requests ---------------------------------------------------------------------------------------------------------------------------

  readonly handlers: HandlersOf<'library'> = {
    'library.contents': () => this.contents(),
    'library.create': (input) => this.create(input),
    'library.check-name': async ({ name, location }) => {
      if (location !== undefined) this.options.known.check(location, 'write')
      const trouble = await this.options.library.checkName(name)
      return trouble && problemDto(trouble)
    },
    'library.open': async ({ path, as }) => {
      this.options.known.check(path, 'read')
      const added = await this.options.library.add(path, as)
      return this.listed(added, 'opened')
    },
    'library.scan': async ({ folder }) => {
      this.options.known.check(folder, 'read')
      const found = await this.options.library.unlisted(folder)
      for (const path of found) this.options.known.know(path, 'read')
      return [...found]
    },
    'library.create-demo': () => this.createDemo(),
    'library.remove': async ({ vm }) => this.remove(vm),
    'library.delete': async ({ vm }) => this.delete(vm),
    'library.rename': async ({ vm, name }) => {
      await this.get(vm)
      const renamed = await this.libraryOf(vm).rename(vm, name)
      this.listChanged()
      return this.changed(renamed)
    },
    'library.set-favourite': async ({ vm, favourite }) => this.edited(await this.options.library.setFavourite(await this.kept(vm), favourite)),
    'library.place': async ({ vm, folder, before }) => this.edited(await this.options.library.place(await this.kept(vm), folder, before)),
    'library.create-folder': async ({ name, parent }) => {
      const made = await this.options.library.createFolder(name, parent)
      this.listChanged()
      return made.ok ? { ok: true, value: made.value } : refusal(made.problem)
    },
    'library.rename-folder': async ({ folder, name }) => this.edited(await this.options.library.renameFolder(folder, name)),
    'library.place-folder': async ({ folder, parent, before }) => this.edited(await this.options.library.placeFolder(folder, parent, before)),
    'library.remove-folder': async ({ folder }) => this.edited(await this.options.library.removeFolder(folder)),
    'library.thumbnail': async ({ vm }) => {
      const { id } = await this.get(vm)
      return (await this.options.thumbnails.live(id)) ?? this.libraryOf(id).thumbnail(id)
    },
    'library.watch-thumbnails': ({ vms }, window) => {
      this.options.thumbnails.watch(window, vms)
    },
    'library.discard-suspended': async ({ vm }) => {
      await this.get(vm)
      return this.changed(await this.libraryOf(vm).discardSuspendedState(vm))
    },
    'library.show-folder': async ({ vm }) => {
      this.options.desktop.showFolder((await this.get(vm)).path)
    },
  }

  private async create({ name, description, guest, hardware, options, newDisks, location, folder }: RequestInput<'library.create'>): Promise<Outcome<VmCard>> {
    const { known, library } = this.options
    known.checkPatch({ guest, hardware, options }, undefined)
    if (location !== undefined) known.check(location, 'write')
    const made = await library.create({
      name,
      settings: { ...(description === undefined ? {} : { description }), ...(guest && { guest }), ...(hardware && { hardware }), ...(options && { options }) },
      newDisks,
      ...(location === undefined ? {} : { location }),
      ...(folder === undefined ? {} : { folder }),
    })
    return this.listed(made, 'created')
  }

  /** The one that is there already, or a new one. */
  private async createDemo(): Promise<Outcome<VmCard>> {
    const { library } = this.options
    const { machines } = await library.contents()
    const there = machines.find(({ config, problems }) => config?.hardware.demoDisk === true && config.hardware.disks.length === 0 && problems.length === 0)
    if (there) return this.shown(there)
    let name = DEMO_NAME
    for (let number = 2; await library.checkName(name); number++) name = `${DEMO_NAME} ${number}`
    return this.listed(await library.create({ name, settings: { hardware: { memoryMiB: DEMO_MEMORY_MIB, demoDisk: true } } }), 'created')
  }

  private async remove(id: string): Promise<Outcome<undefined>> {
    const vm = await this.get(id)
    if (this.options.runs.running(id)) throw new IpcError('vm/bad-state', `${vm.name} is powered on`)
    if (this.temporaryIds.has(id)) return this.delete(id)
    const removed = await this.options.library.remove(id)
    if (removed.ok) this.options.messages.add({ level: 'info', id: 'removed', vm: id, vmName: vm.name })
    return this.edited(removed)
  }

  private async delete(id: string): Promise<Outcome<undefined>> {
    const vm = await this.get(id)
    if (this.options.runs.running(id)) throw new IpcError('vm/bad-state', `${vm.name} is powered on`)
    const deleted = await this.libraryOf(id).deleteFromDisk(id)
    if (deleted.ok) {
      this.temporaryIds.delete(id)
      this.options.messages.add({ level: 'info', id: 'deleted', vm: id, vmName: vm.name, values: { kept: deleted.value.kept.length } })
    }
    return this.edited(deleted)
  }

  private async listed(result: Result<LibraryVm>, said: 'created' | 'opened'): Promise<Outcome<VmCard>> {
    if (result.ok) this.options.messages.add({ level: 'info', id: said, vm: result.value.id, vmName: result.value.name })
    this.listChanged()
    return this.changed(result)
  }

  private edited(result: Result<unknown>): Outcome<undefined> {
    this.listChanged()
    return done(result)
  }

  /** One that has a place in the library. */
  private async kept(id: string): Promise<string> {
    const vm = await this.get(id)
    if (this.temporaryIds.has(id)) throw new IpcError('vm/bad-state', problem('temporary-vm', { name: vm.name }).message)
    return id
  }

  private current({ machines }: LibraryContents): readonly LibraryVm[] {
    return machines.filter(({ id }) => this.temporaryIds.has(id))
  }

  /** Files that its settings name may be described again; the dialogs show them. */
  private learn({ path, config }: LibraryVm): void {
    if (config) for (const named of namedPaths(config)) this.options.known.know(resolve(path, named.path), 'read')
  }
}
