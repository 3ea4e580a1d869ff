export const NANOSECONDS_PER_SECOND = 1_000_000_000

/**
 * Whole ticks of a `hz` clock in `ns` nanoseconds, rounded down; exact while both are integers below 2^53 and `hz` below 2^22
 * (or, for faster clocks, within one tick). No drift: always computed from the total, never accumulated.
 */
export function ticksFromNs(ns: number, hz: number): number {
  const seconds = Math.floor(ns / NANOSECONDS_PER_SECOND)
  const rest = ns - seconds * NANOSECONDS_PER_SECOND
  return seconds * hz + Math.floor((rest * hz) / NANOSECONDS_PER_SECOND)
}

/** The earliest nanosecond at which `ticksFromNs` reaches `ticks`. */
export function nsFromTicks(ticks: number, hz: number): number {
  const seconds = Math.floor(ticks / hz)
  const rest = ticks - seconds * hz
  return seconds * NANOSECONDS_PER_SECOND + Math.ceil((rest * NANOSECONDS_PER_SECOND) / hz)
}
