import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { VmJson } from '../../../src-main/ipc/contract'
import { writeBootableIso } from '../fixtures/iso'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { SettingsPage } from '../pages/settings.page'
import { answerFileDialogs, WizardPage } from '../pages/wizard.page'

async function openWizard(page: Page): Promise<WizardPage> {
  await page.keyboard.press('Control+n')
  const wizard = new WizardPage(page)
  await expect(wizard.title).toHaveText('Welcome to the New Virtual Machine Wizard')
  return wizard
}

const vmJson = (vitrine: Vitrine, name: string): VmJson => JSON.parse(readFileSync(join(vitrine.location, `${name}.vitrine`, 'vm.json'), 'utf8')) as VmJson

test('a VM is made of an installer disc, and its settings are changed', async ({ vitrine }) => {
  const page = await vitrine.start()
  const iso = join(vitrine.home, 'debian.iso')
  writeBootableIso(iso, 'Debian 12.5.0 amd64 n')
  await answerFileDialogs(vitrine.app, [iso])

  const wizard = await openWizard(page)
  await wizard.next()
  await wizard.next()
  await expect(wizard.dialog.getByText('Choose an installer disc image.')).toBeVisible()
  await wizard.browse('ISO image file')
  await expect(wizard.dialog.getByText('Debian GNU/Linux 12.5.0 64-bit detected.')).toBeVisible()
  await wizard.next()
  await wizard.fill('Virtual machine name', ' bad')
  await wizard.next()
  await expect(wizard.dialog.getByText('A name has no spaces at its ends.')).toBeVisible()
  await wizard.fill('Virtual machine name', 'Test')
  await wizard.next()
  await wizard.fill('Maximum disk size', '3')
  await wizard.next()
  await expect(wizard.title).toHaveText('Ready to Create Virtual Machine')
  await wizard.dialog.getByRole('checkbox', { name: 'Power on this virtual machine after creation' }).uncheck()
  await wizard.finish()
  await expect(wizard.dialog).toBeHidden()
  expect(vmJson(vitrine, 'Test')).toMatchObject({ guest: { system: 'Debian GNU/Linux 12.5.0 (64-bit)' }, hardware: { memoryMiB: 1024, disks: [{ file: 'disk.img' }], cdroms: [{ file: iso }] } })

  await page.keyboard.press('Control+d')
  const settings = new SettingsPage(page)
  await expect(settings.row('disk-0')).toContainText('3 GB')
  await settings.dialog.getByLabel('Memory for this virtual machine').first().fill('512')
  await settings.open('disk-0')
  await settings.dialog.getByLabel('Expand to').fill('4')
  await settings.dialog.getByRole('button', { name: 'Add…' }).click()
  await page.getByRole('menuitem', { name: 'Serial Port' }).click()
  await settings.dialog.getByRole('radio', { name: 'Use a TCP port' }).check()
  await settings.tab('Options')
  await settings.open('power')
  await settings.dialog.getByRole('radio', { name: 'Ask the guest' }).first().check()
  await settings.ok()
  await expect(settings.dialog).toBeHidden()
  expect(vmJson(vitrine, 'Test')).toMatchObject({ hardware: { memoryMiB: 512, serialPorts: [{ kind: 'terminal' }, { kind: 'tcp', port: 5555 }] }, options: { power: { powerOff: 'soft' } } })

  // The same again: the name is taken.
  await answerFileDialogs(vitrine.app, [iso])
  const second = await openWizard(page)
  await second.next()
  await second.browse('ISO image file')
  await expect(second.dialog.getByText('detected')).toBeVisible()
  await second.next()
  await second.fill('Virtual machine name', 'test')
  await second.next()
  await expect(second.dialog.getByText('the library has a virtual machine of this name')).toBeVisible()
  await second.cancel()
  await expect(second.dialog).toBeHidden()
  expect(vitrine.pageErrors).toEqual([])
})

test('a kernel is booted directly by a VM that the Custom path makes, and a disk of another format is refused', async ({ vitrine }) => {
  const page = await vitrine.start()
  const disk = join(vitrine.home, 'a.qcow2')
  writeFileSync(disk, Buffer.from('QFI\u00fb\0\0\0\u0003', 'latin1'))
  const kernel = join(vitrine.home, 'kernel')
  // The header of a Linux image, as far as it is looked at.
  const image = Buffer.alloc(4096)
  image[0x1f1] = 1
  image.writeUInt16LE(0xaa55, 0x1fe)
  image.write('HdrS', 0x202)
  image.writeUInt16LE(0x20f, 0x206)
  image.writeUInt16LE(1, 0x236)
  writeFileSync(kernel, image)
  truncateSync(kernel, 1 << 20)
  await answerFileDialogs(vitrine.app, [disk, kernel])

  const wizard = await openWizard(page)
  await wizard.choose('Custom (advanced)')
  await wizard.next()
  await wizard.choose('Existing disk with an operating system')
  await wizard.browse('Disk image')
  await wizard.next()
  await expect(wizard.dialog.getByText('Only raw disk images can be used.')).toBeVisible()
  await wizard.choose('Linux or Multiboot kernel')
  await wizard.next()
  await wizard.browse('Kernel')
  await wizard.fill('Command line', 'console=ttyS0')
  await wizard.next()
  await wizard.fill('Virtual machine name', 'Direct')
  for (const title of ['Firmware Type', 'Processor Configuration', 'Memory for the Virtual Machine', 'Execution Engine and Clock', 'Select a Disk', 'Serial Ports', 'Ready to Create Virtual Machine']) {
    await wizard.next()
    await expect(wizard.title).toHaveText(title)
  }
  await wizard.dialog.getByRole('checkbox', { name: 'Power on this virtual machine after creation' }).uncheck()
  await wizard.finish()
  await expect(wizard.dialog).toBeHidden()
  expect(vmJson(vitrine, 'Direct').hardware).toMatchObject({ boot: { kernel: { file: kernel, commandLine: 'console=ttyS0' } }, disks: [], serialPorts: [{ kind: 'terminal' }] })
  expect(existsSync(join(vitrine.location, 'Direct.vitrine', 'disk.img'))).toBe(false)
  expect(vitrine.pageErrors).toEqual([])
})

test('the settings of a VM that runs: what waits for the next power-on, and the disc that changes at once', async ({ vitrine }) => {
  const page = await vitrine.start()
  const iso = join(vitrine.home, 'other.iso')
  writeBootableIso(iso, 'OTHER')
  await answerFileDialogs(vitrine.app, [iso])
  const made = await vitrine.ask(page, 'library.create', { name: 'Runs', hardware: { demoDisk: true, cdroms: [{ connected: true }], memoryMiB: 64 }, newDisks: [] })
  if (!made.ok) throw new Error(made.problem.message)
  const vm = made.value.id
  await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
  await page.getByText('Runs', { exact: true }).first().dblclick()
  await expect.poll(async () => (await vitrine.ask(page, 'library.contents')).machines[0]?.power.type).toBe('running')

  await page.keyboard.press('Control+d')
  const settings = new SettingsPage(page)
  await expect(settings.dialog.getByText('This virtual machine is powered on.')).toBeVisible()
  await settings.dialog.getByLabel('Memory for this virtual machine').first().fill('128')
  await settings.open('cdrom-0')
  await expect(settings.dialog.getByText('Changes on this page take effect at once.')).toBeVisible()
  await settings.dialog.getByRole('radio', { name: 'Use ISO image file' }).check()
  await settings.dialog.getByRole('button', { name: 'ISO image file: browse' }).click()
  await expect(settings.dialog.getByText('It could not be detected which operating system is on this disc.')).toBeVisible()
  await settings.ok()
  await expect(settings.dialog).toBeHidden()
  expect(vmJson(vitrine, 'Runs').hardware).toMatchObject({ memoryMiB: 128, cdroms: [{ file: iso, connected: true }] })
  const running = await vitrine.ask(page, 'library.contents')
  expect(running.machines[0]?.power.type).toBe('running')
  expect(vitrine.pageErrors).toEqual([])
})
