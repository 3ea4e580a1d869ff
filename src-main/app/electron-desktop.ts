/** The desktop as the services know it, in Electron. */
import { app, clipboard, ClipboardItem, nativeImage, nativeTheme, shell } from 'electron'
import type { AppDescription, FilePurpose, Preferences } from '../ipc/contract'
import type { Desktop } from '../ipc/desktop'
import type { WindowId } from '../ipc/server'
import { chooseFile } from './file-dialogs'
import type { Windows } from './windows'
import type { Words } from './words'

export interface ElectronDesktopOptions {
  readonly windows: Windows
  readonly words: () => Words
  readonly wantedVm: (window: WindowId) => string | undefined
}

export class ElectronDesktop implements Desktop {
  constructor(private readonly options: ElectronDesktopOptions) {}

  describe(): AppDescription {
    const { electron = '', chrome = '', node = '', v8 = '' } = process.versions
    return { version: app.getVersion(), electron, chrome, node, v8, platform: `${process.platform} ${process.arch}`, locale: app.getLocale() }
  }

  async choose(window: WindowId, purpose: FilePurpose, suggested: string | undefined): Promise<string | undefined> {
    return chooseFile(this.options.windows.get(window), purpose, suggested, this.options.words())
  }

  showFolder(path: string): void {
    shell.openPath(path).then(
      (trouble) => {
        if (trouble !== '') process.stderr.write(`vitrine: ${path} cannot be shown: ${trouble}\n`)
      },
      () => undefined,
    )
  }

  async readClipboardText(): Promise<string> {
    return clipboard.readText()
  }

  /** Newer versions of Electron have the web's clipboard items, older ones images. */
  async writeClipboardImage(png: Uint8Array): Promise<void> {
    const before: unknown = clipboard
    if (hasWriteImage(before)) before.writeImage(nativeImage.createFromBuffer(Buffer.from(png)))
    else await clipboard.write([new ClipboardItem({ 'image/png': new Blob([Uint8Array.from(png)], { type: 'image/png' }) })])
  }

  wantedVm(window: WindowId): string | undefined {
    return this.options.wantedVm(window)
  }

  newWindow(): void {
    this.options.windows.open()
  }

  closeWindow(window: WindowId): void {
    this.options.windows.get(window)?.close()
  }

  /** There is no menu; this keeps shortcuts away that Electron may have without one. */
  setInputGrabbed(window: WindowId, grabbed: boolean): void {
    this.options.windows.get(window)?.webContents.setIgnoreMenuShortcuts(grabbed)
  }

  setFullScreen(window: WindowId, on: boolean): void {
    this.options.windows.get(window)?.setFullScreen(on)
  }

  growWindow(window: WindowId, width: number, height: number): void {
    this.options.windows.grow(window, width, height)
  }

  setTheme(theme: Preferences['theme']): void {
    nativeTheme.themeSource = theme
  }
}

function hasWriteImage(value: unknown): value is { writeImage(image: Electron.NativeImage): void } {
  return typeof value === 'object' && value !== null && 'writeImage' in value && typeof value.writeImage === 'function'
}
