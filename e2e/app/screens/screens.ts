/** A picture of every screen, dialog and state, in both themes and languages. Found by ids and order, never by words: these differ. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { writeBootableIso } from '../fixtures/iso'
import { createDemo, createWithSectors } from '../fixtures/library'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { answerFileDialogs } from '../pages/wizard.page'

const folder = join(import.meta.dirname, '..', '..', '..', 'out', 'screens')
const [WIDTH, HEIGHT] = [1200, 800]
/** Boots into cli; lidt [empty]; int3. */
const TRIPLE_FAULT = Uint8Array.of(0xfa, 0x0f, 0x01, 0x1e, 0x0a, 0x7c, 0xcc, ...new Uint8Array(503), 0x55, 0xaa)

class Camera {
  private count = 0

  constructor(
    readonly page: Page,
    private readonly into: string,
  ) {}

  async take(name: string): Promise<void> {
    await this.page.waitForTimeout(250) // fades, and pictures that are on their way
    await this.page.screenshot({ path: join(this.into, `${String(++this.count).padStart(2, '0')}-${name}.png`) })
  }

  /** The dialog that these keys open. */
  async dialog(name: string, keys: string): Promise<void> {
    await this.page.keyboard.press(keys)
    await expect(this.page.getByRole('dialog')).toBeVisible()
    await this.take(name)
    await this.close()
  }

  async close(): Promise<void> {
    await this.page.keyboard.press('Escape')
    await expect(this.page.getByRole('dialog')).toHaveCount(0)
  }
}

const row = (page: Page, name: string): ReturnType<Page['locator']> => page.getByRole('treeitem', { name: new RegExp(`^${name}`) })
const view = (page: Page, name: string): Promise<void> => page.locator(`[data-view="${name}"]`).click()
const next = (page: Page): Promise<void> => page.getByRole('dialog').locator('button.primary').click()

async function prompt(vitrine: Vitrine, page: Page, vm: string): Promise<void> {
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toContain('vitrine>')
}

async function wizard(camera: Camera): Promise<void> {
  const { page } = camera
  const dialog = page.getByRole('dialog')
  for (const path of ['typical', 'custom'] as const) {
    await page.keyboard.press('Control+n')
    await expect(dialog).toBeVisible()
    if (path === 'custom') await dialog.getByRole('radio').nth(1).check()
    await camera.take(`wizard-${path}`)
    await next(page)
    if (path === 'typical') {
      await next(page)
      await camera.take('wizard-nothing-chosen')
      await dialog.locator('[aria-label$="browse"], [aria-label*="浏览"]').first().click()
      await page.waitForTimeout(600)
      await camera.take('wizard-disc')
    } else {
      for (const kind of [1, 2, 3]) {
        await dialog.getByRole('radio').nth(kind).check().catch(() => undefined)
        await camera.take(`wizard-media-${kind}`)
        if (kind !== 2) continue
        await next(page)
        await camera.take('wizard-kernel')
        await dialog.locator('button:not(.primary)', { hasText: '<' }).click()
      }
      await dialog.getByRole('radio').last().check()
    }
    for (let at = 0; at < 14; at++) {
      const title = await dialog.getByRole('heading', { level: 3 }).textContent()
      await next(page)
      await page.waitForTimeout(300)
      if ((await dialog.count()) === 0 || (await dialog.getByRole('heading', { level: 3 }).textContent()) === title) break
      const name = dialog.getByRole('textbox').first()
      if (path === 'custom' && at === 1 && (await name.inputValue()) === '') await name.fill('Custom')
      await camera.take(`wizard-${path}-${at}`)
      if ((await dialog.locator('.footer .primary').textContent())?.includes('>') !== true) break
    }
    await camera.close()
  }
}

async function settings(camera: Camera): Promise<void> {
  const { page } = camera
  const dialog = page.getByRole('dialog')
  await page.keyboard.press('Control+d')
  await expect(dialog).toBeVisible()
  for (const tab of [0, 1]) {
    await dialog.getByRole('tab').nth(tab).click()
    const pages = await dialog.locator('[data-page]').evaluateAll((items) => items.map((item) => item.getAttribute('data-page') ?? ''))
    for (const name of pages) {
      await dialog.locator(`[data-page="${name}"]`).click()
      await camera.take(`settings-${name}`)
    }
  }
  await camera.close()
}

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['en', 'zh-CN'] as const) {
    test(`${theme} ${language}`, async ({ vitrine }) => {
      const into = join(folder, `${theme}-${language}`)
      mkdirSync(into, { recursive: true })
      const page = await vitrine.start()
      await vitrine.app.evaluate(({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(...size), [WIDTH, HEIGHT] as [number, number])
      await vitrine.ask(page, 'app.set-preferences', { patch: { theme, language } })
      await expect(page.locator('html')).toHaveAttribute('lang', language)
      const camera = new Camera(page, into)
      await camera.take('home-empty')

      const iso = join(vitrine.home, 'debian-12.5.0-amd64-netinst.iso')
      writeBootableIso(iso, 'Debian 12.5.0 amd64 n')
      await answerFileDialogs(vitrine.app, [iso])
      await wizard(camera)

      const made = await vitrine.ask(page, 'library.create-folder', { name: 'Servers' })
      if (!made.ok) throw new Error(made.problem.message)
      const demo = await createDemo(vitrine, page, 'Demo Guest', { serialPorts: [{ kind: 'terminal' }], cdroms: [{ connected: true }] })
      const second = await createDemo(vitrine, page, 'Second Guest')
      const suspended = await createDemo(vitrine, page, 'Suspended')
      const crashing = await createWithSectors(vitrine, page, 'Crashing', TRIPLE_FAULT)
      await createWithSectors(vitrine, page, 'A virtual machine with a very long name, longer than there is room for', TRIPLE_FAULT)
      for (const vm of [second, suspended]) await vitrine.ask(page, 'library.place', { vm, folder: made.value })
      await createWithSectors(vitrine, page, 'Broken', TRIPLE_FAULT)
      writeFileSync(join(vitrine.location, 'Broken.vitrine', 'vm.json'), '{"schema": 1, "name": ')
      for (const vm of [demo, second, suspended]) await prompt(vitrine, page, vm)
      await vitrine.ask(page, 'vm.power', { vm: crashing, action: 'power-on' })
      await vitrine.ask(page, 'vm.power', { vm: suspended, action: 'suspend' })
      await row(page, 'Demo Guest').click()
      await page.waitForTimeout(1500)
      await camera.take('summary-running')
      // Errors stay: seen once, it would cover a corner of all other pictures.
      await page.locator('.toast .cross').first().click({ timeout: 2000 }).catch(() => undefined)
      await view(page, 'console')
      await page.waitForTimeout(500)
      await camera.take('console')
      await page.locator('canvas.screen').click()
      await camera.take('console-grabbed')
      await page.keyboard.down('ControlLeft')
      await page.keyboard.down('AltLeft')
      await page.keyboard.up('AltLeft')
      await page.keyboard.up('ControlLeft')
      await view(page, 'serial')
      await page.waitForTimeout(500)
      await camera.take('serial')
      await page.locator('.xterm-helper-textarea').focus()
      await page.keyboard.type('vbe\r')
      await view(page, 'performance')
      for (const pane of ['performance', 'processor', 'interrupts', 'pci', 'memory', 'devices', 'translator']) {
        await page.locator(`[data-pane="${pane}"]`).click()
        await page.waitForTimeout(pane === 'performance' ? 4000 : 700)
        await camera.take(`performance-${pane}`)
      }
      await page.locator('[role="option"]').first().click({ timeout: 2000 }).catch(() => undefined)
      await page.waitForTimeout(1000)
      await camera.take('performance-translator-region')
      await view(page, 'summary')
      await camera.dialog('ask-power-off', 'Control+e')
      await camera.dialog('ask-reset', 'Control+r')
      await camera.dialog('ask-close-tab', 'Control+w')
      await camera.dialog('ask-quit', 'Control+q')
      await settings(camera)
      await page.keyboard.press('Control+Shift+P')
      await camera.take('summary-paused')
      await view(page, 'performance')
      await page.locator('[data-pane="processor"]').click()
      await page.waitForTimeout(700)
      await camera.take('performance-processor-paused')

      await row(page, 'Servers').click()
      await page.waitForTimeout(1200)
      await camera.take('folder')
      await page.getByRole('treeitem').first().click()
      await page.waitForTimeout(1200)
      await camera.take('my-computer')
      await row(page, 'Suspended').click()
      await camera.take('summary-suspended')
      await row(page, 'Crashing').click()
      await camera.take('summary-crashed')
      await view(page, 'console')
      await camera.take('crash-page')
      await row(page, 'Broken').click()
      await camera.take('summary-broken')
      await row(page, 'A virtual machine').click()
      await camera.take('summary-off')
      await view(page, 'console')
      await camera.take('console-off')
      await settings(camera)
      await camera.dialog('ask-delete', 'Delete').catch(() => undefined)
      await row(page, 'A virtual machine').focus()
      await camera.dialog('rename', 'F2').catch(() => undefined)
      await page.locator('[role="tab"]').first().click()
      await camera.take('home')
      for (const menu of ['file', 'edit', 'view', 'vm', 'tabs', 'help']) {
        await page.locator(`[data-menu="${menu}"]`).click()
        await camera.take(`menu-${menu}`)
        await page.keyboard.press('Escape')
        await page.keyboard.press('Escape')
      }
      await row(page, 'Demo Guest').click({ button: 'right' })
      await camera.take('context-menu')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+p')
      for (const [at, tab] of (await page.getByRole('dialog').getByRole('tab').all()).entries()) {
        await tab.click()
        await camera.take(`preferences-${at}`)
      }
      await camera.close()
      await camera.dialog('shortcuts', 'F1')
      await page.locator('[data-menu="help"]').click()
      await page.keyboard.press('End')
      await page.keyboard.press('Enter')
      await camera.take('about')
      await camera.close()
      await page.locator('footer button').last().click()
      await camera.take('messages')
      await camera.close()
      await vitrine.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(720, 520))
      await row(page, 'Demo Guest').click()
      await camera.take('narrow')
    })
  }
}
