/** Whose the keyboard is: while a guest has the input, the window's shortcuts rest. */
import { ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import { api } from '../api/client'

export const useInputStore = defineStore('input', () => {
  const grabbed = ref(false)
  const fullScreen = ref(false)
  /** The screen that is shown next takes the input at once: it was another guest's when the user went on to this one. */
  const handingOver = ref(false)
  /** Presses keys in the guest whose screen is shown, together, and lets them go; undefined: none is shown, or it is not on. */
  const tap = shallowRef<(codes: readonly string[]) => void>()

  function setGrabbed(next: boolean): void {
    if (grabbed.value === next) return
    grabbed.value = next
    void api.requests['window.set-input-grabbed']({ grabbed: next })
  }

  function load(): void {
    api.events['window.full-screen-changed'](({ on }) => (fullScreen.value = on))
  }

  return { grabbed, fullScreen, handingOver, tap, setGrabbed, load }
})
