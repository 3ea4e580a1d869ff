import { expect, test } from '../fixtures/electron-app'

const PROMPT = /vitrine> *$/m

test.describe('the window @smoke', () => {
  test('a page that comes back shows the picture and the serial output of before', async ({ vm, pageErrors }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('echo still here\r')
    await expect.poll(() => vm.serialText()).toMatch(/^still here$/m)
    await vm.button('Pause').click()
    await expect(vm.state).toHaveText('Paused')
    await vm.page.reload()
    await expect(vm.state).toHaveText('Paused')
    await expect.poll(() => vm.serialText()).toMatch(/^still here$/m)
    await expect.poll(async () => (await vm.picture()).lit).toBeGreaterThan(1000)
    await vm.button('Resume').click()
    await vm.typeOnSerial('echo and on\r')
    await expect.poll(() => vm.serialText()).toMatch(/^and on$/m)
    expect(pageErrors).toEqual([])
  })

  test('shows guest pixels as squares of whole pixels, or as large as fits', async ({ vm }) => {
    await expect(vm.resolution).toHaveText('720 × 400')
    const ratio = await vm.page.evaluate(() => window.devicePixelRatio)
    const box = await vm.canvas.boundingBox()
    expect(((box?.width ?? 0) * ratio) / 720).toBeCloseTo(Math.round(((box?.width ?? 0) * ratio) / 720), 3)
    await vm.button('Stretch Guest').click()
    await expect(vm.button('Stretch Guest')).toHaveAttribute('aria-pressed', 'true')
    await expect.poll(async () => (await vm.canvas.boundingBox())?.width ?? 0).toBeGreaterThan(box?.width ?? 0)
    const stretched = await vm.canvas.boundingBox()
    expect((stretched?.width ?? 0) / (stretched?.height ?? 1)).toBeCloseTo(720 / 400, 2)
  })

  test('can be worked by keyboard: every control has a name and takes the focus', async ({ vm }) => {
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    for (const control of await vm.page.locator('button, [tabindex="0"], textarea').all()) {
      expect(await control.evaluate((element) => element.getAttribute('aria-label') ?? element.textContent?.trim())).toBeTruthy()
    }
    await vm.button('Power Off').focus()
    await vm.page.keyboard.press('Enter')
    await expect(vm.state).toHaveText('Powered off')
    await vm.button('Power On').focus()
    await vm.page.keyboard.press('Space')
    await expect(vm.state).toHaveText('Running')
    await vm.screen.focus()
    await vm.page.keyboard.press('Enter')
    await expect(vm.hint).toContainText('Ctrl+Alt')
    await vm.releaseInput()
    await expect(vm.hint).toContainText('click inside the screen')
  })

  test('the page has no Node, no way around the contract, and cannot leave', async ({ vm }) => {
    await expect(vm.state).toHaveText('Running')
    const reach = await vm.page.evaluate(() => ({
      node: typeof (globalThis as { require?: unknown }).require + typeof (globalThis as { process?: unknown }).process,
      bridge: Object.keys((globalThis as { vitrine?: object }).vitrine ?? {}).sort(),
      opened: window.open('https://example.org/') === null,
    }))
    expect(reach).toEqual({ node: 'undefinedundefined', bridge: ['events', 'requests'], opened: true })
    const refused = await vm.page.evaluate(async () => {
      const bridge = (globalThis as unknown as { vitrine: { requests: Record<string, (input: unknown) => Promise<unknown>> } }).vitrine
      return bridge.requests['vm.reset']?.({ vm: 'vm-1', force: true })
    })
    expect(refused).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    await expect(vm.page.evaluate(() => fetch('https://example.org/'))).rejects.toThrow()
  })
})
