/** INT 1Ah AH=B1h: PCI BIOS 2.1, in 16-bit code (the 32-bit one is in the ROM). */
import type { BiosContext } from '../context'
import type { BiosOptions } from '../host'
import { PciConfig } from '../pci-config'
import { PIRQ_IRQS, pirqOf } from '../pci-setup'

const NOT_SUPPORTED = 0x81
const DEVICE_NOT_FOUND = 0x86
const BAD_REGISTER = 0x87
const BUFFER_TOO_SMALL = 0x89

export class PciBiosService {
  private readonly config: PciConfig

  constructor(
    private readonly options: BiosOptions,
    private readonly symbol: (name: string) => number,
  ) {
    this.config = new PciConfig(options.io)
  }

  handle(context: BiosContext): void {
    const { config } = this
    switch (context.al & 0x7f) {
      case 0x01:
        context.eax = 0x0001
        context.bx = 0x0210
        context.cl = 0
        context.edx = 0x20494350
        this.succeed(context)
        return
      case 0x02: {
        const wanted = ((context.cx << 16) | context.dx) >>> 0
        this.find(context, (bdf) => config.read(bdf, 0, 4) === wanted)
        return
      }
      case 0x03: {
        const wanted = context.ecx & 0xffffff
        this.find(context, (bdf) => config.classOf(bdf) === wanted)
        return
      }
      case 0x06:
        context.ah = NOT_SUPPORTED
        context.carry = true
        return
      case 0x08:
      case 0x09:
      case 0x0a:
      case 0x0b:
      case 0x0c:
      case 0x0d:
        this.access(context)
        return
      case 0x0e:
        this.routingOptions(context)
        return
      default:
        this.options.unsupported?.(`PCI BIOS AL=${context.al.toString(16)}h`)
        context.ah = NOT_SUPPORTED
        context.carry = true
    }
  }

  private succeed(context: BiosContext): void {
    context.ah = 0
    context.carry = false
  }
  private fail(context: BiosContext, status: number): void {
    context.ah = status
    context.carry = true
  }

  private find(context: BiosContext, isWanted: (bdf: number) => boolean): void {
    const found = this.config.functions().filter(isWanted)[context.si]
    if (found === undefined) {
      this.fail(context, DEVICE_NOT_FOUND)
      return
    }
    context.bx = found
    this.succeed(context)
  }

  private access(context: BiosContext): void {
    const { config } = this
    const function_ = (context.al & 0x7f) - 8
    const width = ([1, 2, 4] as const)[function_ % 3] ?? 1
    const register = context.di
    if (register + width > 0x100 || register % width !== 0) {
      this.fail(context, BAD_REGISTER)
      return
    }
    if (function_ < 3) {
      const value = config.read(context.bx, register, width)
      if (width === 1) context.cl = value
      else if (width === 2) context.cx = value
      else context.ecx = value
    } else config.write(context.bx, register, width, width === 1 ? context.cl : width === 2 ? context.cx : context.ecx)
    this.succeed(context)
  }

  /** Routing table of ES:DI {size, far pointer}: 16 bytes for each slot. BX: IRQs that are for PCI alone. */
  private routingOptions(context: BiosContext): void {
    const slots = [...new Set(this.config.functions().map((bdf) => bdf >> 3))].filter((slot) => slot > 0)
    const { es, di } = context
    const room = context.read16(es, di)
    const bytes = slots.length * 16
    context.write16(es, di, bytes)
    if (room < bytes) {
      this.fail(context, BUFFER_TOO_SMALL)
      return
    }
    const offset = context.read16(es, di + 2)
    const segment = context.read16(es, di + 4)
    const bitmap = PIRQ_IRQS.reduce((bits, irq) => bits | (1 << irq), 0)
    slots.forEach((slot, i) => {
      const at = offset + i * 16
      context.write8(segment, at, 0)
      context.write8(segment, at + 1, slot << 3)
      for (let pin = 1; pin <= 4; pin++) {
        context.write8(segment, at + 2 + (pin - 1) * 3, 0x60 + pirqOf(slot, pin))
        context.write16(segment, at + 3 + (pin - 1) * 3, 0xdef8)
      }
      context.write8(segment, at + 14, 0)
      context.write8(segment, at + 15, 0)
    })
    context.bx = bitmap
    this.succeed(context)
  }

  /** Where the 32-bit entry is, for tests. */
  get directory(): number {
    return 0xf0000 + this.symbol('bios32')
  }
}
