/** How fast a guest's picture reaches the window, and what holds the threads on the way up: measured and told, not asserted (a busy computer is slow). */
import type * as PerfHooks from 'node:perf_hooks'
import type { TestInfo } from '@playwright/test'
import { createWithSectors } from '../fixtures/library'
import { redrawingGuest } from '../fixtures/guests'
import { expect, test, type Vitrine } from '../fixtures/vitrine'

const SECONDS = 10
const REDRAWS_A_SECOND = 100

interface Delays {
  readonly enable: () => void
  readonly reset: () => void
  readonly max: number
  percentile(of: number): number
}

declare global {
  interface Window {
    measured?: { blocks: number[]; gaps: number[] }
  }
}

for (const content of ['colour', 'noise'] as const) {
  test(`frames a second of 1280x800 that is drawn anew all the time: ${content} @smoke`, async ({ vitrine }, info) => measure(vitrine, info, content))
}

async function measure(vitrine: Vitrine, info: TestInfo, content: 'colour' | 'noise'): Promise<void> {
  const page = await vitrine.start()
  const vm = await createWithSectors(vitrine, page, 'Frames', redrawingGuest(REDRAWS_A_SECOND, content))
  await page.getByRole('treeitem', { name: 'Frames' }).dblclick()
  expect(await vitrine.ask(page, 'vm.power', { vm, action: 'power-on' })).toMatchObject({ ok: true })
  await page.getByRole('tab', { name: 'Console' }).click()
  await expect(page.getByRole('application', { name: 'Screen of Frames, 1280 by 800' })).toBeVisible()

  await vitrine.app.evaluate(() => {
    const { monitorEventLoopDelay } = process.mainModule?.require('node:perf_hooks') as typeof PerfHooks
    const delays = monitorEventLoopDelay({ resolution: 5 })
    ;(globalThis as { delays?: Delays }).delays = delays
    delays.enable()
  })
  const [drawer] = page.workers()
  if (!drawer) throw new Error('no thread draws the screen')
  await drawer.evaluate(() => {
    const measured = { frames: 0, draws: 0, drawMs: 0 }
    ;(globalThis as { measured?: typeof measured }).measured = measured
    const { prototype } = OffscreenCanvasRenderingContext2D
    const { putImageData } = prototype
    prototype.putImageData = function (this: OffscreenCanvasRenderingContext2D, ...args: Parameters<typeof putImageData>): void {
      const before = performance.now()
      putImageData.apply(this, args)
      measured.drawMs += performance.now() - before
      measured.draws++
    } as typeof putImageData
    const { postMessage } = MessagePort.prototype
    MessagePort.prototype.postMessage = function (this: MessagePort, ...args: unknown[]): void {
      const [message] = args as [{ kind?: string } | undefined]
      if (message?.kind === 'shown') measured.frames++
      ;(postMessage as (...all: unknown[]) => void).apply(this, args)
    } as typeof postMessage
  })
  await page.evaluate(() => {
    const measured = { blocks: [] as number[], gaps: [] as number[] }
    window.measured = measured
    new PerformanceObserver((list) => measured.blocks.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ['longtask'] })
    let last = performance.now()
    const repaint = (now: number): void => {
      measured.gaps.push(now - last)
      last = now
      requestAnimationFrame(repaint)
    }
    requestAnimationFrame(repaint)
  })
  const statsBefore = await vitrine.ask(page, 'vm.stats', { vm })
  await page.waitForTimeout(SECONDS * 1000)
  const measured = await page.evaluate(() => window.measured)
  const drawn = await drawer.evaluate(() => (globalThis as { measured?: { frames: number; draws: number; drawMs: number } }).measured)
  const statsAfter = await vitrine.ask(page, 'vm.stats', { vm })
  const main = await vitrine.app.evaluate(() => {
    const delays = (globalThis as { delays?: Delays }).delays
    return { longestMs: (delays?.max ?? 0) / 1e6, mostMs: (delays?.percentile(99) ?? 0) / 1e6 }
  })
  const gaps = (measured?.gaps ?? []).slice(1).sort((a, b) => a - b)
  const figures = {
    content,
    framesASecond: (drawn?.frames ?? 0) / SECONDS,
    drawMs: (drawn?.drawMs ?? 0) / Math.max(1, drawn?.draws ?? 0),
    repaintsASecond: gaps.length / SECONDS,
    longestRepaintMs: gaps.at(-1) ?? 0,
    longTasksOfThePage: measured?.blocks ?? [],
    mainProcess: main,
    machineCpu: ((statsAfter?.hostCpuSeconds ?? 0) - (statsBefore?.hostCpuSeconds ?? 0)) / SECONDS,
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
  await info.attach('frames.json', { body: JSON.stringify(figures), contentType: 'application/json' })
  expect(drawn?.frames).toBeGreaterThan(0)
  expect(vitrine.pageErrors).toEqual([])
}
