/** VMs in the app's threads, asked through the contract: two at once, suspended, the app killed, resumed; a command from outside; frames a second. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from '@playwright/test'
import { expect, test, type Vitrine } from '../fixtures/vitrine'

const program = join(import.meta.dirname, '..', '..', '..', 'out', 'cli', 'vitrine.mjs')

async function state(vitrine: Vitrine, page: Page, vm: string): Promise<string> {
  const { machines } = await vitrine.ask(page, 'library.contents')
  return machines.find(({ id }) => id === vm)?.power.type ?? 'gone'
}

async function screen(vitrine: Vitrine, page: Page, vm: string): Promise<string> {
  return ((await vitrine.ask(page, 'vm.screen-text', { vm })) ?? []).join('\n')
}

async function createDemo(vitrine: Vitrine, page: Page, name: string): Promise<string> {
  const made = await vitrine.ask(page, 'library.create', { name, hardware: { memoryMiB: 16, demoDisk: true }, newDisks: [] })
  if (!made.ok) throw new Error(made.problem.message)
  return made.value.id
}

test.describe('running VMs', () => {
  test('two run at once; one is suspended and goes on where it was, after the app was killed', async ({ vitrine }) => {
    const page = await vitrine.start()
    const [one, two] = [await createDemo(vitrine, page, 'One'), await createDemo(vitrine, page, 'Two')]
    for (const vm of [one, two]) expect(await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })).toMatchObject({ ok: true })
    for (const vm of [one, two]) await expect.poll(() => screen(vitrine, page, vm)).toContain('vitrine>')
    expect(await vitrine.ask(page, 'vm.type-text', { vm: one, text: 'echo half' })).toEqual({ ok: true, value: { skipped: 0 } })
    await expect.poll(() => screen(vitrine, page, one)).toContain('echo half')
    const stats = await vitrine.ask(page, 'vm.stats', { vm: two })
    expect(stats?.hostCpuSeconds).toBeGreaterThan(0)
    expect(stats?.memory.touchedBytes).toBeGreaterThan(0)
    expect(await vitrine.ask(page, 'vm.power', { vm: one, action: 'suspend' })).toMatchObject({ ok: true })
    await expect.poll(() => state(vitrine, page, one)).toBe('suspended')
    expect(await state(vitrine, page, two)).toBe('running')
    await vitrine.kill()

    const again = await vitrine.start()
    expect([await state(vitrine, again, one), await state(vitrine, again, two)]).toEqual(['suspended', 'powered-off'])
    expect(await vitrine.ask(again, 'vm.power', { vm: one, action: 'power-on' })).toMatchObject({ ok: true })
    await expect.poll(() => screen(vitrine, again, one)).toContain('echo half')
    expect(existsSync(join(vitrine.location, 'One.vitrine', 'suspended.json'))).toBe(false)
    await vitrine.ask(again, 'vm.type-text', { vm: one, text: ' done\n' })
    await expect.poll(() => screen(vitrine, again, one)).toMatch(/^half done/m)
    await vitrine.ask(again, 'vm.power', { vm: one, action: 'power-off' })
    await expect.poll(() => state(vitrine, again, one)).toBe('powered-off')
    expect(vitrine.pageErrors).toEqual([])
  })

  test('a command line reaches a VM that the app runs', async ({ vitrine }) => {
    const page = await vitrine.start()
    const vm = await createDemo(vitrine, page, 'Reached')
    await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })
    await expect.poll(() => screen(vitrine, page, vm)).toContain('vitrine>')
    const env = { ...process.env, HOME: vitrine.home, XDG_CONFIG_HOME: join(vitrine.home, '.config'), XDG_RUNTIME_DIR: join(vitrine.home, '.run') }
    const command = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)(process.execPath, [program, ...args], { env })).stdout
    expect(await command('list')).toMatch(/Reached +powered on, by Vitrine/)
    await command('pause', 'Reached')
    await expect.poll(() => state(vitrine, page, vm)).toBe('paused')
    await command('unpause', 'Reached')
    await command('send-keys', 'Reached', '--text', 'echo outside')
    await expect.poll(() => screen(vitrine, page, vm)).toContain('echo outside')
    await command('screenshot', 'Reached', join(vitrine.home, 'screen.png'))
    expect(readFileSync(join(vitrine.home, 'screen.png')).subarray(1, 4).toString()).toBe('PNG')
    await command('suspend', 'Reached')
    await expect.poll(() => state(vitrine, page, vm)).toBe('suspended')
  })
})
