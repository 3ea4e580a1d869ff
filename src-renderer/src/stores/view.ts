/** How the window looks and where input goes. */
import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import { api } from '../api/client'

const LIT_MS = 150
/** What stands below the screen. */
export type LowerPane = 'serial' | 'translator'
export type Light = 'screen' | 'input' | 'serial'

export const useViewStore = defineStore('view', () => {
  const lower = ref<LowerPane | undefined>('serial')
  /** Share of the height that each takes. */
  const shares = ref<Readonly<Record<LowerPane, number>>>({ serial: 0.3, translator: 0.45 })
  const lowerShare = computed({
    get: () => shares.value[lower.value ?? 'serial'],
    set: (share) => (shares.value = { ...shares.value, [lower.value ?? 'serial']: share }),
  })
  const stretch = ref(false)
  const grabbed = ref(false)
  const lights = ref<Readonly<Record<Light, boolean>>>({ screen: false, input: false, serial: false })
  const timers: Partial<Record<Light, number>> = {}

  function setGrabbed(next: boolean): void {
    if (grabbed.value === next) return
    grabbed.value = next
    void api.requests['window.set-input-grabbed']({ grabbed: next })
  }

  /** Shows a pane below the screen, instead of the other; or hides it. */
  function toggleLower(pane: LowerPane): void {
    lower.value = lower.value === pane ? undefined : pane
  }

  /** Something passed: its light goes on for a moment. */
  function flash(light: Light): void {
    if (!lights.value[light]) lights.value = { ...lights.value, [light]: true }
    window.clearTimeout(timers[light])
    timers[light] = window.setTimeout(() => (lights.value = { ...lights.value, [light]: false }), LIT_MS)
  }

  return { lower, lowerShare, stretch, grabbed, lights, setGrabbed, toggleLower, flash }
})
