/** The VM's window as a user meets it: buttons by their names, the screen as pixels, the serial console as text. */
import type { Locator, Page } from '@playwright/test'

export interface Picture {
  readonly width: number
  readonly height: number
  readonly colours: number
  /** Pixels that are not black. */
  readonly lit: number
  /** Changes when any pixel does. */
  readonly hash: number
}

export type View = 'summary' | 'console' | 'serial' | 'performance'

export class VmWindow {
  readonly toolbar: Locator
  readonly screen: Locator
  readonly canvas: Locator
  readonly serial: Locator
  readonly serialInput: Locator
  readonly state: Locator
  readonly hint: Locator
  readonly translator: Locator
  readonly regions: Locator
  readonly dialog: Locator

  constructor(readonly page: Page) {
    this.toolbar = page.getByRole('toolbar', { name: 'Toolbar' })
    this.screen = page.getByRole('application', { name: /^Screen of / })
    this.canvas = this.screen.locator('canvas')
    this.serial = page.getByRole('group', { name: 'Serial terminal' })
    this.serialInput = this.serial.getByRole('textbox', { name: 'Serial terminal input' })
    this.state = page.getByRole('status', { name: 'State' })
    this.hint = page.locator('#input-hint')
    this.translator = page.getByRole('region', { name: 'Translator' })
    this.regions = this.translator.getByRole('listbox', { name: 'Hottest regions' })
    this.dialog = page.getByRole('dialog')
  }

  /** Views of the VM whose tab is shown. */
  async view(name: View): Promise<void> {
    await this.page.locator(`[data-view="${name}"]`).click()
  }

  /** Of the Performance view. */
  async pane(name: string): Promise<void> {
    await this.view('performance')
    await this.page.locator(`[data-pane="${name}"]`).click()
  }

  /** Of the toolbar, by the command that it runs; its name tells the form as well. */
  button(command: string): Locator {
    return this.toolbar.locator(`[data-command="${command}"]`)
  }

  /** Runs a power command of the VM menu. */
  async power(command: string): Promise<void> {
    await this.page.getByRole('menubar').getByRole('menuitem', { name: 'VM', exact: true }).click()
    await this.page.getByRole('menuitem', { name: 'Power', exact: true }).click()
    await this.page.getByRole('menuitem', { name: command }).click()
  }

  figure(name: string): Locator {
    return this.page.locator(`[data-figure="${name}"]`)
  }

  /** What the serial terminal shows, as screen readers have it: the picture is WebGL's. */
  async serialText(): Promise<string> {
    const lines = await this.serial.locator('.xterm-accessibility-tree > div').allTextContents()
    return lines.map((line) => line.replaceAll('\u00a0', ' ').trimEnd()).join('\n')
  }

  async typeOnSerial(text: string): Promise<void> {
    await this.serialInput.focus()
    await this.page.keyboard.type(text)
  }

  /** Gives the guest the keyboard as a user does, by a click, and types on it. */
  async typeOnScreen(text: string): Promise<void> {
    await this.screen.click()
    for (const character of text) {
      // A user holds Shift; Playwright alone would only name the shifted character.
      const shifted = /[A-Z!@#$%^&*()_+{}|:"<>?~]/.test(character)
      if (shifted) await this.page.keyboard.down('ShiftLeft')
      await this.page.keyboard.press(character === '\n' ? 'Enter' : character, { delay: 10 })
      if (shifted) await this.page.keyboard.up('ShiftLeft')
    }
  }

  async releaseInput(): Promise<void> {
    await this.page.keyboard.down('ControlLeft')
    await this.page.keyboard.down('AltLeft')
    await this.page.keyboard.up('AltLeft')
    await this.page.keyboard.up('ControlLeft')
  }

  /** The pixels that the canvas holds. */
  async picture(): Promise<Picture> {
    return this.canvas.evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas
      // It is drawn on by another thread: only a copy can be read.
      const copy = new OffscreenCanvas(width, height).getContext('2d', { alpha: false })
      copy?.drawImage(canvas, 0, 0)
      const data = copy?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray()
      const colours = new Set<number>()
      let lit = 0
      let hash = 0
      for (let i = 0; i < data.length; i += 4) {
        const pixel = ((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0)
        if (pixel !== 0) lit++
        colours.add(pixel)
        hash = (Math.imul(hash, 31) + pixel) | 0
      }
      return { width, height, colours: colours.size, lit, hash }
    })
  }
}
