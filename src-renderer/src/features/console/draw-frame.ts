/** Puts a frame's rectangles on the canvas. */
import type { ConsoleDown } from '../../../../src-main/ipc/contract'

type Frame = Extract<ConsoleDown, { readonly kind: 'frame' }>

export function drawFrame(canvas: HTMLCanvasElement, { width, height, rects }: Frame): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  // In the processor's memory: pixels that come and go all the time are not worth a texture each.
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true })
  for (const rect of rects) {
    // The bytes that came are the picture: no copy.
    const pixels = new Uint8ClampedArray(rect.rgba.buffer as ArrayBuffer, rect.rgba.byteOffset, rect.rgba.byteLength)
    context?.putImageData(new ImageData(pixels, rect.width, rect.height), rect.x, rect.y)
  }
}
