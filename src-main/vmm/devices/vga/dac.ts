/** The palette DAC (INMOS IMSG171 and its 8-bit successors): 256 colours of 3 x 6 bits, or 3 x 8 when the VBE interface asks for it. */
import { rgba } from '../../backends/display/frame'

export interface DacState {
  readonly colours: Uint8Array
  readonly pelMask: number
  readonly readIndex: number
  readonly writeIndex: number
  /** Component (0 red, 1 green, 2 blue) of the next read or write. */
  readonly step: number
  /** The first two components of a colour being written: it changes when the third arrives. */
  readonly held: Uint8Array
  readonly reading: boolean
}

export class Dac {
  private colours = new Uint8Array(768)
  private pelMask = 0xff
  private readIndex = 0
  private writeIndex = 0
  private step = 0
  private held = new Uint8Array(2)
  private reading = false
  eightBit = false

  reset(): void {
    this.colours.fill(0)
    this.pelMask = 0xff
    this.readIndex = 0
    this.writeIndex = 0
    this.step = 0
    this.held.fill(0)
    this.reading = false
    this.eightBit = false
  }

  get mask(): number {
    return this.pelMask
  }

  set mask(value: number) {
    this.pelMask = value
  }

  get index(): number {
    return this.writeIndex
  }

  /** 3C7h read: 3 while reading colours, 0 while writing. */
  get accessState(): number {
    return this.reading ? 3 : 0
  }

  startRead(index: number): void {
    this.readIndex = index
    this.writeIndex = (index + 1) & 0xff
    this.step = 0
    this.reading = true
  }

  startWrite(index: number): void {
    this.writeIndex = index
    this.step = 0
    this.reading = false
  }

  readComponent(): number {
    const value = this.colours[this.readIndex * 3 + this.step] ?? 0
    if (++this.step === 3) {
      this.step = 0
      this.readIndex = (this.readIndex + 1) & 0xff
    }
    return value
  }

  /** True when a colour is complete, that is, when the picture may have changed. */
  writeComponent(value: number): boolean {
    const component = this.eightBit ? value : value & 0x3f
    if (this.step < 2) {
      this.held[this.step++] = component
      return false
    }
    this.colours.set(this.held, this.writeIndex * 3)
    this.colours[this.writeIndex * 3 + 2] = component
    this.step = 0
    this.writeIndex = (this.writeIndex + 1) & 0xff
    return true
  }

  /** The colours as the screen shows them for pixel values 0..255, pel mask applied. */
  fillPalette(target: Uint32Array): void {
    for (let value = 0; value < 256; value++) {
      const at = (value & this.pelMask) * 3
      target[value] = rgba(this.level(at), this.level(at + 1), this.level(at + 2))
    }
  }

  private level(at: number): number {
    const value = this.colours[at] ?? 0
    return this.eightBit ? value : ((value << 2) | (value >> 4)) & 0xff
  }

  save(): DacState {
    return {
      colours: this.colours.slice(),
      pelMask: this.pelMask,
      readIndex: this.readIndex,
      writeIndex: this.writeIndex,
      step: this.step,
      held: this.held.slice(),
      reading: this.reading,
    }
  }

  load(state: DacState): void {
    const { colours, pelMask, readIndex, writeIndex, step, held, reading, ...rest } = state
    rest satisfies Record<string, never>
    this.colours.fill(0)
    this.colours.set(colours.subarray(0, 768))
    this.pelMask = pelMask & 0xff
    this.readIndex = readIndex & 0xff
    this.writeIndex = writeIndex & 0xff
    this.step = step % 3
    this.held = Uint8Array.of(held[0] ?? 0, held[1] ?? 0)
    this.reading = reading
  }
}
