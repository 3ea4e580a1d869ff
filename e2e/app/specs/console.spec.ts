/** The guest's screen as a user meets it: the grab and its keys, text over the picture, full screen, pasting, another window. */
import type { Page } from '@playwright/test'
import { createDemo } from '../fixtures/library'
import { expect, test, type Vitrine } from '../fixtures/vitrine'

const CHORD = ['ControlLeft', 'AltLeft'] as const

interface Sent {
  readonly kind: string
  readonly code?: string
  readonly pressed?: boolean
}

declare global {
  interface Window {
    sent?: Sent[]
  }
}

async function started(vitrine: Vitrine): Promise<{ readonly page: Page; readonly vm: string }> {
  const page = await vitrine.start()
  await page.evaluate(() => {
    const sent: Sent[] = []
    window.sent = sent
    // To the thread that draws, which passes it on.
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (this: Worker, ...args: unknown[]): void {
      const [told] = args as [{ readonly kind: string; readonly message?: Sent }]
      if (told.kind === 'send' && told.message) sent.push(told.message)
      ;(postMessage as (...all: unknown[]) => void).apply(this, args)
    } as typeof postMessage
  })
  const vm = await createDemo(vitrine, page, 'Guest')
  await page.getByRole('treeitem', { name: 'Guest' }).dblclick()
  await page.getByRole('tab', { name: 'Console' }).click()
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toContain('vitrine>')
  return { page, vm }
}

const screenOf = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('application', { name: /^Screen of Guest/ })

/** What went to the guest's keyboard since the last time. */
const keysSent = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => (window.sent?.splice(0) ?? []).flatMap(({ kind, code, pressed }) => (kind === 'key' ? [`${pressed ? '+' : '-'}${code}`] : [])))

async function press(page: Page, ...codes: readonly string[]): Promise<void> {
  for (const code of codes) await page.keyboard.down(code)
  for (const code of [...codes].reverse()) await page.keyboard.up(code)
}

test('the grab: a click or Ctrl+G, keys by their place, chords, nothing stuck', async ({ vitrine }) => {
  const { page, vm } = await started(vitrine)
  const hint = page.locator('#input-hint')
  await screenOf(page).click()
  await expect(hint).toContainText('Ctrl+Alt')
  await keysSent(page)
  await page.keyboard.type('echo hi')
  await press(page, 'Enter')
  await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toMatch(/^hi$/m)
  await keysSent(page)
  await press(page, ...CHORD)
  expect(await keysSent(page)).toEqual(['+ControlLeft', '+AltLeft', '-ControlLeft', '-AltLeft'])
  await expect(screenOf(page)).not.toHaveClass(/grabbed/)

  await page.keyboard.press('Control+g')
  await expect(screenOf(page)).toHaveClass(/grabbed/)
  await keysSent(page)
  await press(page, ...CHORD, 'F2')
  expect(await keysSent(page)).toEqual(['+ControlLeft', '+AltLeft', '+F2', '-F2', '-AltLeft', '-ControlLeft'])
  await press(page, 'Escape')
  await expect.poll(() => keysSent(page)).toEqual(['+Escape', '-Escape'])
  await expect(screenOf(page)).toHaveClass(/grabbed/)
  await press(page, ...CHORD, 'Insert')
  expect((await keysSent(page)).join(' ')).toContain('-ControlLeft -AltLeft +ControlLeft +AltLeft +Delete -Delete -AltLeft -ControlLeft')
  await expect(screenOf(page)).toHaveClass(/grabbed/)
  await press(page, ...CHORD, 'Space')
  await press(page, ...CHORD)
  await expect(screenOf(page)).toHaveClass(/grabbed/)

  await page.keyboard.down('ShiftLeft')
  await keysSent(page)
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  expect(await keysSent(page)).toEqual(['-ShiftLeft'])
  await page.keyboard.up('ShiftLeft')
  await expect(screenOf(page)).not.toHaveClass(/grabbed/)
  expect(vitrine.pageErrors).toEqual([])
})

test('text of the screen lies on its picture and is copied; text from the clipboard is typed', async ({ vitrine }) => {
  const { page, vm } = await started(vitrine)
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Select Text on the Screen' }).click()
  const layer = page.getByRole('document', { name: 'Text on the screen' })
  await expect(layer).toBeVisible()
  const lines = (await vitrine.ask(page, 'vm.screen-text', { vm })) ?? []
  const row = lines.findIndex((line) => line.startsWith('vitrine>'))
  const canvas = await page.locator('canvas.screen').boundingBox()
  const found = await layer.evaluate((element) => {
    const text = [...(element.querySelector('pre')?.childNodes ?? [])].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.includes('vitrine>'))
    if (!text) return undefined
    const at = text.textContent?.indexOf('vitrine>') ?? 0
    const range = document.createRange()
    range.setStart(text, at)
    range.setEnd(text, at + 8)
    getSelection()?.removeAllRanges()
    getSelection()?.addRange(range)
    const { x, y, width, height } = range.getBoundingClientRect()
    return { x, y, width, height }
  })
  if (!canvas || !found) throw new Error('no picture or no text')
  const [cell, line] = [canvas.width / 80, canvas.height / lines.length]
  expect(Math.abs(found.x - canvas.x)).toBeLessThan(cell / 2)
  expect(Math.abs(found.width - 8 * cell)).toBeLessThan(cell / 2)
  expect(Math.abs(found.y + found.height / 2 - (canvas.y + (row + 0.5) * line))).toBeLessThan(line / 4)
  await layer.getByRole('button', { name: 'Copy' }).click()
  expect(await vitrine.app.evaluate(({ clipboard }) => clipboard.readText())).toBe('vitrine>')
  await expect(layer).toBeHidden()

  await vitrine.app.evaluate(({ clipboard }) => clipboard.writeText('echo Pasted_Text\n'))
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByRole('menuitem', { name: 'Paste as Typing' }).click()
  await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toMatch(/^Pasted_Text$/m)
  expect(await vitrine.ask(page, 'vm.screenshot', { vm, to: 'clipboard' })).toMatchObject({ ok: true })
  expect(await vitrine.app.evaluate(({ clipboard }) => (clipboard as unknown as { availableFormats(): readonly string[] }).availableFormats())).toContain('image/png')
})

test('full screen by F11 and Ctrl+Alt+Enter, left by Ctrl+Alt', async ({ vitrine }) => {
  const { page } = await started(vitrine)
  const bar = page.getByRole('toolbar', { name: 'Full screen' })
  await page.keyboard.press('F11')
  await expect(bar).toBeVisible()
  await screenOf(page).click()
  await press(page, ...CHORD, 'Enter')
  await expect(bar).toBeHidden()
  await expect(screenOf(page)).toHaveClass(/grabbed/)
  await press(page, ...CHORD)
  await page.keyboard.press('F11')
  await expect(bar).toBeVisible()
  await screenOf(page).click()
  await press(page, ...CHORD)
  await expect(bar).toBeHidden()
  expect(vitrine.pageErrors).toEqual([])
})

test('another window takes the screen over, and gives it back', async ({ vitrine }) => {
  const { page, vm } = await started(vitrine)
  const port = await page.evaluate((id) => window.vitrine.requests['console.open']({ vm: id }), vm)
  expect(port).toMatchObject({ ok: true })
  await expect(page.getByText('The screen of this virtual machine is shown in another window.')).toBeVisible()
  await page.getByRole('button', { name: 'Show It Here' }).click()
  await expect(page.getByText('The screen of this virtual machine is shown in another window.')).toBeHidden()
  await screenOf(page).click()
  await expect(page.locator('#input-hint')).toContainText('Ctrl+Alt')
})

test('the bar of full screen changes the VM and leaves full screen on', async ({ vitrine }) => {
  const { page } = await started(vitrine)
  const other = await createDemo(vitrine, page, 'Other')
  await vitrine.ask(page, 'vm.power', { vm: other, action: 'power-on' })
  const bar = page.getByRole('toolbar', { name: 'Full screen' })
  await page.keyboard.press('F11')
  await bar.getByRole('button', { name: 'Other' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('application', { name: /^Screen of Other/ })).toBeVisible()
  await page.waitForTimeout(500)
  await expect(bar).toBeVisible()
  await page.keyboard.press('F11')
  await expect(bar).toBeHidden()
  expect(vitrine.pageErrors).toEqual([])
})

test('any combination of keys is sent by name', async ({ vitrine }) => {
  const { page } = await started(vitrine)
  await page.getByRole('menuitem', { name: 'VM', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Send Keys' }).click()
  await page.getByRole('menuitem', { name: 'Custom…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Send a Key Combination' })
  await expect(dialog.getByRole('button', { name: 'Send' })).toBeDisabled()
  await dialog.getByRole('checkbox', { name: 'Super' }).check()
  await dialog.getByLabel('Key', { exact: true }).selectOption({ label: 'Pause' })
  await keysSent(page)
  await dialog.getByRole('button', { name: 'Send' }).click()
  await expect(dialog).toBeHidden()
  expect(await keysSent(page)).toEqual(['+MetaLeft', '+Pause', '-Pause', '-MetaLeft'])
})

test('a suspended VM shows the picture that was kept, after the app was killed', async ({ vitrine }) => {
  const { vm, page } = await started(vitrine)
  expect(await vitrine.ask(page, 'vm.power', { vm, action: 'suspend' })).toMatchObject({ ok: true })
  await expect.poll(async () => (await vitrine.ask(page, 'library.contents')).machines[0]?.power.type).toBe('suspended')
  await vitrine.kill()
  const again = await vitrine.start()
  await again.getByRole('treeitem', { name: 'Guest' }).dblclick()
  await again.getByRole('tab', { name: 'Console' }).click()
  const kept = again.locator('canvas.kept')
  await expect(kept).toBeVisible()
  await expect.poll(() => kept.evaluate((canvas: HTMLCanvasElement) => new Set(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data).size)).toBeGreaterThan(2)
  await again.getByRole('button', { name: 'Resume this virtual machine' }).click()
  await expect(kept).toBeHidden()
  await expect(screenOf(again)).toBeVisible()
})
