/** Messages on the streams' ports. What comes from the window is checked by these schemas; what goes to it is typed. */
import { z } from 'zod'
import { MAX_SERIAL_INPUT, type StreamName } from './channels'

const MAX_MOVEMENT = 1 << 15
const movement = z.number().int().min(-MAX_MOVEMENT).max(MAX_MOVEMENT)

export interface FrameRectDto {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** See vmm/backends/display/packed-pixels.ts. In a buffer of their own. */
  readonly packed: Uint32Array<ArrayBuffer>
}

export type ConsoleDown =
  /** Another window shows the screen from now on: the last message. */
  | { readonly kind: 'taken-over' }
  /** Changed rectangles. Each frame is answered with 'shown'; no more than two are under way. */
  | { readonly kind: 'frame'; readonly width: number; readonly height: number; readonly rects: readonly FrameRectDto[] }

export const ConsoleUp = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('shown') }),
  /** `code`: KeyboardEvent.code. */
  z.strictObject({ kind: z.literal('key'), code: z.string().min(1).max(32), pressed: z.boolean() }),
  /** Movement in pixels, wheel steps (down is positive), and the buttons held: bit 0 left, 1 right, 2 middle. */
  z.strictObject({ kind: z.literal('mouse'), dx: movement, dy: movement, dz: z.number().int().min(-127).max(127), buttons: z.number().int().min(0).max(7) }),
])
export type ConsoleUp = z.infer<typeof ConsoleUp>

export type SerialDown =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  /** A new machine: an empty terminal. */
  | { readonly kind: 'cleared' }
  /** Another window shows the terminal from now on: the last message. */
  | { readonly kind: 'taken-over' }

export const SerialUp = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('taken'), bytes: z.number().int().min(0) }),
  /** A break condition on the line, long enough for any driver to see. */
  z.strictObject({ kind: z.literal('break') }),
  z.strictObject({ kind: z.literal('input'), bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.length <= MAX_SERIAL_INPUT) }),
])
export type SerialUp = z.infer<typeof SerialUp>

export interface StreamMessages {
  readonly console: { readonly up: ConsoleUp; readonly down: ConsoleDown }
  readonly serial: { readonly up: SerialUp; readonly down: SerialDown }
}

export const streams = { console: ConsoleUp, serial: SerialUp } as const satisfies Record<StreamName, z.ZodType>
