/** PCI configuration space through ports CF8h/CFCh. PCI Local Bus Specification 3.0, section 3.2.2.3.2. */
import type { Width } from '../../bus/width'
import type { BiosIo } from './host'

/** Bus in bits 8..15, device 3..7, function 0..2. */
export type Bdf = number

export class PciConfig {
  constructor(private readonly io: Pick<BiosIo, 'pioRead' | 'pioWrite'>) {}

  private select(bdf: Bdf, register: number): void {
    this.io.pioWrite(0xcf8, 4, (0x80000000 | ((bdf & 0xffff) << 8) | (register & 0xfc)) >>> 0)
  }
  read(bdf: Bdf, register: number, width: Width): number {
    this.select(bdf, register)
    return this.io.pioRead(0xcfc + (register & (4 - width)), width)
  }
  write(bdf: Bdf, register: number, width: Width, value: number): void {
    this.select(bdf, register)
    this.io.pioWrite(0xcfc + (register & (4 - width)), width, value >>> 0)
  }
  /** All functions on bus 0 that answer. */
  functions(): Bdf[] {
    const found: Bdf[] = []
    for (let device = 0; device < 32; device++) {
      for (let f = 0; f < 8; f++) {
        const bdf = device * 8 + f
        if ((this.read(bdf, 0, 4) & 0xffff) !== 0xffff) found.push(bdf)
        const isMultifunction = (this.read(device * 8, 0x0e, 1) & 0x80) !== 0
        if (f === 0 && (!isMultifunction || found[found.length - 1] !== bdf)) break
      }
    }
    return found
  }
  classOf(bdf: Bdf): number {
    return this.read(bdf, 8, 4) >>> 8
  }
}
