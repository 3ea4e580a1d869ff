import { expect, test } from '../fixtures/vitrine'

const PROMPT = /vitrine> *$/m

test.describe('the window @smoke', () => {
  test('a page that comes back shows the picture and the serial output of before', async ({ vm, vitrine }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('echo still here\r')
    await expect.poll(() => vm.serialText()).toMatch(/^still here$/m)
    await vm.button('vm.pause').click()
    await expect(vm.state).toHaveText('Paused')
    await vm.page.waitForTimeout(700) // the page tells how it looks after a pause
    await vm.page.reload()
    await expect(vm.state).toHaveText('Paused')
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(/^still here$/m)
    await vm.view('console')
    await expect.poll(async () => (await vm.picture()).lit).toBeGreaterThan(1000)
    await vm.view('serial')
    await vm.button('vm.pause').click()
    await vm.typeOnSerial('echo and on\r')
    await expect.poll(() => vm.serialText()).toMatch(/^and on$/m)
    expect(vitrine.pageErrors).toEqual([])
  })

  test('shows guest pixels in their aspect ratio, as squares of whole pixels, or as large as fits', async ({ vm, vitrine }) => {
    await expect(vm.screen).toHaveAccessibleName(/, 720 by 400$/)
    const kept = await vm.canvas.boundingBox()
    expect((kept?.width ?? 0) / (kept?.height ?? 1)).toBeCloseTo(720 / 400, 1)
    await vitrine.ask(vm.page, 'app.set-preferences', { patch: { scaleMode: 'integer' } })
    const ratio = await vm.page.evaluate(() => window.devicePixelRatio)
    const scale = async (): Promise<number> => (((await vm.canvas.boundingBox())?.width ?? 0) * ratio) / 720
    await expect.poll(async () => Math.abs((await scale()) - Math.round(await scale()))).toBeLessThan(0.001)
    const box = await vm.canvas.boundingBox()
    await vm.button('console.toggle-stretch').click()
    await expect(vm.button('console.toggle-stretch')).toHaveAttribute('aria-pressed', 'true')
    await expect.poll(async () => (await vm.canvas.boundingBox())?.width ?? 0).toBeGreaterThan(box?.width ?? 0)
  })

  test('can be worked by keyboard: every control has a name and takes the focus', async ({ vm }) => {
    await expect(vm.state).toHaveText('Powered on')
    for (const view of ['summary', 'console', 'serial', 'performance'] as const) {
      await vm.view(view)
      for (const control of await vm.page.locator('button:visible:not([aria-hidden]), [tabindex="0"]:visible, textarea:not([aria-hidden]), input:visible').all()) {
        const name = await control.evaluate((element) => element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.textContent?.trim() ?? element.textContent?.trim())
        expect(name, await control.evaluate((element) => element.outerHTML.slice(0, 200))).toBeTruthy()
      }
    }
    await vm.button('vm.power-off').focus()
    await vm.page.keyboard.press('Enter')
    await vm.dialog.getByRole('button', { name: 'Power Off', exact: true }).press('Enter')
    await expect(vm.state).toHaveText('Powered off')
    await vm.button('vm.power-on').focus()
    await vm.page.keyboard.press('Space')
    await expect(vm.state).toHaveText('Powered on')
    await vm.view('console')
    await vm.screen.focus()
    await vm.page.keyboard.press('Enter')
    await expect(vm.hint).toContainText('Ctrl+Alt')
    await vm.releaseInput()
    await expect(vm.hint).toContainText('click inside its screen')
  })
})
