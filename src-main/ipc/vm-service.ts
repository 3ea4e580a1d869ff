/** One VM's settings, devices, and what can be asked of it while it runs. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { problem, reportRegion, writeAtomically, fileProblem, type CdromJson, type Json, type LibraryVm, type Patch, type RegionSnapshot, type RegionSummary as VmmRegionSummary, type Result } from '../vmm'
import { IpcError, type ConsoleDown, type Outcome, type ProblemDto, type RegionDescription, type RegionSummary, type RequestInput, type SerialDown, type StreamName, type VmCard } from './contract'
import type { Desktop } from './desktop'
import { namedPaths, type KnownPaths } from './known-paths'
import type { LibraryService } from './library-service'
import type { StreamPort } from './ports'
import { done, DONE, problemDto, refusal } from './problem-dto'
import type { HandlersOf, WindowId } from './server'
import type { RunningMachine } from './vm-runner'
import type { VmRuns } from './vm-runs'
import { statsDto } from './vm-stats'

export interface VmServiceOptions {
  readonly library: LibraryService
  readonly runs: VmRuns
  readonly known: KnownPaths
  readonly desktop: Desktop
  readonly openPort: <Down extends ConsoleDown | SerialDown>(window: WindowId, stream: StreamName, number: number) => StreamPort<Down>
}

const LOG_TAIL_BYTES = 1 << 18
const LOG_LINES = 2000
const SECTOR_BYTES = 512

export class VmService {
  private ports = 0

  constructor(private readonly options: VmServiceOptions) {}

  readonly handlers: HandlersOf<'vm'> & HandlersOf<'console'> & HandlersOf<'serial'> = {
    'vm.power': async ({ vm, action }) => done(await this.options.runs.power(await this.options.library.get(vm), action)),
    'vm.settings': async ({ vm }) => {
      const { config, problems } = await this.options.library.get(vm)
      if (config) return { ok: true, value: config }
      return refusal(problems[0] ?? problem('vm-gone', { id: vm }))
    },
    'vm.check-settings': async ({ vm, patch }) => {
      const { name } = await this.checkPaths(vm, patch)
      const library = this.options.library.libraryOf(vm)
      const wanted = patch['name']
      const nameTrouble = typeof wanted === 'string' && wanted !== name ? await library.checkName(wanted, vm) : undefined
      return [...(nameTrouble ? [nameTrouble] : []), ...(await library.check(vm, patch))].map(problemDto)
    },
    'vm.change-settings': ({ vm, patch }) => this.change(vm, patch),
    'vm.add-disk': async ({ vm, bytes }) => {
      await this.options.library.get(vm)
      return this.options.library.changed(await this.options.library.libraryOf(vm).addDisk(vm, wholeSectors(bytes)))
    },
    'vm.expand-disk': async ({ vm, index, bytes }) => {
      await this.options.library.get(vm)
      return this.options.library.changed(await this.options.library.libraryOf(vm).expandDisk(vm, index, wholeSectors(bytes)))
    },
    'vm.set-cdrom': (input) => this.setCdrom(input),
    'vm.screenshot': ({ vm, to }, window) => this.screenshot(vm, to, window),
    'vm.picture': async ({ vm }) => this.options.runs.running(vm)?.screenshot() ?? this.options.runs.elsewhere.screenshot(vm),
    'vm.send-keys': async ({ vm, keys }) => {
      if (this.isElsewhere(vm)) return done(await this.options.runs.elsewhere.sendKeys(vm, keys))
      const machine = await this.machine(vm)
      if (!machine.ok) return machine
      return machine.value.sendKeys(keys) ? DONE : refusal(problem('keys-unknown', { keys }))
    },
    'vm.type-text': async ({ vm, text }) => {
      const { config, name } = await this.options.library.get(vm)
      if (config?.options.isolation.paste === false) return refusal(problem('paste-off', { name }))
      if (this.isElsewhere(vm)) {
        const typed = await this.options.runs.elsewhere.typeText(vm, text)
        return typed.ok ? { ok: true, value: { skipped: typed.value.skipped } } : refusal(typed.problem)
      }
      const machine = await this.machine(vm)
      if (!machine.ok) return machine
      const { skipped } = await machine.value.typeText(text)
      return { ok: true, value: { skipped } }
    },
    'vm.screen-text': async ({ vm }) => this.options.runs.running(vm)?.screenText(),
    'vm.stats': async ({ vm }) => {
      const stats = await this.options.runs.running(vm)?.stats()
      return stats && statsDto(stats, this.options.runs.screenSize(vm))
    },
    'vm.inspect': async ({ vm }) => this.options.runs.running(vm)?.inspect(),
    'vm.device-states': async ({ vm }) => this.options.runs.running(vm)?.deviceStates(),
    'vm.regions': async ({ vm, count }) => {
      const list = await this.options.runs.running(vm)?.regions(count)
      return list && { engine: list.engine, ...(list.regions && { regions: list.regions.map(regionDto) }) }
    },
    'vm.region': async ({ vm, id }) => {
      const region = await this.options.runs.running(vm)?.region(id)
      return region && describeRegion(region)
    },
    'vm.log': async ({ vm }) => tail(join((await this.options.library.get(vm)).path, 'vitrine.log')),
    'console.open': async ({ vm }, window) => {
      const { id, path } = await this.options.library.get(vm)
      const number = ++this.ports
      this.options.runs.record(id, path).console.connect(this.options.openPort<ConsoleDown>(window, 'console', number))
      return number
    },
    'serial.open': async ({ vm, port }, window) => {
      const { id, path, config } = await this.options.library.get(vm)
      const record = this.options.runs.record(id, path)
      const stream = record.serial[port]
      if (!stream) throw new IpcError('vm/not-found', `there is no serial port ${port + 1}`)
      const number = ++this.ports
      stream.connect(this.options.openPort<SerialDown>(window, 'serial', number))
      if (config?.hardware.serialPorts.findIndex(({ kind }) => kind === 'terminal') === port) void record.openRemote(port, this.options.runs.elsewhere)
      return number
    },
    'serial.log': async ({ vm, port, path }) => {
      if (path !== undefined) this.options.known.check(path, 'write')
      const { id, path: folder } = await this.options.library.get(vm)
      const record = this.options.runs.record(id, folder)
      const set = await record.setSerialLog(port, path)
      if (!set.ok) return refusal(set.problem)
      const file = path ?? set.value
      if (file !== undefined) this.options.runs.say(record, 'info', path === undefined ? 'serial-log-ended' : 'serial-log-started', { values: { file } })
      return DONE
    },
  }

  // ---- settings ---------------------------------------------------------------------------------------------------------------------------

  private async checkPaths(id: string, patch: Patch): Promise<LibraryVm> {
    const vm = await this.options.library.get(id)
    this.options.known.checkPatch(patch, vm.path, vm.config ? namedPaths(vm.config) : [])
    return vm
  }

  private async change(id: string, patch: Patch): Promise<Outcome<VmCard>> {
    const { library } = this.options
    const before = await this.checkPaths(id, patch)
    const { name, ...rest } = patch
    if (typeof name === 'string' && name !== before.name) {
      const renamed = await library.libraryOf(id).rename(id, name)
      library.listChanged()
      if (!renamed.ok) return refusal(renamed.problem)
    }
    const changed = await library.libraryOf(id).change(id, rest)
    if (changed.ok) {
      const live = await this.applyCdroms(changed.value)
      if (!live.ok) return refusal(live.problem)
    }
    return library.changed(changed)
  }

  /** Discs are changed at once, everything else counts from the next power-on. */
  private async applyCdroms(after: LibraryVm): Promise<Result<undefined>> {
    const running = this.options.runs.running(after.id)
    const drives = after.config?.hardware.cdroms ?? []
    // Drives that were added or removed are not in the machine (yet).
    if (!running || drives.length !== running.config.hardware.cdroms.length) return DONE
    for (const [index, { file, connected }] of drives.entries()) {
      const old = running.config.hardware.cdroms[index]
      if (old?.file === file && old?.connected === connected) continue
      const set = await running.setCdrom(index, { connected, ...(file === undefined ? {} : { file }) })
      if (!set.ok) return set
    }
    return DONE
  }

  private async setCdrom({ vm: id, index, file, connected, force = false }: RequestInput<'vm.set-cdrom'>): Promise<Outcome<VmCard>> {
    const vm = await this.options.library.get(id)
    const drives = vm.config?.hardware.cdroms
    if (!drives?.[index]) return refusal(problem('no-such-device', { name: vm.name }))
    const cdroms = drives.map((drive, i): Json => disc(i === index ? { file, connected } : drive))
    const patch = { hardware: { cdroms } }
    await this.checkPaths(id, patch)
    const running = this.options.runs.running(id)
    if (running?.config.hardware.cdroms[index]) {
      // First in the machine: a guest may have locked the tray.
      const live = await running.setCdrom(index, { file, connected, force })
      if (!live.ok) return refusal(live.problem)
    }
    const changed = await this.change(id, patch)
    if (changed.ok) {
      const inserted = file !== undefined && connected
      this.options.runs.say(vm, 'info', inserted ? 'cd-inserted' : 'cd-ejected', { values: { drive: index + 1, file: file ?? '' } })
    }
    return changed
  }

  // ---- of one that runs -------------------------------------------------------------------------------------------------------------------

  /** Another process runs it, and answers. */
  private isElsewhere(id: string): boolean {
    return this.options.runs.running(id) === undefined && this.options.runs.elsewhere.state(id) !== undefined
  }

  private async machine(id: string): Promise<{ readonly ok: true; readonly value: RunningMachine } | { readonly ok: false; readonly problem: ProblemDto }> {
    const running = this.options.runs.running(id)
    if (running) return { ok: true, value: running }
    const { name } = await this.options.library.get(id)
    return refusal(problem('not-on', { name }))
  }

  private async screenshot(id: string, to: 'file' | 'clipboard', window: WindowId): Promise<Outcome<string | undefined>> {
    const { runs, library } = this.options
    const { name } = await library.get(id)
    const running = runs.running(id)
    if (!running && !this.isElsewhere(id)) return refusal(problem('not-on', { name }))
    const png = await (running ? running.screenshot() : runs.elsewhere.screenshot(id))
    if (!png) return refusal(problem('not-answering', { name }))
    if (to === 'clipboard') {
      await this.options.desktop.writeClipboardImage(png)
      this.options.runs.say({ id }, 'info', 'screenshot-copied')
      return { ok: true, value: undefined }
    }
    const path = await this.options.desktop.choose(window, 'screenshot', `${name.replace(/[/\\:*?"<>|]/g, '-')} ${stamp(new Date())}.png`)
    if (path === undefined) return { ok: true, value: undefined }
    try {
      await writeAtomically(path, png)
    } catch (error) {
      return refusal(fileProblem(error, path))
    }
    this.options.runs.say({ id }, 'info', 'screenshot-saved', { values: { file: path } })
    return { ok: true, value: path }
  }
}

function disc({ file, connected }: CdromJson): Json {
  return { connected, ...(file === undefined ? {} : { file }) }
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES
}

/** Local time, in a form that sorts and that every file system takes. */
function stamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`
}

async function tail(path: string): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return []
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - LOG_TAIL_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n').filter((line) => line !== '')
    return lines.slice(from > 0 ? 1 : 0).slice(-LOG_LINES)
  } finally {
    await file.close()
  }
}

function regionDto({ id, address, codeBits, flat, hot, instructions, blocks, entries, codeBytes, wasmBytes, runs, linked }: VmmRegionSummary): RegionSummary {
  return { id, address, codeBits, flat, hot, instructions, blocks, entries, codeBytes, wasmBytes, runs, linked }
}

/** Emitted anew from its snapshot in this thread: the VM's own goes on. */
async function describeRegion(region: RegionSnapshot): Promise<RegionDescription> {
  const { x86, passes, wasmText, wasm, steps } = await reportRegion(region)
  return { ...regionDto(region), x86: x86.join('\n'), passes: [...passes], wasmText, moduleBytes: wasm.length, steps: [...steps] }
}
