/** Figures of a running VM, as they cross to the window. */
import type { RunStats, TranslationStats } from '../vmm'
import type { VmStats } from './contract'

export function statsDto(stats: RunStats, screen: VmStats['screen']): VmStats {
  return {
    engine: stats.engine,
    instructions: stats.instructions,
    virtualSeconds: stats.virtualSeconds,
    uptimeSeconds: stats.uptimeSeconds,
    ...(stats.hostCpuSeconds === undefined ? {} : { hostCpuSeconds: stats.hostCpuSeconds }),
    memory: { ...stats.memory },
    ...(screen && { screen }),
    halts: stats.halts,
    exits: { ...stats.exits },
    interrupts: { ...stats.interrupts },
    unclaimedAccesses: stats.unclaimed.reduce((sum, { reads, writes }) => sum + reads + writes, 0),
    unknownOpcodes: Object.values(stats.unknownOpcodes).reduce((sum, count) => sum + count, 0),
    disks: stats.disks.map(({ name, readBytes, writtenBytes, reads, writes }) => ({ name, readBytes, writtenBytes, reads, writes })),
    timers: { ...stats.timers },
    ...(stats.hypervisor && { hypervisor: { name: stats.hypervisor.name, inUse: [...stats.hypervisor.inUse], counters: { ...stats.hypervisor.counters }, guest: { ...stats.hypervisor.guest } } }),
    ...(stats.translation && { translation: translationDto(stats.translation) }),
  }
}

function translationDto({ regionsCached, wasmBytes, regionsTranslated, failures, latestFailure, milliseconds }: TranslationStats): VmStats['translation'] {
  const { plan, emit, encode, compile, instantiate, link, longestPause } = milliseconds
  const times = { vmThreadMs: plan + instantiate + link, compileThreadMs: emit + encode + compile, longestPauseMs: longestPause }
  return { regions: regionsCached, wasmBytes, translated: regionsTranslated, ...times, failures, latestFailure }
}
