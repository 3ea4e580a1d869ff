/** Figures of a VM while somebody looks: asked twice a second, the next time when the answer is there. */
import { ref, watch, type Ref } from 'vue'
import type { VmCard, VmStats } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { isOn } from '../power/power-rules'
import { usePolling } from './use-polling'
import { KEPT_POINTS, rateBetween, type RatePoint, type Sample } from './rates'

const POLL_MS = 500

export interface LiveStats {
  readonly now: Ref<Sample | undefined>
  readonly before: Ref<Sample | undefined>
  readonly points: Ref<readonly RatePoint[]>
}

export function useStats(vm: () => VmCard): LiveStats {
  const now = ref<Sample>()
  const before = ref<Sample>()
  const points = ref<readonly RatePoint[]>([])

  function heard(stats: VmStats | undefined): void {
    if (!stats) return
    before.value = now.value
    now.value = { at: Date.now(), stats }
    const point = before.value && rateBetween(before.value, now.value)
    if (point) points.value = [...points.value, point].slice(-KEPT_POINTS)
  }

  watch(() => vm().power.type, (state) => {
    if (state !== 'starting') return
    now.value = before.value = undefined
    points.value = []
  })
  usePolling(async () => (isOn(vm()) ? answered(api.requests['vm.stats']({ vm: vm().id })) : undefined), heard, POLL_MS)
  return { now, before, points }
}
