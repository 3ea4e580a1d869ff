/** A look into a VM, four times a second at most while somebody looks, and only when the last answer is there. */
import { onScopeDispose, ref, type Ref } from 'vue'
import type { Inspection, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { isOn } from '../power/power-rules'

const POLL_MS = 500

export function useInspection(vm: () => VmCard): Ref<Inspection | undefined> {
  const inspection = ref<Inspection>()
  let timer: number | undefined
  let ended = false

  async function ask(): Promise<void> {
    const seen = isOn(vm()) ? await answered(api.requests['vm.inspect']({ vm: vm().id })).catch(() => undefined) : undefined
    if (ended) return
    inspection.value = seen
    timer = window.setTimeout(() => void ask(), POLL_MS)
  }
  void ask()
  onScopeDispose(() => {
    ended = true
    window.clearTimeout(timer)
  })
  return inspection
}
