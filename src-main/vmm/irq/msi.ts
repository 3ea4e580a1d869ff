/** Message-signalled interrupts: a write to the local APICs' address range becomes an interrupt message. Intel SDM volume 3, 11.11. */
import { DELIVER_EXTINT, type ApicBus } from './apic-bus'

/** Where functions write their messages. */
export interface MsiTarget {
  send(address: number, data: number): void
}

const ADDRESS_RANGE = 0xfee
const DESTINATION_SHIFT = 12
const LOGICAL = 1 << 2
const MODE_SHIFT = 8
const LEVEL_TRIGGERED = 1 << 15
/** Delivery modes that a message may have; SMI and reserved ones are dropped. */
const MODES = [0, 1, 4, 5, DELIVER_EXTINT]

export class MsiRouter implements MsiTarget {
  /** Messages to other addresses, or of modes that there are none of. */
  dropped = 0

  constructor(private readonly bus: ApicBus) {}

  send(address: number, data: number): void {
    const mode = (data >> MODE_SHIFT) & 7
    if (address >>> 20 !== ADDRESS_RANGE || !MODES.includes(mode)) {
      this.dropped++
      return
    }
    this.bus.send({
      destination: (address >>> DESTINATION_SHIFT) & 0xff,
      logical: (address & LOGICAL) !== 0,
      mode,
      vector: data & 0xff,
      level: (data & LEVEL_TRIGGERED) !== 0,
    })
  }
}

/** Nobody hears. */
export const noMsi: MsiTarget = { send: () => undefined }
