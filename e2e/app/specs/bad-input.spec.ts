/** What dialogs say to answers that cannot be. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createDemo } from '../fixtures/library'
import { expect, test } from '../fixtures/vitrine'
import { Frame } from '../pages/frame.page'
import { SettingsPage } from '../pages/settings.page'

test('settings: memory, ports and names that cannot be are told where they stand, and nothing is changed', async ({ vitrine }) => {
  const page = await vitrine.start()
  const vm = await createDemo(vitrine, page, 'Given', { serialPorts: [{ kind: 'terminal' }] })
  await createDemo(vitrine, page, 'Other')
  await new Frame(page).row('Given').click()
  await page.keyboard.press('Control+d')
  const settings = new SettingsPage(page)
  const wrong = settings.dialog.locator('[aria-invalid="true"]')
  const memory = settings.dialog.getByLabel('Memory for this virtual machine').first()
  for (const value of ['0', '99999999']) {
    await memory.fill(value)
    await memory.blur()
    await settings.ok()
    // A field either refuses the number or takes the nearest that can be.
    if (await settings.dialog.isHidden()) break
    await expect(wrong.first()).toBeVisible()
  }
  if (await settings.dialog.isHidden()) await page.keyboard.press('Control+d')
  await memory.fill('64')
  await settings.open('serial-port-0')
  await settings.dialog.getByRole('radio', { name: 'Use a TCP port' }).check()
  await settings.dialog.getByLabel('TCP port', { exact: true }).fill('70000')
  await settings.ok()
  await expect(settings.dialog).toBeVisible()
  await expect(wrong.first()).toBeVisible()
  await settings.dialog.getByRole('radio', { name: 'Use a terminal in the window' }).check()
  await settings.tab('Options')
  await settings.open('general')
  const name = settings.dialog.getByLabel('Name', { exact: true })
  for (const bad of ['', ' spaces ', 'bell\u0007', 'Other', 'x'.repeat(300)]) {
    await name.fill(bad)
    await settings.ok()
    await expect(settings.dialog).toBeVisible()
    await expect(settings.dialog.locator('[aria-invalid="true"], [role="alert"]').first(), `of "${bad}"`).toBeVisible({ timeout: 5000 })
  }
  await settings.cancel()
  await expect(settings.dialog).toBeHidden()
  expect((await vitrine.ask(page, 'library.contents')).machines.map((machine) => machine.name).sort()).toEqual(['Given', 'Other'])
  expect((await vitrine.ask(page, 'library.contents')).machines.some(({ id }) => id === vm)).toBe(true)
  expect(vitrine.pageErrors).toEqual([])
})

test('names of VMs and folders that cannot be are refused with a reason', async ({ vitrine }) => {
  const page = await vitrine.start()
  const frame = new Frame(page)
  await createDemo(vitrine, page, 'Given')
  await createDemo(vitrine, page, 'Other')
  await frame.row('Given').focus()
  await page.keyboard.press('g')
  await page.keyboard.press('F2')
  const name = frame.dialog.getByRole('textbox')
  for (const bad of ['', 'bell\u0007', 'other']) {
    await name.fill(bad)
    const ok = frame.dialog.getByRole('button', { name: 'OK' })
    if (await ok.isDisabled()) continue
    await ok.click()
    await expect(frame.dialog).toBeVisible()
    await expect(frame.dialog.locator('[aria-invalid="true"], [role="alert"]').first(), `of "${bad}"`).toBeVisible({ timeout: 5000 })
  }
  await page.keyboard.press('Escape')
  await expect(frame.dialog).toHaveCount(0)
  expect(existsSync(join(vitrine.location, 'Given.vitrine', 'vm.json'))).toBe(true)
  expect(vitrine.pageErrors).toEqual([])
})
