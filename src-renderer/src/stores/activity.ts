/** Which devices of each VM were busy in the last moment: the lights of the status bar. */
import { ref } from 'vue'
import { defineStore } from 'pinia'
import { api } from '../api/client'

const LIT_MS = 300

export const useActivityStore = defineStore('activity', () => {
  const lit = ref<Readonly<Record<string, readonly string[]>>>({})
  const timers = new Map<string, number>()

  function load(): void {
    api.events['vm.activity'](({ vm, devices }) => {
      lit.value = { ...lit.value, [vm]: devices }
      window.clearTimeout(timers.get(vm))
      timers.set(vm, window.setTimeout(() => (lit.value = { ...lit.value, [vm]: [] }), LIT_MS))
    })
  }

  const isLit = (vm: string, device: string): boolean => lit.value[vm]?.includes(device) ?? false

  return { load, isLit }
})
