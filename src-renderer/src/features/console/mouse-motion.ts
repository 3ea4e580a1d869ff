/** Mouse events collected into one message a frame; a button or the wheel is sent at once, with the movement before it. */

export interface MouseMessage {
  readonly dx: number
  readonly dy: number
  readonly dz: number
  readonly buttons: number
}

const LIMIT = 32767
const clamp = (n: number): number => Math.max(-LIMIT, Math.min(LIMIT, Math.trunc(n)))

export class MouseMotion {
  private dx = 0
  private dy = 0
  private buttons = 0
  private scheduled = false

  constructor(
    private readonly send: (message: MouseMessage) => void,
    private readonly nextFrame: (work: () => void) => void,
  ) {}

  /** Movement in pixels; fractions add up. */
  move(dx: number, dy: number): void {
    this.dx += dx
    this.dy += dy
    if (this.scheduled) return
    this.scheduled = true
    this.nextFrame(() => {
      this.scheduled = false
      if (Math.trunc(this.dx) !== 0 || Math.trunc(this.dy) !== 0) this.flush(0)
    })
  }

  /** MouseEvent.buttons: bit 0 left, 1 right, 2 middle. */
  press(buttons: number): void {
    this.buttons = buttons & 7
    this.flush(0)
  }

  /** Steps; down is positive. */
  wheel(steps: number): void {
    if (steps !== 0) this.flush(steps)
  }

  releaseAll(): void {
    this.dx = 0
    this.dy = 0
    if (this.buttons !== 0) this.press(0)
  }

  private flush(dz: number): void {
    const dx = clamp(this.dx)
    const dy = clamp(this.dy)
    this.dx -= dx
    this.dy -= dy
    this.send({ dx, dy, dz, buttons: this.buttons })
  }
}
