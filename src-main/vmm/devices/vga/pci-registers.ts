import { BAD_WIDTH, NO_REGISTER } from '../device'
import type { IoFault, MmioHandler, PioHandler, Width } from '../device'
import type { Dispi } from './dispi'

const VGA_PORTS = 0x400
const VGA_PORTS_END = 0x420
const DISPI = 0x500
const DISPI_END = 0x516
const EXTENDED = 0x600
const EXTENDED_BYTES = 8
const BYTE_ORDER_LITTLE = 0x1e1e1e1e

/** BAR 2: the VGA ports 3C0h..3DFh at 400h, the DISPI registers as words at 500h, QEMU's extended registers (size, byte order) at 600h. */
export class VgaPciRegisters implements MmioHandler {
  constructor(
    private readonly ports: PioHandler,
    private readonly dispi: Dispi,
  ) {}

  mmioRead(offset: number, width: Width): number | IoFault {
    if (offset >= VGA_PORTS && offset + width <= VGA_PORTS_END) {
      let value = 0
      for (let i = 0; i < width; i++) {
        const byte = this.ports.pioRead(offset - VGA_PORTS + 0x3c0 + i, 1)
        value |= (typeof byte === 'number' ? byte : 0xff) << (8 * i)
      }
      return value >>> 0
    }
    if (offset >= DISPI && offset + width <= DISPI_END) {
      if (width !== 2 || (offset & 1) !== 0) return BAD_WIDTH
      return this.dispi.read((offset - DISPI) >> 1)
    }
    if (width === 4 && offset === EXTENDED) return EXTENDED_BYTES
    if (width === 4 && offset === EXTENDED + 4) return BYTE_ORDER_LITTLE
    return NO_REGISTER
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (offset >= VGA_PORTS && offset + width <= VGA_PORTS_END) {
      for (let i = 0; i < width; i++) this.ports.pioWrite(offset - VGA_PORTS + 0x3c0 + i, 1, (value >>> (8 * i)) & 0xff)
      return undefined
    }
    if (offset >= DISPI && offset + width <= DISPI_END) {
      if (width !== 2 || (offset & 1) !== 0) return BAD_WIDTH
      this.dispi.write((offset - DISPI) >> 1, value)
      return undefined
    }
    // Little-endian is the only byte order there is: asking for it is fine.
    if (width === 4 && offset === EXTENDED + 4 && value === BYTE_ORDER_LITTLE) return undefined
    return NO_REGISTER
  }
}
