import { describe, expect, it } from 'vitest'
import { VirtioFuzzer } from './fuzz-virtio'
import { FUZZ_TARGETS } from './fuzz-virtio-targets'
import { Random } from './random'
import { TestGate } from './virtio-driver'

/** Generous, for slow and busy hosts. */
const SLOWEST_MS = 2000
const ROUNDS = 25

describe.each(['pci', 'mmio'] as const)('virtio devices by %s under a hostile driver', (kind) => {
  it.each(FUZZ_TARGETS.map((target) => [target.name, target] as const))('%s throws nothing, hangs nowhere and recovers by a reset', async (_name, target) => {
    const report = await new VirtioFuzzer(target, new Random(0x5eed), new TestGate(), kind).run(ROUNDS)
    expect(report.rounds).toBe(ROUNDS)
    expect(report.failures).toBeGreaterThan(0)
    expect(report.slowest.ms, report.slowest.what).toBeLessThan(SLOWEST_MS)
    expect(report.mostPending).toBeLessThan(256)
  }, 60_000)
})
