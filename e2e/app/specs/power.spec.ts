import { tripleFaultDisk } from '../fixtures/disks'
import { createDemo } from '../fixtures/library'
import { expect, test } from '../fixtures/vitrine'

const PROMPT = /vitrine> *$/m

test.describe('power @smoke', () => {
  test('pause stops time, unpause goes on', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.button('vm.pause').click()
    await expect(vm.state).toHaveText('Paused')
    await expect(vm.button('vm.reset')).toBeEnabled()
    await expect(vm.button('vm.suspend')).toBeEnabled()
    await vm.button('vm.pause').click()
    await expect(vm.state).toHaveText('Powered on')
    await vm.typeOnSerial('echo awake\r')
    await expect.poll(() => vm.serialText()).toMatch(/^awake$/m)
  })

  test('reset asks, and boots the guest again', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('echo before\r')
    await expect.poll(() => vm.serialText()).toMatch(/^before$/m)
    await vm.button('vm.reset').click()
    await vm.dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(vm.dialog).toBeHidden()
    await vm.button('vm.reset').click()
    await vm.dialog.getByRole('button', { name: 'Reset', exact: true }).click()
    await expect.poll(async () => (await vm.serialText()).match(/Type help for what it can show/g)?.length).toBe(2)
    await expect(vm.state).toHaveText('Powered on')
  })

  test('power off asks and is at once; power on starts a new machine', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.button('vm.power-off').click()
    await vm.dialog.getByRole('button', { name: 'Power Off', exact: true }).click()
    await expect(vm.state).toHaveText('Powered off')
    for (const command of ['vm.pause', 'vm.suspend', 'vm.reset']) await expect(vm.button(command)).toBeDisabled()
    await vm.button('vm.power-on').click()
    await expect(vm.state).toHaveText('Powered on')
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
  })

  test('a guest that turns itself off is powered off, and its tab goes on', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('off\r')
    await expect(vm.state).toHaveText('Powered off')
    await vm.view('summary')
    await vm.page.getByRole('main').getByRole('button', { name: 'Power on this virtual machine' }).click()
    await expect(vm.state).toHaveText('Powered on')
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
  })
})

test.describe('quitting @smoke', () => {
  test('asks what becomes of the VMs that are on; the answer is done, and the app ends', async ({ vitrine }) => {
    const page = await vitrine.start()
    const vm = await createDemo(vitrine, page, 'On')
    await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
    await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toContain('vitrine>')
    const close = (): Promise<void> => vitrine.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
    await close()
    const dialog = page.getByRole('dialog')
    await expect(dialog).toContainText('1 virtual machine is powered on.')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(dialog).toBeHidden()
    expect((await vitrine.ask(page, 'library.contents')).machines[0]?.power.type).toBe('running')
    const ended = new Promise((resolve) => vitrine.app.process().once('exit', resolve))
    await page.keyboard.press('Control+q')
    await dialog.getByText('Suspend', { exact: true }).click()
    await dialog.getByRole('button', { name: 'OK' }).click()
    expect(await ended).toBe(0)
    const again = await vitrine.start()
    expect((await vitrine.ask(again, 'library.contents')).machines[0]?.power.type).toBe('suspended')
  })
})

test.describe('a guest that goes wrong @smoke', () => {
  test.use({ machineOptions: ['--disk', `${tripleFaultDisk()},ro`] })

  test('a triple fault is shown with the processor\'s state', async ({ vm }) => {
    await vm.view('console')
    await expect(vm.page.getByRole('alert')).toContainText('triple fault')
    const page = vm.page.getByRole('main')
    await expect(page.locator('pre').first()).toContainText(/RIP|EIP/i)
    await expect(page.getByRole('button', { name: 'Power On', exact: true })).toBeEnabled()
  })
})
