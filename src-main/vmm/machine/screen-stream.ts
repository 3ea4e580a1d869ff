/** A machine's screen as a stream of changed rectangles, at most 60 times a second of the machine's time, and never more than two under way. */
import type { DisplayBackend } from '../backends/display/display-backend'
import type { Frame as Picture, Rect } from '../backends/display/frame'
import { PixelPacker } from '../backends/display/packed-pixels'
import type { Machine } from './machine'
import type { Frame, FrameRect } from './protocol'

const INTERVAL_NS = 16_000_000
/** One that is shown, and one on its way: what the host takes to answer shall not cost frames. */
const MOST_UNDER_WAY = 2

export class ScreenStream implements DisplayBackend {
  private readonly pending: FrameRect[] = []
  private readonly packer = new PixelPacker()
  private size = { width: 0, height: 0 }
  private underWay = 0
  private nextAt = 0

  constructor(
    private readonly machine: Machine,
    private readonly send: (frame: Frame) => void,
  ) {
    machine.parts.board.connectDisplay(this)
  }

  resize(width: number, height: number): void {
    this.size = { width, height }
    this.pending.length = 0
  }

  update(rects: readonly Rect[], picture: Picture): void {
    for (const rect of rects) this.pending.push({ ...rect, packed: this.packer.pack(picture, rect) })
  }

  /** Called between slices. */
  turn(): void {
    const now = this.machine.now()
    if (this.underWay >= MOST_UNDER_WAY || now < this.nextAt) return
    // Slices end when they end: the next frame is not later because this one was.
    this.nextAt = Math.max(this.nextAt, now - INTERVAL_NS) + INTERVAL_NS
    this.flush()
  }

  /** The host has shown what it got. */
  shown(): void {
    this.underWay = 0
  }

  /** The machine has ended: its last picture. */
  finish(): void {
    this.flush()
  }

  private flush(): void {
    this.machine.parts.board.refreshDisplay()
    if (this.pending.length === 0) return
    this.underWay++
    this.send({ ...this.size, rects: this.pending.splice(0) })
  }
}
