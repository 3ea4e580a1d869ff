/** One interrupt wire as a device sees it. Only the board knows which controller pins it reaches. */
export interface IrqLine {
  /** Level of the wire. Edge-triggered inputs react to the low-to-high change. Setting the same level twice is harmless. */
  setLevel(high: boolean): void
}

/** A line that goes nowhere. */
export const unconnectedLine: IrqLine = { setLevel: () => undefined }
