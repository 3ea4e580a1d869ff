import type { Frame, Rect } from './frame'

/** Who shows a machine's screen: a window, a test, a recorder. Called on the machine's thread. */
export interface DisplayBackend {
  /** The screen has a new size; the next update covers all of it. */
  resize(width: number, height: number): void
  /** These parts of the frame changed. The frame is the renderer's own and only valid during the call: copy what is needed. */
  update(rects: readonly Rect[], frame: Frame): void
}
