/** The app itself: what it is, what the user prefers, its windows, and its end. */
import { describeHost } from './host-description'
import { IpcError, type Outcome, type Preferences } from './contract'
import type { Desktop } from './desktop'
import type { KnownPaths } from './known-paths'
import type { MessageLog } from './message-log'
import type { PreferencesStore } from './preferences-store'
import { refusal } from './problem-dto'
import type { Quitting } from './quitting'
import type { Emit, HandlersOf } from './server'
import type { WindowMemories } from './window-memories'
import type { Library, Patch } from '../vmm'

export interface AppServiceOptions {
  readonly desktop: Desktop
  readonly library: Library
  readonly preferences: PreferencesStore
  readonly memories: WindowMemories
  readonly messages: MessageLog
  readonly known: KnownPaths
  readonly quitting: Quitting
  readonly emit: Emit
}

const MAX_CLIPBOARD = 65_536

export class AppService {
  constructor(private readonly options: AppServiceOptions) {}

  readonly handlers: HandlersOf<'app'> & HandlersOf<'host'> & HandlersOf<'clipboard'> & HandlersOf<'window'> = {
    'app.describe': () => this.options.desktop.describe(),
    'app.preferences': () => this.preferences(),
    'app.set-preferences': ({ patch }) => this.setPreferences(patch),
    'app.messages': () => this.options.messages.latest,
    'app.quit': ({ running }, window) => {
      if (running === undefined) this.options.quitting.request(window, true)
      else this.options.quitting.answer(running)
    },
    'host.describe': async () => {
      const host = await describeHost((await this.options.library.contents()).location)
      for (const { path } of host.firmware) this.options.known.know(path, 'read')
      return host
    },
    'clipboard.read-text': async () => (await this.options.desktop.readClipboardText()).slice(0, MAX_CLIPBOARD),
    'window.memory': (_, window) => this.options.memories.memory(window),
    'window.remember': ({ memory }, window) => {
      if (!this.options.memories.remember(window, memory)) throw new IpcError('ipc/bad-request', 'window.remember: more than is kept')
    },
    'window.wanted-vm': (_, window) => this.options.desktop.wantedVm(window),
    'window.new': () => {
      this.options.desktop.newWindow()
    },
    'window.close': (_, window) => {
      this.options.desktop.closeWindow(window)
    },
    'window.set-input-grabbed': ({ grabbed }, window) => {
      this.options.desktop.setInputGrabbed(window, grabbed)
    },
    'window.set-full-screen': ({ on }, window) => {
      this.options.desktop.setFullScreen(window, on)
    },
    'window.grow-by': ({ width, height }, window) => {
      this.options.desktop.growWindow(window, width, height)
    },
  }

  /** Where new VMs go stands in the library's list, so that the command line knows it too. */
  private async preferences(): Promise<Preferences> {
    const { location } = await this.options.library.contents()
    return { ...this.options.preferences.current, location }
  }

  private async setPreferences(patch: Patch): Promise<Outcome<Preferences>> {
    const { library, known, preferences, desktop, emit } = this.options
    const { location, ...rest } = patch
    if (location !== undefined) {
      if (location !== null && typeof location !== 'string') throw new IpcError('ipc/bad-request', 'location is a path, or null')
      if (location !== null) known.check(location, 'write')
      const set = await library.setLocation(location ?? undefined)
      if (!set.ok) return refusal(set.problem)
    }
    const changed = await preferences.change(rest)
    if (!changed) throw new IpcError('ipc/bad-request', `no preferences: ${JSON.stringify(rest).slice(0, 200)}`)
    if (!changed.ok) return refusal(changed.problem)
    desktop.setTheme(changed.value.theme)
    const now = await this.preferences()
    emit('app.preferences-changed', now)
    return { ok: true, value: now }
  }
}
