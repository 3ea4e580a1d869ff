/** How the window looks and where input goes. */
import { ref } from 'vue'
import { defineStore } from 'pinia'
import { api } from '../api/client'

const LIT_MS = 150
export type Light = 'screen' | 'input' | 'serial'

export const useViewStore = defineStore('view', () => {
  const serialShown = ref(true)
  /** Share of the height that the serial console takes. */
  const serialShare = ref(0.3)
  const stretch = ref(false)
  const grabbed = ref(false)
  const lights = ref<Readonly<Record<Light, boolean>>>({ screen: false, input: false, serial: false })
  const timers: Partial<Record<Light, number>> = {}

  function setGrabbed(next: boolean): void {
    if (grabbed.value === next) return
    grabbed.value = next
    void api.requests['window.set-input-grabbed']({ grabbed: next })
  }

  /** Something passed: its light goes on for a moment. */
  function flash(light: Light): void {
    if (!lights.value[light]) lights.value = { ...lights.value, [light]: true }
    window.clearTimeout(timers[light])
    timers[light] = window.setTimeout(() => (lights.value = { ...lights.value, [light]: false }), LIT_MS)
  }

  return { serialShown, serialShare, stretch, grabbed, lights, setGrabbed, flash }
})
