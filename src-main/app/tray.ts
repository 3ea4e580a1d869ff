/** The icon that is there while VMs run without a window. */
import { Menu, nativeImage, Tray } from 'electron'
import type { Words } from './words'

export interface AppTrayOptions {
  readonly icon: string
  readonly words: () => Words
  readonly running: () => readonly { readonly id: string; readonly name: string }[]
  readonly show: (vm: string | undefined) => void
  readonly quit: () => void
}

export class AppTray {
  private tray: Tray | undefined

  constructor(private readonly options: AppTrayOptions) {}

  /** Shows what runs, or goes away. */
  update(isWanted: boolean): void {
    if (!isWanted) {
      this.tray?.destroy()
      this.tray = undefined
      return
    }
    const { icon, words, running, show, quit } = this.options
    const { show: showWord, quit: quitWord, trayTitle } = words()
    const machines = running()
    if (!this.tray) {
      this.tray = new Tray(nativeImage.createFromPath(icon).resize({ width: 22, height: 22 }))
      this.tray.on('click', () => show(undefined))
    }
    this.tray.setToolTip(trayTitle(machines.length))
    this.tray.setContextMenu(Menu.buildFromTemplate([
      { label: showWord, click: () => show(undefined) },
      { type: 'separator' },
      ...machines.map(({ id, name }) => ({ label: name, click: () => show(id) })),
      { type: 'separator' as const },
      { label: quitWord, click: () => quit() },
    ]))
  }
}
