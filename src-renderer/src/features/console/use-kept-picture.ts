/** Draws the picture that a VM's folder keeps of its screen. */
import { watch, type Ref } from 'vue'
import { answered, api } from '../../api/client'

/** `wanted`: whether there is nothing newer to show. */
export function useKeptPicture(canvas: Ref<HTMLCanvasElement | undefined>, vm: () => string, wanted: () => boolean): void {
  async function draw(): Promise<void> {
    const png = await answered(api.requests['library.thumbnail']({ vm: vm() }))
    if (!png || !wanted()) return
    const picture = await createImageBitmap(new Blob([new Uint8Array(png)], { type: 'image/png' }))
    if (canvas.value) {
      canvas.value.width = picture.width
      canvas.value.height = picture.height
      canvas.value.getContext('2d')?.drawImage(picture, 0, 0)
    }
    picture.close()
  }
  // A screen without a picture is dark, which is no trouble to tell of.
  watch(canvas, (there) => there && draw().catch(() => undefined))
}
