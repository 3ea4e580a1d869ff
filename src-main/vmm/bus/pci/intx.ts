import type { IrqLine } from '../../irq/line'

/** The interrupt pin of one function: remembers its level, and is cut by the command register's Interrupt Disable bit. */
export class PciIntx implements IrqLine {
  private high = false
  private off = false

  constructor(private readonly target: IrqLine) {}

  setLevel(high: boolean): void {
    this.high = high
    this.target.setLevel(high && !this.off)
  }

  /** For the status register's Interrupt Status bit, which shows the pin even when it is cut. */
  get level(): boolean {
    return this.high
  }

  setDisabled(off: boolean): void {
    this.off = off
    this.target.setLevel(this.high && !off)
  }
}

/** PIRQ (0..3 = A..D) that a slot's pin (1..4 = INTA#..INTD#) is wired to: as on QEMU's `pc`, whose firmwares know it. */
export function pirqOf(slot: number, pin: number): number {
  return (slot + pin + 2) & 3
}
