/** A VM that a command line runs, in the window: its state, its picture, its power, and its way into the window. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { seriousFindings } from '../fixtures/axe'
import { createDemo } from '../fixtures/library'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { Frame } from '../pages/frame.page'
import { VmWindow } from '../pages/vm-window.page'

const program = join(import.meta.dirname, '..', '..', '..', 'out', 'cli', 'vitrine.mjs')

/** As in a terminal of the user's. */
function startOutside(vitrine: Vitrine, name: string): ChildProcess {
  return spawn(process.execPath, [program, 'start', name, '--headless'], { env: vitrine.environment, stdio: 'ignore' })
}
const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined)))

test('a VM of the command line is seen and ruled from the window, and continued in it', async ({ vitrine }) => {
  const page = await vitrine.start()
  const frame = new Frame(page)
  const window = new VmWindow(page)
  const vm = await createDemo(vitrine, page, 'Outside')
  let outside = startOutside(vitrine, 'Outside')
  await frame.row('Outside').click()
  await expect(window.state).toHaveText('Powered on (vitrine start)')
  await expect(frame.row('Outside')).toContainText('Powered on (vitrine start)')
  await frame.view('Console').click()
  const main = page.getByRole('main')
  await expect(main.getByRole('note')).toContainText(`vitrine start (process ${outside.pid}`)
  const picture = main.getByRole('img', { name: 'Screen of Outside' })
  await expect(picture).toBeVisible()
  expect(await seriousFindings(page)).toEqual([])

  const pictureBytes = async (): Promise<number> => (await vitrine.ask(page, 'vm.picture', { vm }))?.length ?? 0

  await test.step('pause, unpause, keys', async () => {
    await main.locator('[data-command="vm.pause"]').click()
    await expect(window.state).toHaveText('Paused (vitrine start)')
    await expect(main.locator('[data-command="console.paste"]')).toBeDisabled()
    await window.button('vm.pause').click()
    await expect(window.state).toHaveText('Powered on (vitrine start)')
    const before = await pictureBytes()
    expect(await vitrine.ask(page, 'vm.type-text', { vm, text: 'echo from the window\n' })).toEqual({ ok: true, value: { skipped: 0 } })
    // More than a cursor has been drawn: the line, its echo and the next prompt.
    await expect.poll(async () => (await pictureBytes()) - before).toBeGreaterThan(500)
  })

  await test.step('its serial terminal', async () => {
    await frame.view('Serial').click()
    await window.typeOnSerial('echo over the socket\r')
    await expect.poll(() => window.serialText()).toMatch(/^over the socket/m)
    await frame.view('Console').click()
  })

  await test.step('continued in this window, where it was', async () => {
    await main.getByRole('button', { name: 'Continue in This Window' }).click()
    await expect(window.state).toHaveText('Powered on')
    await ended(outside)
    await expect.poll(async () => (await vitrine.ask(page, 'vm.screen-text', { vm }))?.join('\n') ?? '').toMatch(/^from the window/m)
    await window.button('vm.power-off').click()
    await window.dialog.getByRole('button', { name: 'Power Off', exact: true }).click()
    await expect(window.state).toHaveText('Powered off')
  })

  await test.step('powered off over there', async () => {
    outside = startOutside(vitrine, 'Outside')
    await expect(window.state).toHaveText('Powered on (vitrine start)')
    await window.button('vm.power-off').click()
    await window.dialog.getByRole('button', { name: 'Power Off', exact: true }).click()
    await expect(window.state).toHaveText('Powered off')
    await ended(outside)
  })

  await test.step('killed over there: it is free again', async () => {
    outside = startOutside(vitrine, 'Outside')
    await expect(window.state).toHaveText('Powered on (vitrine start)')
    outside.kill('SIGKILL')
    await expect(window.state).toHaveText('Powered off')
  })
  expect(vitrine.pageErrors).toEqual([])
})
