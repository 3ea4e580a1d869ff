/** A page that has gone astray: what it must not be able to do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from '../fixtures/vitrine'

const HOME_PAGE = 'vitrine://app/index.html'

const heard = async (page: Page, name: string): Promise<unknown[]> => page.evaluate((wanted) => (window.heard ?? []).filter((event) => event.name === wanted).map(({ payload }) => payload), name)

test.describe('a page that has gone astray', () => {
  test('has no Node, and no more of Electron than the contract\'s functions', async ({ vitrine }) => {
    const page = await vitrine.start()
    const globals = await page.evaluate(() => ['require', 'process', 'module', 'Buffer', 'global', '__dirname', 'electron', 'ipcRenderer'].filter((name) => name in window))
    expect(globals).toEqual([])
    expect(await page.evaluate(() => Object.keys(window.vitrine).sort())).toEqual(['events', 'requests'])
    expect(await page.evaluate(() => [...Object.values(window.vitrine.requests), ...Object.values(window.vitrine.events)].every((value) => typeof value === 'function'))).toBe(true)
    const settings = await vitrine.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map(({ webContents }) => {
      const preferences = (webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }).getLastWebPreferences() // not in Electron's types
      return ['sandbox', 'contextIsolation', 'nodeIntegration', 'webSecurity', 'webviewTag', 'nodeIntegrationInWorker', 'nodeIntegrationInSubFrames'].map((key) => preferences[key] ?? false)
    }))
    expect(settings).toEqual([[true, true, false, true, false, false, false]])
  })

  test('goes nowhere, opens nothing, and no link or frame leads out', async ({ vitrine }) => {
    const page = await vitrine.start()
    await page.evaluate(() => {
      window.open('https://example.org/')
      window.open('vitrine://app/index.html')
      window.open('file:///etc/passwd')
    })
    for (const url of ['https://example.org/', 'file:///etc/passwd', 'data:text/html,hello', 'javascript:1']) {
      await page.evaluate((to) => {
        const link = document.createElement('a')
        link.href = to
        document.body.append(link)
        link.click()
        link.remove()
        try {
          location.href = to
        } catch {
          // refused by trusted types
        }
      }, url)
      await page.waitForTimeout(100)
      expect(page.url()).toBe(HOME_PAGE)
    }
    await page.evaluate(() => {
      const frame = document.createElement('iframe')
      frame.src = 'https://example.org/'
      document.body.append(frame)
    })
    await page.waitForTimeout(300)
    expect(page.frames().map((frame) => frame.url()).filter((url) => url.startsWith('http') || url.startsWith('file'))).toEqual([])
    expect(vitrine.app.windows()).toHaveLength(1)
    // An empty page is no navigation for Electron: whoever goes there comes back.
    await page.evaluate(() => {
      document.title = 'gone'
      location.href = 'about:blank'
    })
    await expect.poll(() => page.evaluate(() => (document.title === 'gone' ? '' : location.href)).catch(() => '')).toBe(HOME_PAGE)
  })

  test('runs no string as code, loads nothing from elsewhere, and makes no HTML of text', async ({ vitrine }) => {
    const page = await vitrine.start()
    const outcome = await page.evaluate(async () => {
      const tries: Record<string, () => unknown> = {
        html: () => (document.createElement('div').innerHTML = '<b>x</b>'),
        write: () => document.write('<b>x</b>'),
        policy: () => (window as unknown as { readonly trustedTypes: { createPolicy(name: string, rules: object): unknown } }).trustedTypes.createPolicy('mine', { createHTML: (text: string) => text }),
        fetchRemote: () => fetch('https://example.org/'),
        fetchFile: () => fetch('file:///etc/passwd'),
        fetchOutside: async () => {
          const { status } = await fetch('vitrine://app/..%2f..%2fpackage.json')
          if (status === 404) throw new Error('not found')
        },
        otherHost: () => fetch('vitrine://other/index.html'),
        socket: () => new Promise((resolve, reject) => {
          const socket = new WebSocket('ws://127.0.0.1:9')
          socket.onopen = resolve
          socket.onerror = () => reject(new Error('refused'))
        }),
        clipboard: () => navigator.clipboard.readText(),
        microphone: () => navigator.mediaDevices.getUserMedia({ audio: true }),
        place: () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject)),
      }
      const done: string[] = []
      for (const [name, attempt] of Object.entries(tries)) {
        try {
          await attempt()
          done.push(name)
        } catch {
          // as it must be
        }
      }
      const script = document.createElement('script')
      try {
        script.textContent = 'window.ran = true'
        document.body.append(script)
      } catch {
        // refused by trusted types
      }
      if ('ran' in window) done.push('inline script')
      return done
    })
    expect(outcome).toEqual([])
  })

  test('cannot name a file that the user has not chosen, nor make a drop up', async ({ vitrine }) => {
    const secret = join(vitrine.home, 'secret.img')
    writeFileSync(secret, Buffer.alloc(4096))
    const page = await vitrine.start()
    await vitrine.hear(page)
    await expect(vitrine.ask(page, 'files.describe', { path: secret })).rejects.toThrow('ipc/forbidden')
    await expect(vitrine.ask(page, 'library.create', { name: 'x', newDisks: [], hardware: { disks: [{ file: secret }] } })).rejects.toThrow('ipc/forbidden')
    await page.evaluate((path) => {
      const file = new File(['x'], 'x.iso')
      Object.defineProperty(file, 'path', { value: path })
      const files = new DataTransfer()
      files.items.add(file)
      for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }))
      window.postMessage({ kind: 'vitrine:drop', paths: [path] }, '*')
    }, secret)
    await page.waitForTimeout(300)
    expect(await heard(page, 'files.dropped')).toEqual([])
    await expect(vitrine.ask(page, 'files.describe', { path: secret })).rejects.toThrow('ipc/forbidden')
  })

  test('is told of files that the user really drops, and may use them then', async ({ vitrine }) => {
    const disk = join(vitrine.home, 'dropped.img')
    writeFileSync(disk, Buffer.alloc(4096))
    const page = await vitrine.start()
    await vitrine.hear(page)
    const session = await page.context().newCDPSession(page)
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data: { items: [], files: [disk], dragOperationsMask: 1 } })
    await expect.poll(() => heard(page, 'files.dropped')).toEqual([{ paths: [disk] }])
    expect(page.url()).toBe(HOME_PAGE)
    expect(await vitrine.ask(page, 'files.describe', { path: disk })).toMatchObject({ ok: true, value: { bytes: 4096 } })
  })

  test('is refused what the contract does not have', async ({ vitrine }) => {
    const page = await vitrine.start()
    await expect(vitrine.ask(page, 'vm.power', { vm: 'x', action: 'explode' as 'reset' })).rejects.toThrow('ipc/bad-request')
    await expect(vitrine.ask(page, 'vm.settings', { vm: { toString: 'x' } as unknown as string })).rejects.toThrow('ipc/bad-request')
    await expect(vitrine.ask(page, 'library.show-folder', { vm: '../../..' })).rejects.toThrow('vm/not-found')
    await expect(vitrine.ask(page, 'window.remember', { memory: { much: 'x'.repeat(1_000_000) } })).rejects.toThrow('ipc/bad-request')
    expect(vitrine.pageErrors).toEqual([])
  })
})
