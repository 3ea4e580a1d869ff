/** A PNG of the main process's on a canvas. */
import type { Ref } from 'vue'

/** Answers whether it is a picture. */
export async function drawPng(canvas: Ref<HTMLCanvasElement | undefined>, png: Uint8Array): Promise<boolean> {
  const picture = await createImageBitmap(new Blob([new Uint8Array(png)], { type: 'image/png' })).catch(() => undefined)
  if (!picture) return false
  if (canvas.value) {
    canvas.value.width = picture.width
    canvas.value.height = picture.height
    canvas.value.getContext('2d')?.drawImage(picture, 0, 0)
  }
  picture.close()
  return true
}
