/** INT 11h, 12h and 15h. IBM PS/2 and PC BIOS Interface Technical Reference; ACPI 6.3 section 15.1 (E820h); Ralf Brown's Interrupt List. */
import { gpa } from '../../../support/branded'
import { memoryMap } from '../../memory-map'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosOptions, BiosTask } from '../host'
import { BIOS_SEGMENT } from '../rom'

const STATUS_UNSUPPORTED = 0x86
const SMAP = 0x534d4150
const A20_BIT = 2

export class SystemService {
  constructor(
    private readonly options: BiosOptions,
    private readonly symbol: (name: string) => number,
  ) {}

  equipment(context: BiosContext): void {
    context.ax = this.options.memory.readU16(gpa(bda.BDA_EQUIPMENT))
  }
  baseMemory(context: BiosContext): void {
    context.ax = this.options.memory.readU16(gpa(bda.BDA_BASE_MEMORY_KIB))
  }

  handle(context: BiosContext): BiosTask | undefined {
    switch (context.ah) {
      case 0x24:
        this.a20(context)
        return undefined
      case 0x4f:
        // Keyboard intercept: the code goes on as it is.
        context.carry = true
        return undefined
      case 0x80:
      case 0x81:
      case 0x82:
      case 0x85:
      case 0x90:
      case 0x91:
        context.ah = 0
        context.carry = false
        return undefined
      case 0x83:
        this.eventWait(context)
        return undefined
      case 0x86:
        return this.wait(context)
      case 0x87:
        this.moveBlock(context)
        return undefined
      case 0x88: {
        const kib = Math.floor((this.options.memory.lowRamBytes - 0x100000) / 1024)
        context.ax = Math.max(0, Math.min(kib, 0xfc00))
        context.carry = false
        return undefined
      }
      case 0xc0:
        context.es = BIOS_SEGMENT
        context.bx = this.symbol('system_configuration')
        context.ah = 0
        context.carry = false
        return undefined
      case 0xc1:
        context.es = this.options.memory.readU16(gpa(bda.BDA_EBDA_SEGMENT))
        context.carry = false
        return undefined
      case 0xe8:
        this.memorySize(context)
        return undefined
      default:
        // Among them 53h, APM: absent.
        context.ah = STATUS_UNSUPPORTED
        context.carry = true
        return undefined
    }
  }

  private a20(context: BiosContext): void {
    const { io } = this.options
    const port = io.pioRead(0x92, 1)
    context.carry = false
    switch (context.al) {
      case 0x00:
        io.pioWrite(0x92, 1, port & ~(A20_BIT | 1))
        context.ah = 0
        return
      case 0x01:
        io.pioWrite(0x92, 1, (port & ~1) | A20_BIT)
        context.ah = 0
        return
      case 0x02:
        context.ah = 0
        context.al = (port & A20_BIT) !== 0 ? 1 : 0
        return
      case 0x03:
        // By keyboard controller and by port 92h.
        context.ah = 0
        context.bx = 3
        return
      default:
        context.ah = STATUS_UNSUPPORTED
        context.carry = true
    }
  }

  /** CX:DX microseconds. Long waits halt between timer ticks, the rest is polled. */
  private *wait(context: BiosContext): BiosTask {
    const { now } = this.options
    const microseconds = context.cx * 0x10000 + context.dx
    const end = now() + microseconds * 1000
    const tick = 60_000_000
    while (now() < end) yield end - now() > tick ? 'halt' : 'poll'
    context.ah = 0
    context.carry = false
  }

  /** AL=0: sets the top bit of a byte at ES:BX after CX:DX microseconds, by the RTC's periodic interrupt; AL=1 cancels. */
  private eventWait(context: BiosContext): void {
    const { memory, io } = this.options
    const isActive = (memory.readU8(gpa(bda.BDA_WAIT_ACTIVE)) & 1) !== 0
    const setPeriodic = (on: boolean): void => {
      io.pioWrite(0x70, 1, 0x8b)
      const control = io.pioRead(0x71, 1)
      io.pioWrite(0x70, 1, 0x8b)
      io.pioWrite(0x71, 1, on ? control | 0x40 : control & ~0x40)
      if (on) io.pioWrite(0xa1, 1, io.pioRead(0xa1, 1) & ~1)
    }
    if (context.al === 1) {
      memory.writeU8(gpa(bda.BDA_WAIT_ACTIVE), 0)
      setPeriodic(false)
      context.carry = false
      return
    }
    if (isActive) {
      context.ah = STATUS_UNSUPPORTED
      context.carry = true
      return
    }
    memory.writeU16(gpa(bda.BDA_WAIT_POINTER), context.bx)
    memory.writeU16(gpa(bda.BDA_WAIT_POINTER + 2), context.es)
    memory.writeU32(gpa(bda.BDA_WAIT_COUNT), context.cx * 0x10000 + context.dx)
    memory.writeU8(gpa(bda.BDA_WAIT_ACTIVE), 1)
    setPeriodic(true)
    context.ah = 0
    context.carry = false
  }

  /** ES:SI: a descriptor table; entry 2 the source, 3 the target. CX words. */
  private moveBlock(context: BiosContext): void {
    const { memory } = this.options
    const table = linear(context.es, context.si)
    const base = (entry: number): number => {
      const low = memory.readU32(gpa(table + entry * 8))
      const high = memory.readU32(gpa(table + entry * 8 + 4))
      return ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0
    }
    const bytes = new Uint8Array(Math.min(context.cx, 0x8000) * 2)
    memory.read(gpa(base(2)), bytes)
    memory.write(gpa(base(3)), bytes)
    context.ah = 0
    context.carry = false
    context.zero = true
  }

  private memorySize(context: BiosContext): void {
    const { memory } = this.options
    if (context.al === 0x20) {
      this.systemMap(context)
      return
    }
    if (context.al === 0x01 || context.al === 0x81) {
      // KiB between 1 and 16 MiB, 64 KiB blocks above.
      const low = Math.max(0, Math.min(0x3c00, Math.floor((memory.lowRamBytes - 0x100000) / 1024)))
      const high = Math.max(0, Math.floor((memory.lowRamBytes - 0x1000000) / 0x10000))
      context.ax = low
      context.bx = high
      context.cx = low
      context.dx = high
      context.carry = false
      return
    }
    context.ah = STATUS_UNSUPPORTED
    context.carry = true
  }

  private systemMap(context: BiosContext): void {
    const map = memoryMap(this.options.memory)
    const index = context.ebx
    const entry = map[index]
    if (context.edx !== SMAP || context.ecx < 20 || entry === undefined) {
      context.eax = (context.eax & 0xffff00ff) | (STATUS_UNSUPPORTED << 8)
      context.carry = true
      return
    }
    const { es, di } = context
    const put = (offset: number, value: number): void => {
      context.write32(es, di + offset, value % 0x100000000)
      context.write32(es, di + offset + 4, Math.floor(value / 0x100000000))
    }
    put(0, entry.address)
    put(8, entry.bytes)
    context.write32(es, di + 16, entry.type)
    const hasAttributes = context.ecx >= 24
    if (hasAttributes) context.write32(es, di + 20, 1)
    context.eax = SMAP
    context.ecx = hasAttributes ? 24 : 20
    context.ebx = index + 1 < map.length ? index + 1 : 0
    context.carry = false
  }
}
