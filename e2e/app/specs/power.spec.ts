import { tripleFaultDisk } from '../fixtures/disks'
import { expect, test } from '../fixtures/electron-app'

const PROMPT = /vitrine> *$/m

test.describe('power @smoke', () => {
  test('pause stops time, resume goes on', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.button('Pause').click()
    await expect(vm.state).toHaveText('Paused')
    await expect(vm.button('Reset')).toBeEnabled()
    await expect(vm.button('Shut Down Guest')).toBeDisabled()
    await vm.button('Resume').click()
    await expect(vm.state).toHaveText('Running')
    await vm.typeOnSerial('echo awake\r')
    await expect.poll(() => vm.serialText()).toMatch(/^awake$/m)
  })

  test('reset boots the guest again', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('echo before\r')
    await expect.poll(() => vm.serialText()).toMatch(/^before$/m)
    await vm.button('Reset').click()
    await expect.poll(async () => (await vm.serialText()).match(/Type help for what it can show/g)?.length).toBe(2)
    await expect(vm.state).toHaveText('Running')
  })

  test('power off is at once; power on starts a new machine', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.button('Power Off').click()
    await expect(vm.state).toHaveText('Powered off')
    for (const name of ['Pause', 'Reset', 'Shut Down Guest', 'Power Off']) await expect(vm.button(name)).toBeDisabled()
    await vm.button('Power On').click()
    await expect(vm.state).toHaveText('Running')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
  })

  test('a guest that turns itself off is powered off, and its window goes on', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('off\r')
    await expect(vm.state).toHaveText('Powered off')
    await vm.page.getByRole('button', { name: 'Power On this virtual machine' }).click()
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
  })

  test('closing the window powers the machine off and ends the app', async ({ app, vm }) => {
    await expect(vm.state).toHaveText('Running')
    const ended = new Promise((resolve) => app.process().once('exit', resolve))
    await vm.page.close()
    expect(await ended).toBe(0)
  })
})

test.describe('trouble @smoke', () => {
  test.use({ machineOptions: ['--kernel', 'no-such-kernel'] })

  test('a machine that cannot be made says why', async ({ vm }) => {
    await expect(vm.state).toHaveText('Failed')
    await expect(vm.page.getByRole('alert')).toContainText('no-such-kernel')
  })
})

test.describe('a guest that goes wrong @smoke', () => {
  test.use({ machineOptions: ['--disk', `${tripleFaultDisk()},ro`] })

  test('a triple fault is shown with the processor\'s state', async ({ vm }) => {
    const alert = vm.page.getByRole('alert')
    await expect(alert).toContainText('triple fault')
    await expect(alert.locator('pre')).toContainText(/RIP|EIP/i)
    await expect(vm.state).toHaveText('Powered off')
    await expect(vm.page.getByRole('button', { name: 'Power On this virtual machine' })).toBeEnabled()
  })
})
