/** Small live pictures of VMs for the windows that show them: at most one a second for each VM, and only when its picture has changed. */
import type { VmId } from './contract'
import type { EmitTo, WindowId } from './server'

export interface ThumbnailSource {
  /** Counts up with the picture. undefined: there is no live one. */
  picture(vm: VmId): number | undefined
  /** PNG. */
  thumbnail(vm: VmId): Promise<Uint8Array | undefined>
}

const PERIOD_MS = 1000

export class Thumbnails {
  private readonly watched = new Map<WindowId, ReadonlySet<VmId>>()
  /** Number of the picture that a window has of a VM. */
  private readonly sent = new Map<WindowId, Map<VmId, number>>()
  private timer: NodeJS.Timeout | undefined
  private busy = false

  constructor(
    private readonly source: ThumbnailSource,
    private readonly emitTo: EmitTo,
  ) {}

  /** Instead of those that it asked for before. */
  watch(window: WindowId, vms: readonly VmId[]): void {
    if (vms.length === 0) return this.forget(window)
    this.watched.set(window, new Set(vms))
    const sent = this.sent.get(window) ?? new Map<VmId, number>()
    for (const vm of [...sent.keys()]) if (!vms.includes(vm)) sent.delete(vm)
    this.sent.set(window, sent)
    this.timer ??= setInterval(() => void this.turn(), PERIOD_MS)
    void this.turn()
  }

  /** The window is gone, or wants no more. */
  forget(window: WindowId): void {
    this.watched.delete(window)
    this.sent.delete(window)
    if (this.watched.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  async live(vm: VmId): Promise<Uint8Array | undefined> {
    return this.source.picture(vm) === undefined ? undefined : this.source.thumbnail(vm)
  }

  private async turn(): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      const wanted = new Set([...this.watched.values()].flatMap((vms) => [...vms]))
      for (const vm of wanted) await this.send(vm)
    } finally {
      this.busy = false
    }
  }

  private async send(vm: VmId): Promise<void> {
    const picture = this.source.picture(vm)
    if (picture === undefined) return
    const windows = [...this.watched].filter(([window, vms]) => vms.has(vm) && this.sent.get(window)?.get(vm) !== picture)
    if (windows.length === 0) return
    const png = await this.source.thumbnail(vm)
    if (!png) return
    for (const [window] of windows) {
      if (!this.watched.get(window)?.has(vm)) continue
      this.sent.get(window)?.set(vm, picture)
      this.emitTo(window, 'vm.thumbnail', { vm, png })
    }
  }
}
