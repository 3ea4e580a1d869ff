/** A guest's picture outside its machine, for a window that opens later. What changed is kept packed, as it came, until it is more than the picture itself. */
import { PixelPacker, unpackPixels, type FrameRect } from '../vmm'

/** More parts than these are drawn together. */
const MAX_PARTS = 64

export class KeptPicture {
  width = 0
  height = 0
  private readonly packer = new PixelPacker()
  /** What the parts are drawn on; undefined: black. */
  private pixels: Uint32Array | undefined
  /** Changes since then, the oldest first. */
  private parts: FrameRect[] = []
  private words = 0

  /** A picture of another size begins black. */
  draw(width: number, height: number, parts: readonly FrameRect[]): void {
    if (width !== this.width || height !== this.height) {
      this.width = width
      this.height = height
      this.pixels = undefined
      this.forgetParts()
    }
    for (const part of parts) {
      if (this.isEverything(part)) this.forgetParts()
      this.parts.push(part)
      this.words += part.packed.length
    }
    // A part that is everything may be a word a row more.
    if (this.parts.length > MAX_PARTS || (this.parts.length > 1 && this.words > width * height)) this.drawParts()
  }

  isEverything({ width, height }: FrameRect): boolean {
    return width === this.width && height === this.height
  }

  /** Parts that draw all of it, in this order. */
  everything(): readonly FrameRect[] {
    const [first] = this.parts
    if (first && this.isEverything(first)) return [...this.parts]
    const { width, height } = this
    if (width === 0) return []
    const rect = { x: 0, y: 0, width, height }
    return [{ ...rect, packed: this.packer.pack({ width, height, pixels: this.drawParts() }, rect) }]
  }

  private drawParts(): Uint32Array {
    const pixels = (this.pixels ??= new Uint32Array(this.width * this.height).fill(BLACK))
    for (const part of this.parts) unpackPixels(part.packed, pixels, this.width, part)
    this.forgetParts()
    return pixels
  }

  private forgetParts(): void {
    this.parts = []
    this.words = 0
  }
}

/** As in Frame: R, G, B and A (255) in memory. */
const BLACK = 0xff000000
