/** Everything volatile in one 8259A. */
export interface PicChipState {
  /** Interrupt request, in-service and mask registers. */
  irr: number
  isr: number
  imr: number
  /** Levels of the eight inputs. */
  lines: number
  /** Edge/level control register: 1 = level-triggered. */
  elcr: number
  /** ICW1.LTIM: all inputs level-triggered. */
  ltim: boolean
  /** ICW2. */
  vectorBase: number
  /** Pin with the highest priority. */
  highest: number
  /** Next initialization word expected: 2, 3, 4; 0 = none. */
  nextIcw: number
  needsIcw4: boolean
  single: boolean
  autoEoi: boolean
  rotateOnAutoEoi: boolean
  specialMask: boolean
  specialFullyNested: boolean
  /** OCW3: port A0 = 0 reads ISR instead of IRR. */
  readIsr: boolean
  /** OCW3: the next read polls. */
  poll: boolean
}

export interface PicStateV1 {
  readonly schema: readonly ['pic-8259', 1]
  readonly master: PicChipState
  readonly slave: PicChipState
}
