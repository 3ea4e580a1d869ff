import { expect, test } from '../fixtures/electron-app'

const PROMPT = /vitrine> *$/m

test.describe('the demo guest in the window @smoke', () => {
  test('runs as soon as the window opens, with a picture', async ({ vm, pageErrors }) => {
    await expect(vm.state).toHaveText('Running')
    await expect.poll(async () => (await vm.picture()).lit, { message: 'pixels that are not black' }).toBeGreaterThan(1000)
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    const picture = await vm.picture()
    expect(picture.colours).toBeGreaterThan(1)
    await expect(vm.resolution).toHaveText(`${picture.width} × ${picture.height}`)
    await expect(vm.figure('engine')).toHaveText('translator')
    await expect(vm.figure('mips')).toHaveText(/^\d+\.\d MIPS$/)
    await expect(vm.figure('instructions')).toHaveText(/instructions$/)
    await expect(vm.page).toHaveTitle('Demo Guest - Vitrine')
    expect(pageErrors).toEqual([])
  })

  test('answers on the serial console', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('help\r')
    await expect.poll(() => vm.serialText()).toMatch(/^off +turns the power off\nvitrine>$/m)
    await vm.typeOnSerial('echo over the wire\r')
    await expect.poll(() => vm.serialText()).toMatch(/^over the wire$/m)
  })

  test('answers what is typed on its keyboard, on screen and on the serial console', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await expect(vm.hint).toContainText('click inside the screen')
    const before = await vm.picture()
    await vm.typeOnScreen('echo Hello, Vitrine 42!\n')
    await expect(vm.hint).toContainText('Ctrl+Alt')
    await expect.poll(() => vm.serialText()).toMatch(/^Hello, Vitrine 42!$/m)
    await expect.poll(async () => (await vm.picture()).hash).not.toBe(before.hash)
    await vm.releaseInput()
    await expect(vm.hint).toContainText('click inside the screen')
    // The keyboard is ours again: nothing reaches the guest.
    const after = await vm.picture()
    await vm.page.keyboard.type('x')
    await vm.page.waitForTimeout(300)
    expect((await vm.serialText()).split('\n').filter((line) => line.includes('x'))).toEqual([])
    expect(after.width).toBe(before.width)
  })

  test('follows the guest into a graphics mode and back', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('vbe\r')
    await expect(vm.resolution).toHaveText('640 × 480')
    await expect.poll(async () => (await vm.picture()).colours).toBeGreaterThan(100)
    await vm.typeOnSerial('text\r')
    await expect(vm.resolution).toHaveText('720 × 400')
  })
})
