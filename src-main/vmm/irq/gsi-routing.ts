import { fanOut, SharedLine } from './shared-line'
import { unconnectedLine, type IrqLine } from './line'

/** The input pins of the interrupt controllers. */
export interface GsiTargets {
  /** 8259 pair, pins 0..15. */
  picPin(pin: number): IrqLine
  /** I/O APIC, pins 0..23. */
  ioApicPin(pin: number): IrqLine
}

export const GSI_COUNT = 24

/**
 * Global system interrupts to controller pins, as on a PC with an I/O APIC: GSI n < 16 reaches pin n of the 8259 pair and of the I/O APIC,
 * except the timer (GSI 0), which is wired to I/O APIC pin 2 (told to the guest by the MADT's interrupt source override); the cascade input of
 * the 8259 (pin 2) takes no device. GSI 16..23 reach the I/O APIC only.
 */
export class GsiRouting {
  private readonly lines: readonly SharedLine[]

  constructor(targets: GsiTargets) {
    this.lines = Array.from({ length: GSI_COUNT }, (_, gsi) => new SharedLine(targetsOf(gsi, targets)))
  }

  /** A new source of the GSI; several sources are ORed. A number outside 0..23 goes nowhere. */
  line(gsi: number): IrqLine {
    return this.lines[gsi]?.source() ?? unconnectedLine
  }
}

function targetsOf(gsi: number, targets: GsiTargets): IrqLine {
  if (gsi === 0) return fanOut(targets.picPin(0), targets.ioApicPin(2))
  if (gsi === 2) return unconnectedLine
  if (gsi < 16) return fanOut(targets.picPin(gsi), targets.ioApicPin(gsi))
  return targets.ioApicPin(gsi)
}
