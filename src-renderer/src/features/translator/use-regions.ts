/** The hottest regions while somebody looks at them, and the one that is selected. */
import { onBeforeUnmount, ref, watch, type Ref } from 'vue'
import type { RegionDescription, RegionList, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { isOn } from '../power/power-rules'

const POLL_MS = 1000
const SHOWN = 100

export interface Regions {
  /** undefined: the VM is off, or has not answered yet. */
  readonly list: Ref<RegionList | undefined>
  readonly selected: Ref<number | undefined>
  readonly region: Ref<RegionDescription | undefined>
  /** The selected region is not in the code cache any more. */
  readonly gone: Ref<boolean>
}

export function useRegions(vm: () => VmCard): Regions {
  const list = ref<RegionList>()
  const selected = ref<number>()
  const region = ref<RegionDescription>()
  const gone = ref(false)
  let timer: number | undefined
  let ended = false

  async function refresh(): Promise<void> {
    const next = isOn(vm()) ? await answered(api.requests['vm.regions']({ vm: vm().id, count: SHOWN })).catch(() => undefined) : undefined
    if (ended) return
    list.value = next
    // The next question comes a while after the answer: a machine that is busy is not asked more often than it answers.
    timer = window.setTimeout(() => void refresh(), POLL_MS)
  }

  watch(selected, async (wanted) => {
    gone.value = false
    if (wanted === undefined) {
      region.value = undefined
      return
    }
    const found = await answered(api.requests['vm.region']({ vm: vm().id, id: wanted })).catch(() => undefined)
    if (selected.value !== wanted) return
    region.value = found
    gone.value = found === undefined
  })
  // A machine that was made anew counts its regions anew.
  watch(() => vm().power.type, (state) => {
    if (state === 'starting') selected.value = undefined
  })

  void refresh()
  onBeforeUnmount(() => {
    ended = true
    window.clearTimeout(timer)
  })
  return { list, selected, region, gone }
}
