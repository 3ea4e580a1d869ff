/** INT 14h (serial ports) and INT 17h (there are no printers). IBM PS/2 and PC BIOS Interface Technical Reference. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import type { BiosOptions, BiosTask } from '../host'

const DIVISORS = [1047, 768, 384, 192, 96, 48, 24, 12]
const LSR_DATA_READY = 0x01
const LSR_THR_EMPTY = 0x20
const STATUS_TIMEOUT = 0x80
const NS_PER_SECOND = 1_000_000_000

export class PeripheralService {
  constructor(private readonly options: BiosOptions) {}

  serial(context: BiosContext): BiosTask | undefined {
    const { io, memory } = this.options
    const port = context.dx < 4 ? memory.readU16(gpa(bda.BDA_COM_PORTS + context.dx * 2)) : 0
    if (port === 0) {
      context.ah = STATUS_TIMEOUT
      return undefined
    }
    switch (context.ah) {
      case 0x00: {
        const divisor = DIVISORS[context.al >> 5] ?? 12
        io.pioWrite(port + 3, 1, 0x80)
        io.pioWrite(port, 1, divisor & 0xff)
        io.pioWrite(port + 1, 1, divisor >> 8)
        io.pioWrite(port + 3, 1, context.al & 0x1f)
        io.pioWrite(port + 1, 1, 0)
        break
      }
      case 0x01:
        return this.transfer(context, port, LSR_THR_EMPTY, () => io.pioWrite(port, 1, context.al))
      case 0x02:
        return this.transfer(context, port, LSR_DATA_READY, () => {
          context.al = io.pioRead(port, 1)
        })
      case 0x03:
        break
      default:
        return undefined
    }
    context.ah = io.pioRead(port + 5, 1)
    context.al = io.pioRead(port + 6, 1)
    return undefined
  }

  private *transfer(context: BiosContext, port: number, ready: number, act: () => void): BiosTask {
    const { io, now, memory } = this.options
    const seconds = memory.readU8(gpa(bda.BDA_COM_TIMEOUTS + (context.dx & 3)))
    const end = now() + Math.max(1, seconds) * NS_PER_SECOND
    io.pioWrite(port + 4, 1, io.pioRead(port + 4, 1) | 3)
    for (;;) {
      const status = io.pioRead(port + 5, 1)
      if ((status & ready) !== 0) {
        act()
        context.ah = status & 0x7f
        return
      }
      if (now() >= end) {
        context.ah = status | STATUS_TIMEOUT
        return
      }
      yield 'poll'
    }
  }

  printer(context: BiosContext): void {
    // Time-out, and not selected.
    context.ah = 0x01
  }
}
