/** What the window says when Vitrine itself fails a VM: its thread dies, the host has no memory left, a part of the program is missing. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Threads from 'node:worker_threads'
import type { Page } from '@playwright/test'
import { seriousFindings } from '../fixtures/axe'
import { createDemo } from '../fixtures/library'
import { expect, test, type Vitrine } from '../fixtures/vitrine'
import { Frame } from '../pages/frame.page'

declare global {
  /** Threads of VMs, in the order of their starts. */
  var machineThreads: Set<{ terminate(): Promise<number> }> | undefined
}

async function screen(vitrine: Vitrine, page: Page, vm: string): Promise<string> {
  return ((await vitrine.ask(page, 'vm.screen-text', { vm })) ?? []).join('\n')
}

/** Threads are remembered when they are sent something: there is no way to them from outside. */
async function watchThreads(vitrine: Vitrine): Promise<void> {
  await vitrine.app.evaluate(() => {
    const { Worker } = process.mainModule?.require('node:worker_threads') as typeof Threads
    const threads = (globalThis.machineThreads = new Set())
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (...message): void {
      threads.add(this)
      postMessage.apply(this, message)
    }
  })
}

test.describe('a failure of Vitrine\'s own', () => {
  test('a thread that dies takes its VM along and no other; the page says so, and the VM can be powered on again', async ({ vitrine }) => {
    const page = await vitrine.start()
    const frame = new Frame(page)
    await watchThreads(vitrine)
    const [one, two] = [await createDemo(vitrine, page, 'One'), await createDemo(vitrine, page, 'Two')]
    for (const vm of [one, two]) {
      await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
      await expect.poll(() => screen(vitrine, page, vm)).toContain('vitrine>')
    }
    await frame.row('One').click()
    await frame.view('Console').click()
    await vitrine.app.evaluate(() => [...(globalThis.machineThreads ?? [])][0]?.terminate())
    const main = page.getByRole('main')
    await expect(main.getByRole('heading', { level: 1 })).toHaveText('This virtual machine has stopped because of an error')
    await expect(main.getByRole('alert')).toContainText('its thread ended')
    await expect(main).toContainText('Power it on again. If it happens repeatedly')
    const log = join(vitrine.location, 'One.vitrine', 'vitrine.log')
    await expect(main).toContainText(log)
    await expect(main.locator('pre')).toContainText('the machine stopped: its thread ended')
    expect(readFileSync(log, 'utf8')).toContain('its thread ended')
    expect(await seriousFindings(page)).toEqual([])
    expect((await vitrine.ask(page, 'library.contents')).machines.map(({ power }) => power.type)).toEqual(['failed', 'running'])
    await vitrine.ask(page, 'vm.type-text', { vm: two, text: 'echo alive\n' })
    await expect.poll(() => screen(vitrine, page, two)).toMatch(/^alive/m)
    await main.getByRole('button', { name: 'Power On', exact: true }).click()
    await expect.poll(() => screen(vitrine, page, one)).toContain('vitrine>')
    expect(vitrine.pageErrors).toEqual([])
  })

  test('a host without memory for it is said, with what can be done', async ({ vitrine }) => {
    // 256 MiB for all of a machine: its processor's tables and its RAM.
    vitrine.switches = ['--js-flags=--wasm-max-mem-pages=4096']
    const page = await vitrine.start()
    const vm = await createDemo(vitrine, page, 'Large', { memoryMiB: 1024 })
    await new Frame(page).row('Large').click()
    await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
    const main = page.getByRole('main')
    await new Frame(page).view('Console').click()
    await expect(main.getByRole('alert')).toContainText('MiB of memory for the machine')
    await expect(main).toContainText('give it less memory under Settings > Hardware > Memory')
    await vitrine.ask(page, 'vm.change-settings', { vm, patch: { hardware: { memoryMiB: 16 } } })
    await main.getByRole('button', { name: 'Power On', exact: true }).click()
    await expect.poll(() => screen(vitrine, page, vm)).toContain('vitrine>')
  })

  test('an installation without its processor is said, and works once it is whole', async ({ vitrine }) => {
    const whole = vitrine.program
    vitrine.program = join(vitrine.home, 'program')
    for (const part of ['package.json', 'resources', join('out', 'main'), join('out', 'preload'), join('out', 'renderer')]) cpSync(join(whole, part), join(vitrine.program, part), { recursive: true })
    const page = await vitrine.start()
    const vm = await createDemo(vitrine, page, 'Empty')
    await new Frame(page).row('Empty').click()
    await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
    await new Frame(page).view('Console').click()
    const main = page.getByRole('main')
    await expect(main.getByRole('alert')).toContainText('out/core/interpreter.wasm is missing from the installation')
    await expect(main).toContainText('install Vitrine again, then power the virtual machine on')
    cpSync(join(whole, 'out', 'core'), join(vitrine.program, 'out', 'core'), { recursive: true })
    await main.getByRole('button', { name: 'Power On', exact: true }).click()
    await expect.poll(() => screen(vitrine, page, vm)).toContain('vitrine>')
  })
})
