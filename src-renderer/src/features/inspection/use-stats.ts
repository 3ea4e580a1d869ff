/** Figures of a VM while somebody looks: asked twice a second, the next time when the answer is there. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import type { VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { isOn } from '../power/power-rules'
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
  let timer: number | undefined
  let ended = false

  async function ask(): Promise<void> {
    const stats = isOn(vm()) ? await answered(api.requests['vm.stats']({ vm: vm().id })).catch(() => undefined) : undefined
    if (ended) return
    if (stats) {
      before.value = now.value
      now.value = { at: Date.now(), stats }
      const point = before.value && rateBetween(before.value, now.value)
      if (point) points.value = [...points.value, point].slice(-KEPT_POINTS)
    }
    timer = window.setTimeout(() => void ask(), POLL_MS)
  }

  watch(() => vm().power.type, (state) => {
    if (state !== 'starting') return
    now.value = before.value = undefined
    points.value = []
  })
  void ask()
  onScopeDispose(() => {
    ended = true
    window.clearTimeout(timer)
  })
  return { now, before, points }
}
