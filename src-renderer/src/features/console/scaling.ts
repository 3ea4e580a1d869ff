/** How large the guest's picture is shown, in which of the scale modes. */
import type { ScaleMode } from '../../../../src-main/ipc/contract'

export interface Extent {
  readonly width: number
  readonly height: number
}

export interface Shown extends Extent {
  /** Every guest pixel covers the same number of device pixels: shown without smoothing. */
  readonly crisp: boolean
}

const NOTHING: Shown = { width: 0, height: 0, crisp: true }

/**
 * Sizes in CSS pixels. center: one device pixel for each of the guest's (scaled down when there is no room); integer: as many whole ones as fit; fit: as large
 * as the aspect allows; stretch: all of the room, whatever the aspect.
 */
export function fitPicture(room: Extent, guest: Extent, devicePixelRatio: number, mode: ScaleMode): Shown {
  if (guest.width === 0 || guest.height === 0 || room.width <= 0 || room.height <= 0) return NOTHING
  if (mode === 'stretch') {
    const [across, down] = [(room.width * devicePixelRatio) / guest.width, (room.height * devicePixelRatio) / guest.height]
    return { width: room.width, height: room.height, crisp: Number.isInteger(across) && Number.isInteger(down) }
  }
  const largest = Math.min((room.width * devicePixelRatio) / guest.width, (room.height * devicePixelRatio) / guest.height)
  const factor = mode === 'fit' || largest < 1 ? largest : mode === 'center' ? 1 : Math.floor(largest)
  return { width: (guest.width * factor) / devicePixelRatio, height: (guest.height * factor) / devicePixelRatio, crisp: Number.isInteger(factor) }
}

/** Columns of a text mode: VGA's characters are 9 pixels wide, or 8. */
export function textColumns(pixels: number): number {
  return Math.max(1, Math.floor(pixels % 9 === 0 ? pixels / 9 : pixels / 8))
}
