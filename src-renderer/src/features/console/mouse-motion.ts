/** Mouse events collected into one message a frame; a button or the wheel is sent at once, with the movement before it. */

export interface MouseMessage {
  readonly dx: number
  readonly dy: number
  readonly dz: number
  readonly buttons: number
}

const LIMIT = 32767
const clamp = (n: number): number => Math.max(-LIMIT, Math.min(LIMIT, Math.trunc(n)))

/** Pixels of one notch, as Chromium tells them; half of that counts, since hosts differ. */
const NOTCH_PIXELS = 100
const STEP_PIXELS = NOTCH_PIXELS / 2
/** What one message of a PS/2 mouse with a wheel has room for. */
const MAX_STEPS = 7

export class MouseMotion {
  private dx = 0
  private dy = 0
  private buttons = 0
  /** Pixels that are not a step yet. */
  private scrolled = 0
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

  /** WheelEvent.deltaY in pixels: a wheel's notch is many at once, touch pads send few at a time, which add up to steps. */
  scroll(pixels: number): void {
    if (Math.sign(pixels) !== Math.sign(this.scrolled)) this.scrolled = 0
    this.scrolled += pixels
    if (Math.abs(this.scrolled) < STEP_PIXELS) return
    this.wheel(Math.sign(this.scrolled) * Math.min(MAX_STEPS, Math.max(1, Math.round(Math.abs(this.scrolled) / NOTCH_PIXELS))))
    this.scrolled = 0
  }

  /** Steps; down is positive. */
  wheel(steps: number): void {
    if (steps !== 0) this.flush(steps)
  }

  releaseAll(): void {
    this.dx = 0
    this.dy = 0
    this.scrolled = 0
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
