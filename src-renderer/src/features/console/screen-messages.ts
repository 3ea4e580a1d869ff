/** What the page and the thread that draws a guest's screen say to each other. */
import type { ConsoleUp } from '../../../../src-main/ipc/contract'

export type ToScreen =
  /** First: where to draw. */
  | { readonly kind: 'canvas'; readonly canvas: OffscreenCanvas }
  /** A stream to show from now on; the one before ends. */
  | { readonly kind: 'stream'; readonly port: MessagePort }
  | { readonly kind: 'send'; readonly message: ConsoleUp }
  /** Last: the stream ends, and the thread. */
  | { readonly kind: 'close' }

export type FromScreen =
  /** Of the guest's screen: a frame of another size has been drawn. */
  | { readonly kind: 'size'; readonly width: number; readonly height: number }
  /** Another window shows the screen from now on. */
  | { readonly kind: 'taken-over' }
