/** Draws the picture that a VM's folder keeps of its screen. */
import { watch, type Ref } from 'vue'
import { answered, api } from '../../api/client'
import { drawPng } from './draw-png'

/** `wanted`: whether there is nothing newer to show. */
export function useKeptPicture(canvas: Ref<HTMLCanvasElement | undefined>, vm: () => string, wanted: () => boolean): void {
  async function draw(): Promise<void> {
    const png = await answered(api.requests['library.thumbnail']({ vm: vm() }))
    if (png && wanted()) await drawPng(canvas, png)
  }
  // A screen without a picture is dark, which is no trouble to tell of.
  watch(canvas, (there) => there && draw().catch(() => undefined))
}
