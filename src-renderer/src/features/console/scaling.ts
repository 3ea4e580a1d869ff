/** How large the guest's picture is shown: whole device pixels for each guest pixel where there is room, otherwise as large as fits. */

export interface Extent {
  readonly width: number
  readonly height: number
}

export interface Shown extends Extent {
  /** Every guest pixel covers the same number of device pixels: shown without smoothing. */
  readonly crisp: boolean
}

/** Sizes in CSS pixels; the aspect is always kept. `stretch` fills the room, whatever the factor. */
export function fitPicture(room: Extent, guest: Extent, devicePixelRatio: number, stretch: boolean): Shown {
  if (guest.width === 0 || guest.height === 0 || room.width <= 0 || room.height <= 0) return { width: 0, height: 0, crisp: true }
  const largest = Math.min((room.width * devicePixelRatio) / guest.width, (room.height * devicePixelRatio) / guest.height)
  const whole = Math.floor(largest)
  const factor = stretch || whole < 1 ? largest : whole
  return { width: (guest.width * factor) / devicePixelRatio, height: (guest.height * factor) / devicePixelRatio, crisp: Number.isInteger(factor) }
}
