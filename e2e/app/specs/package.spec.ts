/** What `npm run dist` makes, away from the checkout: it starts, boots the demo guest, and its fuses are set. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, expect, test, type Page } from '@playwright/test'
import type { VitrineBridge } from '../../../src-main/ipc/contract'

const root = join(import.meta.dirname, '..', '..', '..')
const LISTENING = /DevTools listening on (ws:\S+)/

declare global {
  interface Window {
    readonly vitrine: VitrineBridge
  }
}

let home: string
let folder: string
let app: ChildProcess | undefined
let said = ''

test.beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'vitrine-package-'))
  mkdirSync(join(home, '.run'), { mode: 0o700 })
  const { makeFolder } = (await import(join(root, 'tools', 'packages', 'folder.mjs'))) as { makeFolder: (electron: string, output: string) => Promise<string> }
  folder = await makeFolder(process.env['VITRINE_ELECTRON'] ?? '', home)
})

test.afterAll(() => {
  app?.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

/** Playwright's own way of starting Electron needs --inspect, which a fuse turns off; Chromium's debugging port remains. */
async function start(): Promise<Page> {
  const preload = join(home, 'preload.cjs')
  writeFileSync(preload, `require('node:fs').writeFileSync(${JSON.stringify(join(home, 'NODE_OPTIONS were heard'))}, '')`)
  mkdirSync(join(folder, 'resources', 'app'))
  writeFileSync(join(folder, 'resources', 'app', 'package.json'), '{ "name": "other", "version": "1.0.0", "main": "main.cjs" }')
  writeFileSync(join(folder, 'resources', 'app', 'main.cjs'), 'process.exit(9)')
  const env = { ...process.env, ...environment(), ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: `--require=${preload}` }
  const args = ['--no-sandbox', '--inspect=0', '--remote-debugging-port=0', `--user-data-dir=${join(home, 'profile')}`, '--memory', '16']
  const child = spawn(join(folder, 'vitrine-app'), args, { cwd: home, env, stdio: ['ignore', 'ignore', 'pipe'] })
  app = child
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await expect.poll(() => LISTENING.exec(said)?.[1] ?? `ended: ${child.exitCode ?? 'no'}`).toMatch(/^ws:/)
  const browser = await chromium.connectOverCDP(LISTENING.exec(said)?.[1] ?? '', { noDefaults: true })
  const [context] = browser.contexts()
  if (!context) throw new Error('no window')
  return context.pages()[0] ?? context.waitForEvent('page')
}

function environment(): Record<string, string> {
  return { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_RUNTIME_DIR: join(home, '.run'), LANG: 'en_US.UTF-8' }
}

test('a packaged app boots the demo guest, is no Node, and has the command line beside it', async () => {
  const page = await start()
  await expect(page.getByRole('tab', { name: /Demo Guest/ })).toBeVisible()
  expect(page.url()).toMatch(/^vitrine:\/\/app\//)
  // Translated code runs: the compile thread has found its file.
  const look = (): Promise<readonly [string, number, number]> =>
    page.evaluate(async () => {
      const listed = await window.vitrine.requests['library.contents']()
      const vm = listed.ok ? listed.value.machines[0]?.id : undefined
      if (vm === undefined) return ['', 0, 0] as const
      const text = await window.vitrine.requests['vm.screen-text']({ vm })
      const stats = await window.vitrine.requests['vm.stats']({ vm })
      const translation = stats.ok ? stats.value?.translation : undefined
      return [text.ok ? (text.value?.join('\n') ?? '') : '', translation?.translated ?? 0, translation?.failures ?? 0] as const
    })
  await expect.poll(async () => (await look())[0]).toContain('vitrine>')
  await page.locator('[data-view="console"]').click()
  await page.locator('canvas.screen').click()
  await page.keyboard.type('vbe\n')
  await expect.poll(async () => (await look())[1]).toBeGreaterThan(0)
  expect((await look())[2]).toBe(0)

  expect(said).not.toContain('Debugger listening')
  expect(existsSync(join(home, 'NODE_OPTIONS were heard'))).toBe(false)

  const command = spawnSync(join(folder, 'vitrine'), ['create', 'From the package', '--demo', '--json'], { encoding: 'utf8', env: { ...process.env, ...environment() } })
  expect(command.stderr).toBe('')
  expect(command.status).toBe(0)
  await expect(page.getByRole('treeitem', { name: /From the package/ })).toBeVisible()
})
