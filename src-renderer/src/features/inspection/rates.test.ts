import { describe, expect, it } from 'vitest'
import type { VmStats } from '../../../../src-main/ipc/contract'
import { rateBetween, withRates, type Sample } from './rates'

const stats = (more: Partial<VmStats>): VmStats => ({ engine: 'translator', instructions: 0, virtualSeconds: 0, uptimeSeconds: 0, memory: { touchedBytes: 0, bytes: 0 }, halts: 0, exits: {}, interrupts: {}, unclaimedAccesses: 0, unknownOpcodes: 0, disks: [], timers: {}, ...more })
const sample = (at: number, more: Partial<VmStats>): Sample => ({ at, stats: stats(more) })
const disk = (readBytes: number, writtenBytes: number) => ({ name: 'ide0', readBytes, writtenBytes, reads: 0, writes: 0 })

describe('rates', () => {
  it('are differences by time', () => {
    const before = sample(1000, { instructions: 100, hostCpuSeconds: 1, exits: { pioReads: 2, pioWrites: 2 }, disks: [disk(1000, 0), disk(0, 10)] })
    const now = sample(3000, { instructions: 300, hostCpuSeconds: 2, exits: { pioReads: 6, pioWrites: 4 }, interrupts: { '0x20': 8 }, disks: [disk(3000, 0), disk(0, 30)], memory: { touchedBytes: 5, bytes: 9 } })
    expect(rateBetween(before, now)).toEqual({ at: 3, instructions: 100, cpu: 0.5, exits: 3, interrupts: 4, readBytes: 1000, writtenBytes: 10, touchedBytes: 5 })
  })

  it('are none between two machines, or at one moment', () => {
    expect(rateBetween(sample(0, { instructions: 5 }), sample(1000, { instructions: 4 }))).toBeUndefined()
    expect(rateBetween(sample(0, {}), sample(0, {}))).toBeUndefined()
  })

  it('tell that the host does not know', () => {
    expect(rateBetween(sample(0, {}), sample(1000, {}))?.cpu).toBeUndefined()
  })

  it('sort counts by their totals', () => {
    expect(withRates({ a: 1 }, { a: 3, b: 10, c: 0 }, 2)).toEqual([{ name: 'b', total: 10, rate: 5 }, { name: 'a', total: 3, rate: 1 }])
  })
})
