/** What the services ask of the desktop: Electron in the app (src-main/app), a fake in tests. */
import type { AppDescription, FilePurpose, Preferences } from './contract'
import type { WindowId } from './server'

export interface Desktop {
  describe(): AppDescription
  /** A dialog of the system's over this window; undefined: cancelled. `suggested`: a path or a file's name. */
  choose(window: WindowId, purpose: FilePurpose, suggested: string | undefined): Promise<string | undefined>
  showFolder(path: string): void
  readClipboardText(): Promise<string>
  writeClipboardImage(png: Uint8Array): Promise<void>
  /** The VM that this window was opened to show. */
  wantedVm(window: WindowId): string | undefined
  newWindow(): void
  closeWindow(window: WindowId): void
  setInputGrabbed(window: WindowId, grabbed: boolean): void
  setFullScreen(window: WindowId, on: boolean): void
  growWindow(window: WindowId, width: number, height: number): void
  /** The windows' colours, before a page says so itself. */
  setTheme(theme: Preferences['theme']): void
}
