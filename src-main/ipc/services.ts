/** All services behind the contract, put together: one object that answers every request, and the parts that the app itself uses. */
import { join } from 'node:path'
import { Library, type LibraryPaths } from '../vmm'
import { AppService } from './app-service'
import type { LogMessage } from './contract'
import type { Desktop } from './desktop'
import { FilesService } from './files-service'
import { KnownPaths } from './known-paths'
import { LibraryService } from './library-service'
import { MessageLog } from './message-log'
import { PreferencesStore } from './preferences-store'
import { problemDto } from './problem-dto'
import { Quitting } from './quitting'
import type { Handlers, ServerTransport, WindowId } from './server'
import { Thumbnails } from './thumbnails'
import type { VmRunner } from './vm-runner'
import { VmRuns } from './vm-runs'
import { VmService } from './vm-service'
import { WindowMemories } from './window-memories'

export interface ServicesOptions {
  readonly library: Library
  readonly runner: VmRunner
  readonly desktop: Desktop
  readonly transport: Pick<ServerTransport, 'emit' | 'emitTo' | 'openPort'>
  /** Folder of the app's own files. */
  readonly folder: string
  /** Of the message log. */
  readonly onMessage: (message: LogMessage) => void
  readonly closeWindows: () => void
  readonly end: () => void
}

const PROGRAM = 'Vitrine'
const THUMBNAIL_WIDTH = 320

export class Services {
  readonly handlers: Handlers
  readonly known: KnownPaths = new KnownPaths()
  readonly messages: MessageLog
  readonly preferences: PreferencesStore
  readonly memories: WindowMemories
  readonly runs: VmRuns
  readonly library: LibraryService
  readonly quitting: Quitting
  private readonly thumbnails: Thumbnails

  constructor(private readonly options: ServicesOptions) {
    const { transport, desktop, library, runner, folder, onMessage, closeWindows, end } = options
    const { known } = this
    const { emit, emitTo } = transport
    this.messages = new MessageLog((message) => {
      emit('app.message', message)
      onMessage(message)
    })
    this.preferences = new PreferencesStore(join(folder, 'preferences.json'))
    this.memories = new WindowMemories(join(folder, 'windows.json'))
    this.runs = new VmRuns({ runner, emit, messages: this.messages, filesChanged: (id) => this.library.vmChanged(id), used: () => this.library.listChanged() })
    this.thumbnails = new Thumbnails({ picture: (vm) => this.runs.picture(vm), thumbnail: async (vm) => this.runs.running(vm)?.screenshot(THUMBNAIL_WIDTH) ?? this.runs.elsewhere.screenshot(vm, THUMBNAIL_WIDTH) }, emitTo)
    const temporary = new Library({ program: PROGRAM, paths: temporaryPaths(folder) })
    this.library = new LibraryService({ library, temporary, runs: this.runs, thumbnails: this.thumbnails, known, messages: this.messages, desktop, emit })
    this.quitting = new Quitting({
      running: () => this.runs.on.map((id) => ({ id, onClose: this.runs.running(id)?.config.options.onClose ?? 'ask', state: this.runs.running(id)?.state.type })),
      preferred: () => this.preferences.current.onQuit,
      suspend: async (id) => this.runs.suspend(id),
      shutDown: (id) => void this.runs.running(id)?.act('shut-down-guest'),
      unpause: (id) => void this.runs.running(id)?.act('unpause'),
      powerOff: (id) => void this.runs.running(id)?.act('power-off'),
      whenChanged: (listener) => this.runs.whenChanged(listener),
      ignored: (id) => this.runs.say({ id }, 'warning', 'guest-ignores-power-button'),
      emitTo,
      closeWindows,
      end,
    })
    const app = new AppService({ desktop, library, preferences: this.preferences, memories: this.memories, messages: this.messages, known, quitting: this.quitting, emit })
    const files = new FilesService({ known, desktop })
    const vm = new VmService({ library: this.library, runs: this.runs, known, desktop, openPort: (window, stream, number) => transport.openPort(window, stream, number) })
    this.handlers = { ...app.handlers, ...files.handlers, ...this.library.handlers, ...vm.handlers }
  }

  /** Before the first window. */
  async start(): Promise<void> {
    for (const problem of await this.preferences.load()) this.messages.add({ level: 'warning', id: 'problem', problem: problemDto(problem) })
    this.options.desktop.setTheme(this.preferences.current.theme)
    await this.library.watch()
  }

  /** Files that were dropped on a window: the transport has seen to it that no page made them up. */
  dropped(window: WindowId, paths: readonly string[]): void {
    for (const path of paths) this.known.know(path, 'write')
    this.options.transport.emitTo(window, 'files.dropped', { paths: [...paths] })
  }

  windowClosed(window: WindowId): void {
    this.thumbnails.forget(window)
    this.memories.closed(window)
  }

  close(): void {
    this.library.close()
    this.runs.elsewhere.close()
  }
}

/** VMs for one run of the app. */
export function temporaryPaths(folder: string): LibraryPaths {
  const location = join(folder, 'Temporary')
  return { inventory: join(location, 'inventory.json'), location }
}
