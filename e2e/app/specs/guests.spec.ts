/** From the wizard to a guest that is driven by keyboard, suspended, resumed after the app was killed, and switched off. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { installerInitrd, installerKernel, missing } from '../../guests/images/files'
import { isolinuxIso } from '../../guests/images/installer-iso'
import { echoKernel } from '../../guests/images/tiny'
import { writeBootableIso } from '../fixtures/iso'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { VmWindow } from '../pages/vm-window.page'
import { answerFileDialogs, WizardPage } from '../pages/wizard.page'

/** What the guest of the only VM has on its screen. */
async function text(vitrine: Vitrine, page: Page): Promise<string> {
  const [machine] = (await vitrine.ask(page, 'library.contents')).machines
  return machine ? ((await vitrine.ask(page, 'vm.screen-text', { vm: machine.id })) ?? []).join('\n') : ''
}

async function openWizard(page: Page): Promise<WizardPage> {
  await page.keyboard.press('Control+n')
  const wizard = new WizardPage(page)
  await expect(wizard.title).toHaveText('Welcome to the New Virtual Machine Wizard')
  return wizard
}

/** Through what is left of the wizard, with what it suggests. */
async function finish(wizard: WizardPage, name: string): Promise<void> {
  for (let pages = 0; pages < 12 && (await wizard.title.textContent()) !== 'Ready to Create Virtual Machine'; pages++) {
    const before = (await wizard.title.textContent()) ?? ''
    if (before === 'Name the Virtual Machine') await wizard.fill('Virtual machine name', name)
    await wizard.next()
    await expect(wizard.title).not.toHaveText(before)
  }
  await wizard.finish()
  await expect(wizard.dialog).toBeHidden()
}

async function changeDisc(vitrine: Vitrine, vm: VmWindow, file: string): Promise<void> {
  await answerFileDialogs(vitrine.app, [file])
  await vm.page.locator('[data-device="cdrom-0"]').click()
  await vm.page.getByRole('menuitem', { name: 'Choose Disc Image…' }).click()
  await expect(vm.page.locator('[data-device="cdrom-0"]')).toHaveAccessibleName(new RegExp(file.slice(file.lastIndexOf('/') + 1)))
}

/** Suspends, kills the app, starts it again; its tab is there. */
async function suspendAndKill(vitrine: Vitrine, vm: VmWindow, name: string): Promise<VmWindow> {
  await vm.page.keyboard.press('Control+j')
  await expect(vm.state).toHaveText('Suspended', { timeout: 60_000 })
  await vm.page.waitForTimeout(1000) // the page tells how it looks after a pause
  await vitrine.kill()
  const again = new VmWindow(await vitrine.start())
  await expect(again.page.getByRole('tab', { name, exact: true })).toHaveAttribute('aria-selected', 'true')
  await expect(again.state).toHaveText('Suspended')
  await expect(again.button('vm.power-on')).toHaveAccessibleName('Resume')
  await again.button('vm.power-on').click()
  await expect(again.state).toHaveText('Powered on')
  return again
}

test('from a disc: keys on the screen, another disc, suspended, killed, resumed, off', async ({ vitrine }) => {
  const page = await vitrine.start()
  const [installer, other] = [join(vitrine.home, 'debian-12.5.0-amd64-netinst.iso'), join(vitrine.home, 'other.iso')]
  writeBootableIso(installer, 'Debian 12.5.0 amd64 n')
  writeBootableIso(other, 'ANOTHER DISC')
  await answerFileDialogs(vitrine.app, [installer])
  const wizard = await openWizard(page)
  await wizard.next()
  await wizard.browse('ISO image file')
  await expect(wizard.dialog.getByText('Debian GNU/Linux 12.5.0 64-bit detected.')).toBeVisible()
  await finish(wizard, 'Reader')

  const vm = new VmWindow(page)
  await expect(vm.state).toHaveText('Powered on')
  await vm.view('console')
  await expect.poll(() => text(vitrine, page)).toContain('A key shows the label of the disc.')
  await vm.typeOnScreen('a')
  await expect.poll(() => text(vitrine, page)).toMatch(/^1 Debian 12\.5\.0 amd64 n/m)
  await vm.releaseInput()
  await changeDisc(vitrine, vm, other)
  await vm.typeOnScreen('b')
  await expect.poll(() => text(vitrine, page)).toMatch(/^2 ANOTHER DISC/m)
  await vm.releaseInput()
  expect(JSON.parse(readFileSync(join(vitrine.location, 'Reader.vitrine', 'vm.json'), 'utf8'))).toMatchObject({ hardware: { cdroms: [{ file: other }] } })

  const again = await suspendAndKill(vitrine, vm, 'Reader')
  await again.view('console')
  await expect.poll(() => text(vitrine, again.page)).toMatch(/^1 Debian 12\.5\.0 amd64 n *\n2 ANOTHER DISC/m)
  await again.typeOnScreen('c')
  await expect.poll(() => text(vitrine, again.page)).toMatch(/^3 ANOTHER DISC/m)
  await again.typeOnScreen('q')
  await expect(again.state).toHaveText('Powered off')
  expect(vitrine.pageErrors).toEqual([])
})

test('from a kernel: the serial terminal, suspended, killed, resumed, off', async ({ vitrine }) => {
  const page = await vitrine.start()
  const kernel = echoKernel(join(vitrine.home, 'echo.elf'))
  await answerFileDialogs(vitrine.app, [kernel])
  const wizard = await openWizard(page)
  await wizard.next()
  await wizard.choose('Linux or Multiboot kernel')
  await wizard.next()
  await wizard.browse('Kernel')
  await wizard.fill('Command line', 'hello=42')
  await wizard.next()
  await finish(wizard, 'Echo')

  const vm = new VmWindow(page)
  await expect(vm.state).toHaveText('Powered on')
  await vm.view('serial')
  await expect.poll(() => vm.serialText()).toMatch(/^echo kernel: .*hello=42/m)
  await vm.typeOnSerial('x')
  await expect.poll(() => vm.serialText()).toMatch(/^1 x/m)
  await vm.view('summary')

  const again = await suspendAndKill(vitrine, vm, 'Echo')
  await again.view('serial')
  await again.typeOnSerial('y')
  await expect.poll(() => again.serialText()).toMatch(/^2 y/m)
  await again.typeOnSerial('q')
  await expect(again.state).toHaveText('Powered off')
  expect(vitrine.pageErrors).toEqual([])
})

const why = missing(installerKernel('amd64'), installerInitrd('amd64'))
test('Debian\'s installer from its disc: first dialogs by keyboard, another disc, suspended, killed, resumed, shut down @heavy', async ({ vitrine }) => {
  test.skip(why !== undefined, why)
  test.setTimeout(900_000)
  const patience = { timeout: 400_000 }
  const page = await vitrine.start()
  const other = join(vitrine.home, 'other.iso')
  writeBootableIso(other, 'ANOTHER DISC')
  await answerFileDialogs(vitrine.app, [isolinuxIso('amd64')])
  const wizard = await openWizard(page)
  await wizard.choose('Custom (advanced)')
  await wizard.next()
  await wizard.browse('ISO image file')
  await page.waitForTimeout(500)
  await finish(wizard, 'Debian')

  const vm = new VmWindow(page)
  await expect(vm.state).toHaveText('Powered on')
  await vm.view('console')
  await expect.poll(() => text(vitrine, page), patience).toContain('Install Debian amd64')
  await vm.typeOnScreen('\n')
  await expect.poll(() => text(vitrine, page), patience).toContain('Select a language')
  await expect.poll(() => text(vitrine, page)).toContain('<Go Back>')
  await page.keyboard.press('Enter')
  await expect.poll(() => text(vitrine, page), patience).toContain('Select your location')
  await vm.releaseInput()
  await changeDisc(vitrine, vm, other)

  const again = await suspendAndKill(vitrine, vm, 'Debian')
  await again.view('console')
  await expect.poll(() => text(vitrine, again.page)).toContain('Select your location')
  await again.typeOnScreen('\n')
  await expect.poll(() => text(vitrine, again.page), patience).toContain('Configure the keyboard')
  // Its second console has a shell.
  for (const key of ['ControlLeft', 'AltLeft', 'F2']) await again.page.keyboard.down(key)
  for (const key of ['F2', 'AltLeft', 'ControlLeft']) await again.page.keyboard.up(key)
  await expect.poll(() => text(vitrine, again.page), patience).toContain('Please press Enter to activate this console')
  await again.page.keyboard.press('Enter')
  await expect.poll(() => text(vitrine, again.page), patience).toMatch(/# *$/m)
  await again.typeOnScreen('poweroff\n')
  await expect(again.state).toHaveText('Powered off', patience)
  expect(vitrine.pageErrors).toEqual([])
})
