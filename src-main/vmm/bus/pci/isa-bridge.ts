/**
 * PIIX3 PCI-to-ISA bridge (82371SB), as far as software depends on it: identity, PIRQ routing, reset control.
 * Source: Intel 82371SB (PIIX3) data sheet (290550), 2.2.7 "PIRQRC[A:D]", 2.5.10 "RC: reset control register".
 */

import type { Claim, Device, IoFault, PioHandler, ResetKind, SavedState } from '../../devices/device'
import { VmmError } from '../../errors/vmm-error'
import type { IrqLine } from '../../irq/line'
import type { PciDevice, PciIdentity } from './pci-device'

const PIRQRC_A = 0x60
const PIRQRC_DISABLED = 0x80
const RCR_SYSTEM_RESET = 0x02
const RCR_RESET_CPU = 0x04
/** IRQs that a PIRQ may be routed to (table of 2.2.7). */
const ROUTABLE = 0xdef8

export interface IsaBridgeOptions {
  /** A new source of a GSI. */
  readonly gsiLine: (gsi: number) => IrqLine
  readonly requestReset: () => void
}

export interface IsaBridgeStateV1 extends SavedState {
  readonly schema: readonly ['isa-bridge', 1]
  readonly resetControl: number
}

export class IsaBridge implements PciDevice, Device<IsaBridgeStateV1>, PioHandler {
  readonly name = 'isa-bridge'
  /** The reset control register lies inside the PCI bus's claim, which passes it on. */
  readonly claims: readonly Claim[] = []

  readonly pciIdentity: PciIdentity = {
    vendorId: 0x8086,
    deviceId: 0x7000,
    classCode: 0x060100,
    revision: 0,
    interruptPin: 0,
    multifunction: true,
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
  }
  readonly pciBars: readonly [] = []
  readonly pciConfig: NonNullable<PciDevice['pciConfig']> = [
    { offset: 0x4c, initial: 0x4d, writable: 0xff },
    { offset: 0x4e, initial: 0x03, writable: 0xff },
    { offset: 0x4f, initial: 0x00, writable: 0x01 },
    ...Array.from({ length: 4 }, (_, i) => ({ offset: PIRQRC_A + i, initial: PIRQRC_DISABLED, writable: 0x8f })),
    { offset: 0x69, initial: 0x02, writable: 0xfe },
    { offset: 0x70, initial: 0x80, writable: 0xef },
    { offset: 0x76, initial: 0x0c, writable: 0x8f },
    { offset: 0x77, initial: 0x0c, writable: 0x8f },
    { offset: 0x78, initial: 0x02, writable: 0xff },
    { offset: 0xa0, initial: 0x08, writable: 0x1f },
    { offset: 0xa8, initial: 0x0f, writable: 0xff },
  ]

  // glue
  private readonly gsiLines = new Map<number, IrqLine>()
  /** PIRQA#..PIRQD#. */
  readonly pirq: readonly [IrqLine, IrqLine, IrqLine, IrqLine] = [this.input(0), this.input(1), this.input(2), this.input(3)]

  // state derived from config space, which the PCI bus saves, and from the lines
  private readonly levels = [false, false, false, false]
  private readonly routing = [PIRQRC_DISABLED, PIRQRC_DISABLED, PIRQRC_DISABLED, PIRQRC_DISABLED]

  // volatile state
  private resetControl = 0

  constructor(private readonly options: IsaBridgeOptions) {}

  private input(pirq: number): IrqLine {
    return {
      setLevel: (high: boolean): void => {
        this.levels[pirq] = high
        this.drive(this.routing[pirq] ?? PIRQRC_DISABLED)
      },
    }
  }

  /** Sets the interrupt that a routing register names to the OR of the PIRQs routed there. */
  private drive(route: number): void {
    if ((route & PIRQRC_DISABLED) !== 0 || ((ROUTABLE >> (route & 15)) & 1) === 0) return
    const gsi = route & 15
    let line = this.gsiLines.get(gsi)
    if (line === undefined) {
      line = this.options.gsiLine(gsi)
      this.gsiLines.set(gsi, line)
    }
    line.setLevel(this.levels.some((level, pirq) => level && this.routing[pirq] === route))
  }

  /** GSI that a PIRQ (0..3) is routed to now, for firmware tables. */
  gsiOf(pirq: number): number | undefined {
    const route = this.routing[pirq] ?? PIRQRC_DISABLED
    return (route & PIRQRC_DISABLED) !== 0 ? undefined : route & 15
  }

  pciConfigChanged(offset: number, value: number): void {
    const pirq = offset - PIRQRC_A
    if (pirq < 0 || pirq > 3) return
    const old = this.routing[pirq] ?? PIRQRC_DISABLED
    this.routing[pirq] = value
    this.drive(old)
    this.drive(value)
  }

  pioRead(): number {
    return this.resetControl
  }

  /** Setting bit 2 resets; bit 1 chooses a hard reset, and all resets are hard here. */
  pioWrite(_port: number, _width: number, value: number): IoFault | undefined {
    const rises = (value & ~this.resetControl & RCR_RESET_CPU) !== 0
    this.resetControl = value & (RCR_SYSTEM_RESET | RCR_RESET_CPU)
    if (rises) this.options.requestReset()
    return undefined
  }

  reset(_kind: ResetKind): void {
    this.resetControl = 0
  }

  save(): IsaBridgeStateV1 {
    return { schema: ['isa-bridge', 1], resetControl: this.resetControl }
  }

  load(state: IsaBridgeStateV1): void {
    if (state.schema[0] !== 'isa-bridge' || state.schema[1] !== 1) {
      throw new VmmError('state/mismatch', `${this.name}: the saved state is version ${String(state.schema[1])}, this VMM reads version 1`)
    }
    this.resetControl = state.resetControl
  }
}
