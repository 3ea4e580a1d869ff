/** INT 1Ah (time of day, RTC) and the RTC's interrupt. IBM PS/2 and PC BIOS Interface Technical Reference. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosOptions } from '../host'

const REGISTER_B = 0x0b
const ALARM_ENABLE = 0x20
const PERIODIC_ENABLE = 0x40
/** Microseconds between the RTC's periodic interrupts at 1024 Hz, rounded down. */
const PERIOD_US = 976

export class TimeService {
  constructor(private readonly options: BiosOptions) {}

  private read(register: number): number {
    this.options.io.pioWrite(0x70, 1, register | 0x80)
    return this.options.io.pioRead(0x71, 1)
  }
  private write(register: number, value: number): void {
    this.options.io.pioWrite(0x70, 1, register | 0x80)
    this.options.io.pioWrite(0x71, 1, value)
  }

  handle(context: BiosContext): void {
    const { memory } = this.options
    context.carry = false
    switch (context.ah) {
      case 0x00: {
        const ticks = memory.readU32(gpa(bda.BDA_TICKS))
        context.cx = ticks >>> 16
        context.dx = ticks & 0xffff
        context.al = memory.readU8(gpa(bda.BDA_MIDNIGHT))
        memory.writeU8(gpa(bda.BDA_MIDNIGHT), 0)
        return
      }
      case 0x01:
        memory.writeU32(gpa(bda.BDA_TICKS), context.cx * 0x10000 + context.dx)
        memory.writeU8(gpa(bda.BDA_MIDNIGHT), 0)
        context.ah = 0
        return
      case 0x02:
        context.ch = this.read(4)
        context.cl = this.read(2)
        context.dh = this.read(0)
        context.dl = this.read(REGISTER_B) & 1
        context.ax = context.ch
        return
      case 0x03:
        this.write(REGISTER_B, 0x82)
        this.write(4, context.ch)
        this.write(2, context.cl)
        this.write(0, context.dh)
        this.write(REGISTER_B, 0x02 | (context.dl & 1))
        context.ah = 0
        return
      case 0x04:
        context.ch = this.read(0x32)
        context.cl = this.read(9)
        context.dh = this.read(8)
        context.dl = this.read(7)
        context.ax = context.ch
        return
      case 0x05: {
        const control = this.read(REGISTER_B)
        this.write(REGISTER_B, control | 0x80)
        this.write(0x32, context.ch)
        this.write(9, context.cl)
        this.write(8, context.dh)
        this.write(7, context.dl)
        this.write(REGISTER_B, control & ~0x80)
        context.ah = 0
        return
      }
      case 0x06: {
        const control = this.read(REGISTER_B)
        if ((control & ALARM_ENABLE) !== 0) {
          context.carry = true
          return
        }
        this.write(5, context.ch)
        this.write(3, context.cl)
        this.write(1, context.dh)
        this.write(REGISTER_B, control | ALARM_ENABLE)
        this.options.io.pioWrite(0xa1, 1, this.options.io.pioRead(0xa1, 1) & ~1)
        return
      }
      case 0x07:
        this.write(REGISTER_B, this.read(REGISTER_B) & ~ALARM_ENABLE)
        return
      default:
        context.ah = 0x86
        context.carry = true
    }
  }

  /** IRQ 8: the wait of INT 15h AH=83h counts down; AH=1 asks the entry point to tell the alarm's owner (INT 4Ah). */
  interrupt(context: BiosContext): void {
    const { memory } = this.options
    const cause = this.read(0x0c)
    context.ah = (cause & this.read(REGISTER_B) & ALARM_ENABLE) !== 0 ? 1 : 0
    if ((cause & PERIODIC_ENABLE) === 0 || (memory.readU8(gpa(bda.BDA_WAIT_ACTIVE)) & 1) === 0) return
    const left = memory.readU32(gpa(bda.BDA_WAIT_COUNT)) - PERIOD_US
    if (left > 0) {
      memory.writeU32(gpa(bda.BDA_WAIT_COUNT), left)
      return
    }
    const flag = gpa(linear(memory.readU16(gpa(bda.BDA_WAIT_POINTER + 2)), memory.readU16(gpa(bda.BDA_WAIT_POINTER))))
    memory.writeU32(gpa(bda.BDA_WAIT_COUNT), 0)
    memory.writeU8(gpa(bda.BDA_WAIT_ACTIVE), 0)
    memory.writeU8(flag, memory.readU8(flag) | 0x80)
    this.write(REGISTER_B, this.read(REGISTER_B) & ~PERIODIC_ENABLE)
  }
}
