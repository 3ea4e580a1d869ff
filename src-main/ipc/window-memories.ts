/** How the windows looked when the app ended: a list of them, each with its place on the screen and what its page wants to remember. */
import { z } from 'zod'
import type { JsonObject } from '../vmm'
import { WindowMemory } from './contract'
import { JsonStore } from './json-store'
import type { WindowId } from './server'

const side = z.number().int().min(-100_000).max(100_000)
const Bounds = z.object({ x: side, y: side, width: z.number().int().min(1).max(100_000), height: z.number().int().min(1).max(100_000), maximized: z.boolean().default(false) })
export type Bounds = z.infer<typeof Bounds>

export interface RememberedWindow {
  readonly bounds?: Bounds | undefined
  readonly memory: WindowMemory
}

const MAX_WINDOWS = 16
/** Of one page's memory, as text. */
const MAX_MEMORY = 1 << 17
const WRITE_AFTER_MS = 500

export class WindowMemories {
  private readonly store: JsonStore
  private readonly windows = new Map<WindowId, RememberedWindow>()
  private timer: NodeJS.Timeout | undefined
  private frozen = false

  constructor(path: string) {
    this.store = new JsonStore(path)
  }

  /** What is to be opened (again); a file that cannot be understood is as good as none. */
  async load(): Promise<readonly RememberedWindow[]> {
    this.frozen = false
    this.windows.clear()
    const read = await this.store.read()
    const list: unknown = read.ok ? read.value['windows'] : undefined
    return (Array.isArray(list) ? list : []).slice(0, MAX_WINDOWS).map(remembered)
  }

  opened(window: WindowId, from: RememberedWindow): void {
    this.windows.set(window, from)
    this.changed()
  }

  memory(window: WindowId): WindowMemory {
    return this.windows.get(window)?.memory ?? {}
  }

  /** false: more than is kept. */
  remember(window: WindowId, memory: WindowMemory): boolean {
    if (JSON.stringify(memory).length > MAX_MEMORY) return false
    this.windows.set(window, { ...this.windows.get(window), memory })
    this.changed()
    return true
  }

  moved(window: WindowId, bounds: Bounds): void {
    this.windows.set(window, { memory: this.memory(window), bounds })
    this.changed()
  }

  /** The last one comes back at the next start; of several, those that are open at the end. */
  closed(window: WindowId): void {
    if (this.frozen || this.windows.size <= 1) return
    this.windows.delete(window)
    this.changed()
  }

  /** The app ends, or all its windows close: what is open now is what comes back. */
  async freeze(): Promise<void> {
    this.frozen = true
    clearTimeout(this.timer)
    this.timer = undefined
    await this.write()
  }

  private changed(): void {
    if (!this.frozen) this.timer ??= setTimeout(() => void this.write(), WRITE_AFTER_MS)
  }

  private async write(): Promise<void> {
    this.timer = undefined
    const windows = [...this.windows.values()].slice(0, MAX_WINDOWS).map(({ bounds, memory }): JsonObject => ({ ...(bounds && { bounds }), memory }) as JsonObject) // checked as JSON
    await this.store.update((now) => ({ ...now, windows }))
  }
}

function remembered(value: unknown): RememberedWindow {
  const { bounds, memory } = typeof value === 'object' && value !== null ? (value as { bounds?: unknown; memory?: unknown }) : {}
  const place = Bounds.safeParse(bounds)
  const kept = WindowMemory.safeParse(memory)
  return { ...(place.success ? { bounds: place.data } : {}), memory: kept.success ? kept.data : {} }
}
