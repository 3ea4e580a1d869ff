/** Live pictures of VMs, as small PNGs. The main process sends them for VMs that something in this window shows. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { defineStore } from 'pinia'
import { answered, api } from '../api/client'

export const useThumbnailsStore = defineStore('thumbnails', () => {
  const pictures = ref<Readonly<Record<string, Uint8Array>>>({})
  /** How many places show each. */
  const shown = new Map<string, number>()

  function load(): void {
    api.events['vm.thumbnail'](({ vm, png }) => (pictures.value = { ...pictures.value, [vm]: png }))
  }

  /** For as long as the scope (component) lives. */
  function show(id: Ref<string>): void {
    const count = (vm: string, by: number): void => {
      const now = (shown.get(vm) ?? 0) + by
      if (now > 0) shown.set(vm, now)
      else shown.delete(vm)
    }
    const tell = (): void => void api.requests['library.watch-thumbnails']({ vms: [...shown.keys()] })
    watch(
      id,
      async (vm, before) => {
        if (before !== undefined) count(before, -1)
        count(vm, 1)
        tell()
        const png = await answered(api.requests['library.thumbnail']({ vm })).catch(() => undefined)
        if (png) pictures.value = { ...pictures.value, [vm]: png }
      },
      { immediate: true },
    )
    onScopeDispose(() => {
      count(id.value, -1)
      tell()
    })
  }

  return { pictures, load, show }
})
