/** A canvas that shows frames: their parts are unpacked into a picture that is kept, and what they cover is put on the canvas. */
import { unpackPixels } from '../../../../src-main/vmm/backends/display/packed-pixels'
import type { ConsoleDown } from '../../../../src-main/ipc/contract'

type Frame = Extract<ConsoleDown, { readonly kind: 'frame' }>

export class FrameCanvas {
  private readonly context: OffscreenCanvasRenderingContext2D | null
  private image: ImageData | undefined
  private pixels: Uint32Array = new Uint32Array(0)

  constructor(private readonly canvas: OffscreenCanvas) {
    // In the processor's memory: pixels that come and go all the time are not worth a texture each.
    this.context = canvas.getContext('2d', { alpha: false, willReadFrequently: true })
  }

  /** true: it has another size than the frame before. */
  draw({ width, height, rects }: Frame): boolean {
    const resized = width !== this.image?.width || height !== this.image.height
    if (resized) {
      this.image = new ImageData(width, height)
      this.pixels = new Uint32Array(this.image.data.buffer)
      this.canvas.width = width
      this.canvas.height = height
    }
    for (const rect of rects) {
      unpackPixels(rect.packed, this.pixels, width, rect)
      if (this.image) this.context?.putImageData(this.image, 0, 0, rect.x, rect.y, rect.width, rect.height)
    }
    return resized
  }
}
