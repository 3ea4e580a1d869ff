/** The desktop app: windows, services and VMs put together, from the first window to the end. */
import { rm } from 'node:fs/promises'
import { app, Menu } from 'electron'
import { serveRequests, type ServerTransport, type WindowId } from '../ipc/server'
import { Services, temporaryPaths } from '../ipc/services'
import { sentence, VmManager, type Library, type WorkerFactory } from '../vmm'
import type { Wanted } from './command-line'
import { ElectronDesktop } from './electron-desktop'
import { ElectronTransport } from './electron-transport'
import { notify } from './notifications'
import { isOwnPage, PAGE_URL, servePage } from './page-protocol'
import { AppTray } from './tray'
import { Windows } from './windows'
import { wordsFor, type Words } from './words'

export interface VitrineAppOptions {
  readonly library: Library
  readonly workers: WorkerFactory
  /** Folders and files of the built app. */
  readonly rendererFolder: string
  readonly preload: string
  readonly icon: string
  /** Where the page comes from while it is being written. */
  readonly developmentUrl: string | undefined
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class VitrineApp {
  private readonly transport = new ElectronTransport()
  private readonly windows: Windows
  private readonly services: Services
  private readonly tray: AppTray
  /** What a window is to show when its page asks; undefined: nothing. Once it has asked it is told by events. */
  private readonly wanted = new Map<WindowId, string | undefined>()
  private ending = false
  private readonly temporaryFolder: string

  /** When Electron is ready. */
  constructor(private readonly options: VitrineAppOptions) {
    const folder = app.getPath('userData')
    this.temporaryFolder = temporaryPaths(folder).location
    const words = (): Words => wordsFor(this.services.preferences.current.language)
    // No menu: the page has its own, and Electron's would take keys that are the guest's.
    Menu.setApplicationMenu(null)
    servePage(options.rendererFolder)
    this.windows = new Windows({
      url: options.developmentUrl ?? PAGE_URL,
      isOwnPage: (url) => isOwnPage(url, options.developmentUrl),
      preload: options.preload,
      icon: options.icon,
      onOpened: (window, page, from) => {
        this.transport.attach(window, page)
        this.services.memories.opened(window, from)
        if (!this.wanted.has(window)) this.wanted.set(window, undefined)
      },
      onMoved: (window, bounds) => this.services.memories.moved(window, bounds),
      onFullScreen: (window, on) => this.transport.emitTo(window, 'window.full-screen-changed', { on }),
      mayClose: (window) => this.mayClose(window),
      onClosed: (window) => {
        this.wanted.delete(window)
        this.services.windowClosed(window)
      },
    })
    const desktop = new ElectronDesktop({ windows: this.windows, words, wantedVm: (window) => this.takeWanted(window) })
    this.services = new Services({
      library: options.library,
      runner: new VmManager({ library: options.library, workers: options.workers }),
      desktop,
      transport: this.observed(),
      folder,
      onMessage: (message) => {
        if (!this.windows.haveFocus && this.services.preferences.current.notifications) notify(message, words(), (vm) => void this.show(vm))
      },
      closeWindows: () => void this.closeWindows(),
      end: () => void this.end(),
    })
    this.tray = new AppTray({
      icon: options.icon,
      words,
      running: () => this.services.runs.on.map((id) => ({ id, name: this.services.runs.running(id)?.name ?? '' })),
      show: (vm) => void this.show(vm),
      quit: () => this.services.quitting.request(this.windows.current, true),
    })
    serveRequests(this.transport, (url) => isOwnPage(url, options.developmentUrl), this.services.handlers)
    this.transport.onDropped(({ url, window }, paths) => {
      if (window !== undefined && isOwnPage(url, options.developmentUrl)) this.services.dropped(window, paths)
    })
  }

  async start(): Promise<void> {
    // Of a run that was killed.
    await rm(this.temporaryFolder, { recursive: true, force: true }).catch(() => undefined)
    await this.services.start()
    app.on('before-quit', (event) => {
      if (this.ending) return
      event.preventDefault()
      this.services.quitting.request(this.windows.current, true)
    })
    app.on('window-all-closed', () => {
      if (this.services.runs.on.length === 0) void this.end()
      else this.tray.update(true)
    })
    app.on('activate', () => void this.show(undefined))
    for (const signal of SIGNALS) process.on(signal, () => this.services.quitting.endNow())
    await this.openWindows()
  }

  /** What a command line asks for. */
  async serve(wanted: Wanted): Promise<void> {
    switch (wanted.kind) {
      case 'nothing':
        return this.show(undefined)
      case 'vm': {
        const found = await this.services.library.find(wanted.vm)
        const listed = found.ok && !(await this.options.library.get(found.value.id)).ok ? await this.services.library.open(found.value.path) : found
        if (!listed.ok) process.stderr.write(`vitrine: ${sentence(listed.problem)}\n`)
        return this.show(listed.ok ? listed.value.id : undefined)
      }
      case 'machine': {
        const made = await this.services.library.createTemporary(wanted.name, wanted.hardware)
        if (!made.ok) {
          process.stderr.write(`vitrine: ${sentence(made.problem)}\n`)
          return this.show(undefined)
        }
        await this.show(made.value.id)
        const started = await this.services.runs.power(made.value, 'power-on')
        if (!started.ok) process.stderr.write(`vitrine: ${sentence(started.problem)}\n`)
      }
    }
  }

  // ---- windows ----------------------------------------------------------------------------------------------------------------------------

  /** Comes to the front, with a VM's tab. */
  private async show(vm: string | undefined): Promise<void> {
    if (this.windows.number === 0) await this.openWindows()
    const window = this.windows.current
    if (window === undefined) return
    if (this.wanted.has(window)) this.wanted.set(window, vm ?? this.wanted.get(window))
    else this.transport.emitTo(window, 'window.show-vm', vm === undefined ? {} : { vm })
    this.windows.show(window)
  }

  private async openWindows(): Promise<void> {
    this.tray.update(false)
    const [first, ...others] = await this.services.memories.load()
    for (const from of others) this.windows.open(from)
    this.windows.open(first)
  }

  private async closeWindows(): Promise<void> {
    await this.services.memories.freeze()
    this.windows.closeAll()
  }

  private takeWanted(window: WindowId): string | undefined {
    const vm = this.wanted.get(window)
    this.wanted.delete(window)
    return vm
  }

  /** The last window is the app's end for whatever runs. */
  private mayClose(window: WindowId): boolean {
    if (this.ending || this.windows.number > 1 || this.services.runs.on.length === 0) return true
    this.services.quitting.request(window, false)
    return false
  }

  // ---- what the windows are told is of interest to the tray and the desktop too -----------------------------------------------------------

  private observed(): Pick<ServerTransport, 'emit' | 'emitTo' | 'openPort'> {
    const { transport } = this
    return {
      emit: (name, payload) => {
        transport.emit(name, payload)
        if (name === 'vm.changed' && this.windows.number === 0) this.withoutWindows()
      },
      emitTo: transport.emitTo,
      openPort: (window, stream, number) => transport.openPort(window, stream, number),
    }
  }

  private withoutWindows(): void {
    if (this.services.runs.on.length > 0) this.tray.update(true)
    else void this.end()
  }

  private async end(): Promise<void> {
    if (this.ending) return
    this.ending = true
    this.services.close()
    this.tray.update(false)
    await this.services.memories.freeze().catch(() => undefined)
    await rm(this.temporaryFolder, { recursive: true, force: true }).catch(() => undefined)
    app.quit()
  }
}
