import { hostOffset } from '../../support/branded'
import { FakeClock } from '../../testing/fake-clock'
import { Vga } from './vga'
import type { Claim, MmioHandler } from '../device'

export const TEST_VRAM_BYTES: number = 16 * 1024 * 1024

/** A VGA on a board of its own: its window, its frame buffer and a clock that tests move. */
export class VgaBench {
  readonly clock: FakeClock = new FakeClock()
  readonly vram: Uint8Array
  readonly vga: Vga
  private dirty: Uint8Array
  private readonly window: MmioHandler

  constructor(vramBytes: number = TEST_VRAM_BYTES) {
    this.vram = new Uint8Array(vramBytes)
    this.dirty = new Uint8Array(vramBytes >> 12)
    this.vga = new Vga({
      clock: this.clock,
      vram: this.vram,
      vramBlock: { name: 'vga-vram', hostOffset: hostOffset(0), bytes: vramBytes, kind: 'ram' },
      takeDirty: () => {
        const taken = this.dirty
        this.dirty = new Uint8Array(taken.length)
        return taken
      },
    })
    const claim = this.vga.claims.find((c): c is Extract<Claim, { kind: 'mmio' }> => c.kind === 'mmio')
    if (claim === undefined) throw new Error('the VGA claims no memory window')
    this.window = claim.handler
  }

  /** A guest's access to guest-physical A0000h..BFFFFh. */
  write(address: number, value: number, width: 1 | 2 | 4 = 1): void {
    this.window.mmioWrite(address - 0xa0000, width, value)
  }

  read(address: number, width: 1 | 2 | 4 = 1): number {
    const value = this.window.mmioRead(address - 0xa0000, width)
    return typeof value === 'number' ? value : -1
  }

  /** A guest's write to the linear frame buffer. */
  writeLinear(offset: number, bytes: readonly number[]): void {
    this.vram.set(bytes, offset)
    for (let i = offset; i < offset + bytes.length; i++) this.dirty[i >> 12] = 1
  }

  out(port: number, value: number): void {
    this.vga.pioWrite(port, 1, value)
  }

  in(port: number): number {
    const value = this.vga.pioRead(port, 1)
    return typeof value === 'number' ? value : -1
  }

  indexed(port: number, index: number, value: number): void {
    this.out(port, index)
    this.out(port + 1, value)
  }

  readIndexed(port: number, index: number): number {
    this.out(port, index)
    return this.in(port + 1)
  }

  dispi(index: number, value: number): void {
    const claim = this.dispiPorts()
    claim.pioWrite(0x1ce, 2, index)
    claim.pioWrite(0x1cf, 2, value)
  }

  readDispi(index: number): number {
    const claim = this.dispiPorts()
    claim.pioWrite(0x1ce, 2, index)
    const value = claim.pioRead(0x1d0, 2)
    return typeof value === 'number' ? value : -1
  }

  setVbeMode(width: number, height: number, bpp: number, flags = 0x41): void {
    this.dispi(4, 0)
    this.dispi(1, width)
    this.dispi(2, height)
    this.dispi(3, bpp)
    this.dispi(4, flags)
    this.in(0x3da)
    this.in(0x3ba)
    this.out(0x3c0, 0x20)
  }

  print(text: string, row: number, column: number, attribute: number, columns = 80): void {
    ;[...text].forEach((character, i) => {
      this.write(0xb8000 + (row * columns + column + i) * 2, character.charCodeAt(0) | (attribute << 8), 2)
    })
  }

  private dispiPorts(): Extract<Claim, { kind: 'pio' }>['handler'] {
    const claim = this.vga.claims.find((c) => c.name === 'dispi')
    if (claim?.kind !== 'pio') throw new Error('the VGA claims no DISPI ports')
    return claim.handler
  }
}
