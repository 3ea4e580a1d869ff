/** The hottest regions while somebody looks at them, and the one that is selected. */
import { ref, watch, type Ref } from 'vue'
import type { RegionDescription, RegionList, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { usePolling } from '../inspection/use-polling'
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

  usePolling(async () => (isOn(vm()) ? answered(api.requests['vm.regions']({ vm: vm().id, count: SHOWN })) : undefined), (next) => (list.value = next), POLL_MS)
  return { list, selected, region, gone }
}
