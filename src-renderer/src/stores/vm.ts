/** The VM as the main process reports it, and the user's intents. Keeps no truth of its own. */
import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { VmDescription, VmState, VmStats } from '../../../src-main/ipc/contract'
import { answered, api, ApiError } from '../api/client'

export interface Rates {
  readonly mips: number
  readonly exitsPerSecond: number
  /** Parts of their time that the VM's thread and the compile thread spend on translation. */
  readonly translation?: { readonly vmThread: number; readonly compileThread: number }
}

const POLL_MS = 1000
const MEGA = 1e6

export const useVmStore = defineStore('vm', () => {
  const vm = ref<VmDescription>()
  const stats = ref<VmStats>()
  const rates = ref<Rates>()
  const screen = ref<{ readonly width: number; readonly height: number }>()
  /** An intent that was refused, in words. */
  const notice = ref<string>()
  let sample: { readonly at: number; readonly stats: VmStats } | undefined

  const state = computed<VmState>(() => vm.value?.state ?? { type: 'stopped' })
  const name = computed(() => vm.value?.name ?? 'Virtual Machine')
  const isOn = computed(() => state.value.type === 'running' || state.value.type === 'paused')

  async function load(): Promise<void> {
    api.events['vm.state-changed'](({ vm: id, state: next }) => {
      if (vm.value?.id !== id) return
      vm.value = { ...vm.value, state: next }
      if (next.type === 'starting') forgetFigures()
      // A speed is of a running machine only, and the time in between does not count.
      if (next.type !== 'running') {
        rates.value = undefined
        sample = undefined
      }
    })
    const [first] = await answered(api.requests['vm.describe']())
    vm.value = first
    setInterval(() => void poll(), POLL_MS)
  }

  function forgetFigures(): void {
    stats.value = undefined
    rates.value = undefined
    screen.value = undefined
    sample = undefined
  }

  async function poll(): Promise<void> {
    const id = vm.value?.id
    if (id === undefined || state.value.type !== 'running') return
    const next = await answered(api.requests['vm.stats']({ vm: id })).catch(() => undefined)
    if (!next || state.value.type !== 'running') return
    const at = performance.now()
    const last = sample
    sample = { at, stats: next }
    stats.value = next
    if (!last || next.instructions < last.stats.instructions) return
    const seconds = (at - last.at) / 1000
    const translation = translationShares(last.stats, next, seconds)
    rates.value = { mips: (next.instructions - last.stats.instructions) / seconds / MEGA, exitsPerSecond: (sum(next.exits) - sum(last.stats.exits)) / seconds, ...(translation && { translation }) }
  }

  async function act(intent: 'vm.power-on' | 'vm.pause' | 'vm.resume' | 'vm.reset' | 'vm.shut-down-guest' | 'vm.power-off'): Promise<void> {
    const id = vm.value?.id
    if (id === undefined) return
    try {
      await answered(api.requests[intent]({ vm: id }))
      notice.value = undefined
    } catch (error) {
      notice.value = error instanceof ApiError ? error.message : String(error)
    }
  }

  return { vm, state, name, isOn, stats, rates, screen, notice, load, act }
})

function translationShares({ translation: before }: VmStats, { translation: now }: VmStats, seconds: number): Rates['translation'] {
  if (!before || !now) return undefined
  // A job of the compile thread counts when it is done; it may have begun earlier.
  const share = (ms: number): number => Math.min(1, ms / 1000 / seconds)
  return { vmThread: share(now.vmThreadMs - before.vmThreadMs), compileThread: share(now.compileThreadMs - before.compileThreadMs) }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
