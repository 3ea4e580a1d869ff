import * as reg from './registers'
import type { PicChipState } from './state'

/** After power-on. The data sheet leaves it undefined; everything masked is the harmless choice. */
export function initialChipState(): PicChipState {
  return {
    irr: 0,
    isr: 0,
    imr: 0xff,
    lines: 0,
    elcr: 0,
    ltim: false,
    vectorBase: 0,
    highest: 0,
    nextIcw: 0,
    needsIcw4: false,
    single: false,
    autoEoi: false,
    rotateOnAutoEoi: false,
    specialMask: false,
    specialFullyNested: false,
    readIsr: false,
    poll: false,
  }
}

/** One 8259A. The pair and its wiring are in pic.ts. */
export class PicChip {
  // volatile state
  state: PicChipState = initialChipState()

  /** `changed`: the request output may have changed. */
  constructor(
    private readonly isMaster: boolean,
    private readonly changed: () => void,
  ) {}

  reset(): void {
    const { lines } = this.state
    this.state = { ...initialChipState(), lines }
  }

  setPin(pin: number, high: boolean): void {
    const s = this.state
    const bit = 1 << pin
    const was = (s.lines & bit) !== 0
    if (was === high) return
    s.lines = high ? s.lines | bit : s.lines & ~bit
    if (high) s.irr |= bit
    else if (this.isLevel(pin)) s.irr &= ~bit
    else return
    this.changed()
  }

  private isLevel(pin: number): boolean {
    return this.state.ltim || (this.state.elcr & (1 << pin)) !== 0
  }

  /** Distance of the highest-priority bit from the highest-priority pin; 8 = no bit set. */
  private priorityOf(bits: number): number {
    if (bits === 0) return 8
    let distance = 0
    while (distance < 8 && (bits & (1 << ((distance + this.state.highest) & 7))) === 0) distance++
    return distance
  }

  /** Pin whose request goes to the output now, or -1. */
  requestedPin(): number {
    const s = this.state
    const wanted = this.priorityOf(s.irr & ~s.imr)
    if (wanted === 8) return -1
    let inService = s.isr
    if (s.specialMask) inService &= ~s.imr
    // A master in special fully nested mode lets the slave interrupt again while a request of the slave is in service.
    if (s.specialFullyNested && this.isMaster) inService &= ~(1 << reg.CASCADE_PIN)
    return wanted < this.priorityOf(inService) ? (wanted + s.highest) & 7 : -1
  }

  /** INTA for a pin: moves the request in service. */
  acknowledge(pin: number): void {
    const s = this.state
    const bit = 1 << pin
    if (s.autoEoi) {
      if (s.rotateOnAutoEoi) s.highest = (pin + 1) & 7
    } else {
      s.isr |= bit
    }
    if (!this.isLevel(pin)) s.irr &= ~bit
  }

  read(a0: number): number {
    const s = this.state
    if (s.poll) {
      s.poll = false
      const pin = this.requestedPin()
      if (pin < 0) return 0
      this.acknowledge(pin)
      this.changed()
      return reg.POLL_PENDING | pin
    }
    if (a0 === 1) return s.imr
    return s.readIsr ? s.isr : s.irr
  }

  write(a0: number, value: number): void {
    if (a0 === 1) this.writeData(value)
    else if ((value & reg.ICW1_INIT) !== 0) this.initialize(value)
    else if ((value & reg.OCW3_SELECT) !== 0) this.writeOcw3(value)
    else this.writeOcw2(value)
    this.changed()
  }

  private initialize(icw1: number): void {
    const { lines, elcr, irr } = this.state
    this.state = {
      ...initialChipState(),
      imr: 0,
      lines,
      elcr,
      ltim: (icw1 & reg.ICW1_LTIM) !== 0,
      // The edge sense circuit is reset: an edge-triggered input needs a new low-to-high transition.
      irr: (icw1 & reg.ICW1_LTIM) !== 0 ? lines : irr & lines & elcr,
      nextIcw: 2,
      needsIcw4: (icw1 & reg.ICW1_IC4) !== 0,
      single: (icw1 & reg.ICW1_SNGL) !== 0,
    }
  }

  private writeData(value: number): void {
    const s = this.state
    const afterIcw3 = s.needsIcw4 ? 4 : 0
    switch (s.nextIcw) {
      case 2:
        s.vectorBase = value & reg.ICW2_VECTOR
        s.nextIcw = s.single ? afterIcw3 : 3
        break
      case 3:
        s.nextIcw = afterIcw3
        break
      case 4:
        s.autoEoi = (value & reg.ICW4_AEOI) !== 0
        s.specialFullyNested = (value & reg.ICW4_SFNM) !== 0
        s.nextIcw = 0
        break
      default:
        s.imr = value
    }
  }

  private writeOcw3(value: number): void {
    const s = this.state
    if ((value & reg.OCW3_POLL) !== 0) s.poll = true
    if ((value & reg.OCW3_RR) !== 0) s.readIsr = (value & reg.OCW3_RIS) !== 0
    if ((value & reg.OCW3_ESMM) !== 0) s.specialMask = (value & reg.OCW3_SMM) !== 0
  }

  private writeOcw2(value: number): void {
    const s = this.state
    const pin = value & 7
    switch (value >> 5) {
      case reg.OCW2_CLEAR_ROTATE_AEOI:
        s.rotateOnAutoEoi = false
        break
      case reg.OCW2_SET_ROTATE_AEOI:
        s.rotateOnAutoEoi = true
        break
      case reg.OCW2_EOI:
        this.endHighest(false)
        break
      case reg.OCW2_ROTATE_EOI:
        this.endHighest(true)
        break
      case reg.OCW2_SPECIFIC_EOI:
        s.isr &= ~(1 << pin)
        break
      case reg.OCW2_ROTATE_SPECIFIC_EOI:
        s.isr &= ~(1 << pin)
        s.highest = (pin + 1) & 7
        break
      case reg.OCW2_SET_PRIORITY:
        s.highest = (pin + 1) & 7
        break
      case reg.OCW2_NOP:
        break
    }
  }

  /** Non-specific EOI. In special mask mode it does not see masked pins ("Special Mask Mode"). */
  private endHighest(rotate: boolean): void {
    const s = this.state
    const distance = this.priorityOf(s.specialMask ? s.isr & ~s.imr : s.isr)
    if (distance === 8) return
    const pin = (distance + s.highest) & 7
    s.isr &= ~(1 << pin)
    if (rotate) s.highest = (pin + 1) & 7
  }

  writeElcr(value: number, writable: number): void {
    const s = this.state
    s.elcr = value & writable
    // A level-triggered input requests as long as it is high.
    s.irr = (s.irr & ~s.elcr) | (s.lines & s.elcr)
    this.changed()
  }
}
