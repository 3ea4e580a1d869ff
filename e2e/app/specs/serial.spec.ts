/** A serial terminal as a user meets it: a flood with its bytes counted at both ends, the log, search, break. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { floodingGuest } from '../fixtures/guests'
import { createWithSectors } from '../fixtures/library'
import { expect, test } from '../fixtures/vitrine'
import { answerFileDialogs } from '../pages/wizard.page'

const LINES = 20_000
const WRITTEN = LINES * 3 + 3

declare global {
  interface Window {
    taken?: number
  }
}

test('a flood loses nothing and holds nobody up; search, log and break', async ({ vitrine }) => {
  const page = await vitrine.start()
  await page.evaluate(() => {
    window.taken = 0
    const { postMessage } = MessagePort.prototype
    MessagePort.prototype.postMessage = function (this: MessagePort, ...args: unknown[]): void {
      const [message] = args as [{ readonly kind?: string; readonly bytes?: unknown } | undefined]
      if (message?.kind === 'taken' && typeof message.bytes === 'number') window.taken = (window.taken ?? 0) + message.bytes
      ;(postMessage as (...all: unknown[]) => void).apply(this, args)
    } as typeof postMessage
  })
  const vm = await createWithSectors(vitrine, page, 'Flood', floodingGuest(LINES))
  await page.getByRole('treeitem', { name: 'Flood' }).dblclick()
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  await page.getByRole('tab', { name: 'Serial' }).click()
  const terminal = page.getByRole('group', { name: 'Serial terminal' })
  await expect.poll(() => page.evaluate(() => window.taken)).toBe(1)

  const log = join(vitrine.home, 'flood.log')
  await answerFileDialogs(vitrine.app, [log])
  await terminal.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Log to File…' }).click()
  await expect(page.getByText('Logged to flood.log')).toBeVisible()
  await page.getByRole('textbox', { name: 'Serial terminal input' }).focus()
  await page.keyboard.press('x')
  await expect.poll(() => page.evaluate(() => window.taken), { timeout: 30_000 }).toBe(1 + WRITTEN)
  await expect.poll(() => statSync(log).size).toBe(WRITTEN)
  expect(readFileSync(log, 'latin1')).toBe(`${'y\r\n'.repeat(LINES)}END`)

  await page.getByRole('tab', { name: 'Home' }).click()
  await page.getByRole('treeitem', { name: 'Flood' }).dblclick()
  await page.getByRole('tab', { name: 'Serial' }).click()
  await expect(page.getByText('Logged to flood.log')).toBeVisible()

  const find = page.getByRole('searchbox', { name: 'Find in the terminal' })
  await find.fill('END')
  await expect(find).not.toHaveAttribute('aria-invalid', 'true')
  await find.fill('nowhere')
  await expect(find).toHaveAttribute('aria-invalid', 'true')

  await terminal.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Send Break' }).click()
  await expect.poll(() => readFileSync(log, 'latin1').slice(WRITTEN)).toBe('!')
  await terminal.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Stop Logging' }).click()
  await expect(page.getByText('Logged to flood.log')).toBeHidden()

  await terminal.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Select All' }).click()
  await terminal.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Copy' }).click()
  await expect.poll(() => vitrine.app.evaluate(({ clipboard }) => clipboard.readText())).toMatch(/y\s+END!/)
  expect(vitrine.pageErrors).toEqual([])
})
