/** How a guest's screen and terminal lie in the window: device pixels, the bar of full screen, pictures in files, renderers and fonts of the terminal. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { createDemo } from '../fixtures/library'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { VmWindow } from '../pages/vm-window.page'

async function started(vitrine: Vitrine, hardware: Readonly<Record<string, unknown>> = {}): Promise<{ readonly page: Page; readonly window: VmWindow; readonly vm: string }> {
  const page = await vitrine.start()
  const vm = await createDemo(vitrine, page, 'Guest', hardware)
  await page.getByRole('treeitem', { name: 'Guest' }).dblclick()
  await page.getByRole('tab', { name: 'Console' }).click()
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toContain('vitrine>')
  return { page, window: new VmWindow(page), vm }
}

test('each way of scaling, at one, one and a quarter, and two device pixels a CSS pixel', async ({ vitrine }) => {
  const { page, window } = await started(vitrine)
  const session = await page.context().newCDPSession(page)
  const guest = await window.canvas.evaluate((canvas: HTMLCanvasElement) => ({ width: canvas.width, height: canvas.height }))
  for (const [i, ratio] of [1, 1.25, 2].entries()) {
    // Without another size Chromium tells the page nothing of a second emulated ratio.
    await session.send('Emulation.setDeviceMetricsOverride', { width: 1300 + i * 8, height: 860, deviceScaleFactor: ratio, mobile: false })
    const box = async (): Promise<{ readonly width: number; readonly height: number }> => {
      const found = await window.canvas.boundingBox()
      return { width: (found?.width ?? 0) * ratio, height: (found?.height ?? 0) * ratio }
    }
    const pane = async (): Promise<{ readonly width: number; readonly height: number }> => {
      const found = await page.locator('section.pane').boundingBox()
      return { width: (found?.width ?? 0) * ratio, height: (found?.height ?? 0) * ratio }
    }
    const choose = async (scaleMode: 'center' | 'integer' | 'fit' | 'stretch'): Promise<void> => void (await vitrine.ask(page, 'app.set-preferences', { patch: { scaleMode } }))
    const room = await pane()
    const largest = Math.min(room.width / guest.width, room.height / guest.height)
    const factors = { center: Math.min(1, largest), integer: largest < 1 ? largest : Math.floor(largest), fit: largest }
    for (const [mode, factor] of Object.entries(factors)) {
      await choose(mode as keyof typeof factors)
      await expect.poll(async () => Math.abs((await box()).width - guest.width * factor), { message: `${mode} at ${ratio}` }).toBeLessThan(1)
      expect(Math.abs((await box()).height - guest.height * factor)).toBeLessThan(1)
    }
    await choose('stretch')
    await expect.poll(async () => Math.abs((await box()).width - room.width) + Math.abs((await box()).height - room.height), { message: `stretch at ${ratio}` }).toBeLessThan(1)
  }
  expect(vitrine.pageErrors).toEqual([])
})

test('the bar of full screen goes, comes back at the edge, and stays when pinned', async ({ vitrine }) => {
  const { page } = await started(vitrine)
  await page.keyboard.press('F11')
  const bar = page.getByRole('toolbar', { name: 'Full screen' })
  await page.mouse.move(400, 500)
  await expect(bar).toHaveClass(/\bout\b/)
  const { width } = await page.evaluate(() => ({ width: window.innerWidth }))
  await page.mouse.move(width / 2, 1)
  await expect(bar).not.toHaveClass(/\bout\b/)
  await bar.getByRole('button').first().click()
  await page.mouse.move(400, 500)
  await page.waitForTimeout(2500)
  await expect(bar).not.toHaveClass(/\bout\b/)
  await page.keyboard.press('F11')
  await expect(bar).toBeHidden()
})

test('a picture goes to a file, and is of the guest\'s size', async ({ vitrine }) => {
  const { vm, page, window } = await started(vitrine)
  const filePath = join(vitrine.home, 'picture.png')
  await vitrine.app.evaluate(({ dialog }, path) => void ((dialog as { showSaveDialog: unknown }).showSaveDialog = async () => ({ canceled: false, filePath: path })), filePath)
  expect(await vitrine.ask(page, 'vm.screenshot', { vm, to: 'file' })).toMatchObject({ ok: true })
  const png = readFileSync(filePath)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  const { width, height } = await window.picture()
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height])
})

test('a terminal without WebGL shows what a guest writes; its font changes while it is shown', async ({ vitrine }) => {
  const page = await vitrine.start()
  await page.evaluate(() => {
    const { getContext } = HTMLCanvasElement.prototype
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...args: unknown[]): RenderingContext | null {
      return args[0] === 'webgl2' ? null : (getContext as (...all: unknown[]) => RenderingContext | null).apply(this, args)
    } as typeof getContext
  })
  const vm = await createDemo(vitrine, page, 'Guest')
  await page.getByRole('treeitem', { name: 'Guest' }).dblclick()
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  const window = new VmWindow(page)
  await window.view('serial')
  await expect.poll(() => window.serialText()).not.toBe('')
  await expect(window.serial.locator('.xterm-rows')).toBeVisible()
  const rows = (): Promise<number> => window.serial.locator('.xterm-rows > div').count()
  const before = await rows()
  const { terminal } = await vitrine.ask(page, 'app.preferences')
  await vitrine.ask(page, 'app.set-preferences', { patch: { terminal: { ...terminal, fontSize: 24, scrollback: 500 } } })
  await expect.poll(rows).toBeLessThan(before)
  expect(await window.serialText()).not.toBe('')
  expect(vitrine.pageErrors).toEqual([])
})
