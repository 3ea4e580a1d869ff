import { expect, test } from '../fixtures/vitrine'

const PROMPT = /vitrine> *$/m

test.describe('the demo guest in the window @smoke', () => {
  test('runs as soon as the window opens, with a picture', async ({ vm, vitrine }) => {
    await expect(vm.state).toHaveText('Powered on')
    await expect(vm.screen).toHaveAccessibleName('Screen of Demo Guest, 720 by 400')
    await expect.poll(async () => (await vm.picture()).lit, { message: 'pixels that are not black' }).toBeGreaterThan(1000)
    expect((await vm.picture()).colours).toBeGreaterThan(1)
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.view('summary')
    await expect(vm.page.getByRole('main')).toContainText('Translator (x86 to WebAssembly)')
    await expect(vm.page).toHaveTitle('Demo Guest - Vitrine')
    expect(vitrine.pageErrors).toEqual([])
  })

  test('answers on the serial terminal', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('help\r')
    await expect.poll(() => vm.serialText()).toMatch(/^off +turns the power off\nvitrine>$/m)
    await vm.typeOnSerial('echo over the wire\r')
    await expect.poll(() => vm.serialText()).toMatch(/^over the wire$/m)
  })

  test('answers what is typed on its keyboard, on screen and on the serial terminal', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.view('console')
    await expect(vm.hint).toContainText('click inside its screen')
    await expect.poll(async () => (await vm.picture()).lit).toBeGreaterThan(1000)
    const before = await vm.picture()
    await vm.typeOnScreen('echo Hello, Vitrine 42!\n')
    await expect(vm.hint).toContainText('Ctrl+Alt')
    await expect.poll(async () => (await vm.picture()).hash).not.toBe(before.hash)
    await vm.releaseInput()
    await expect(vm.hint).toContainText('click inside its screen')
    // The keyboard is ours again: nothing reaches the guest.
    await vm.page.keyboard.type('x')
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(/^Hello, Vitrine 42!$/m)
    expect((await vm.serialText()).split('\n').filter((line) => line.includes('x'))).toEqual([])
  })

  test('follows the guest into a graphics mode and back', async ({ vm }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('vbe\r')
    await vm.view('console')
    await expect(vm.screen).toHaveAccessibleName(/, 640 by 480$/)
    await expect.poll(async () => (await vm.picture()).colours).toBeGreaterThan(100)
    await vm.view('serial')
    await vm.typeOnSerial('text\r')
    await vm.view('console')
    await expect(vm.screen).toHaveAccessibleName(/, 720 by 400$/)
  })
})
