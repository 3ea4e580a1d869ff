/** A look into a VM, twice a second while somebody looks. */
import { ref, type Ref } from 'vue'
import type { Inspection, VmCard } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { isOn } from '../power/power-rules'
import { usePolling } from './use-polling'

const POLL_MS = 500

export function useInspection(vm: () => VmCard): Ref<Inspection | undefined> {
  const inspection = ref<Inspection>()
  usePolling(async () => (isOn(vm()) ? answered(api.requests['vm.inspect']({ vm: vm().id })) : undefined), (seen) => (inspection.value = seen), POLL_MS)
  return inspection
}
