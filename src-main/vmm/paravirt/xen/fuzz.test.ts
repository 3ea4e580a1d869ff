/** Hostile guests, seeded: hypercalls with arbitrary numbers and arguments, and arbitrary bytes in rings and tables. Nothing may throw, and the domain recovers by reset. */
import { describe, expect, it } from 'vitest'
import { gpa } from '../../support/branded'
import { FAKE_RAM_BYTES } from '../../testing/fake-hypervisor-host'
import { HYPERCALL_NAMES } from './hypercall-numbers'
import { CONSOLE_RING, GRANT_TABLE, SCRATCH, SHARED_INFO, STORE_RING, TestDomain } from './domain.fixture'

const ROUNDS = Number(process.env['VITRINE_FUZZ_ROUNDS'] ?? 4000)
const NAMES = ['memory_op', 'event_channel_op', 'grant_table_op', 'vcpu_op', 'hvm_op', 'sched_op', 'xen_version', 'multicall', 'set_timer_op', 'console_io', 'vm_assist', 'platform_op'] as const

function random(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x100000000) * limit)
  }
}

describe('a hostile Xen guest', () => {
  it.each([1, 2, 3])('calls with anything (seed %i)', (seed) => {
    const next = random(seed)
    const domain = new TestDomain().start()
    const { memory } = domain.host
    const odd = [0, 1, 2, 0x7ff0, 0xffff, 0x10000, 0x1fffff, 0x7fffffff, 0xffffffff, SCRATCH, SHARED_INFO, GRANT_TABLE, STORE_RING]
    const value = (): bigint => (next(3) === 0 ? BigInt(next(0x100000000)) << BigInt(next(33)) : next(2) === 0 ? BigInt(odd[next(odd.length)] ?? 0) : BigInt(next(40)))
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < 8; i++) memory.writeU64(gpa(SCRATCH + i * 8), next(2) === 0 ? value() : BigInt(next(8)))
      const name = next(20) === 0 ? (HYPERCALL_NAMES[next(HYPERCALL_NAMES.length)] ?? 'iret') : (NAMES[next(NAMES.length)] ?? 'iret')
      if (next(4) === 0) memory.writeU64(gpa(next(FAKE_RAM_BYTES / 8) * 8), value())
      domain.host.cpu.codeBits = next(10) === 0 ? 32 : 64
      domain.call(name, next(30), next(4) === 0 ? value() : SCRATCH, next(3) === 0 ? value() : SCRATCH, value(), value())
      // a guest that has given back what it calls with does nothing more of interest
      if (next(200) === 0) {
        domain.xen.reset('hard')
        domain.start()
      }
      if (next(50) === 0) domain.host.time.advance(next(1_000_000))
    }
    domain.host.cpu.codeBits = 64
    domain.xen.reset('hard')
    expect(domain.call('xen_version', 0)).toBe(0x40011)
    expect(domain.store(2, 'name\0')).toEqual([[2, 'test']])
    expect(NAMES.every((name) => (domain.xen.figures().counters[name] ?? 0) > 0)).toBe(true)
    expect(domain.xen.figures().guest['memory KiB']).toBe(String(FAKE_RAM_BYTES / 1024))
  })

  it.each([4, 5])('fills the rings of store and console with anything (seed %i)', (seed) => {
    const next = random(seed)
    const domain = new TestDomain().start()
    const { memory } = domain.host
    for (let round = 0; round < ROUNDS; round++) {
      const ring = next(4) === 0 ? CONSOLE_RING : STORE_RING
      for (let i = 0; i < 16; i++) memory.writeU8(gpa(ring + next(4096)), next(256))
      if (ring === STORE_RING) {
        // often a header that is nearly right
        const consumer = domain.u32(STORE_RING + 2048)
        const word = (at: number, number: number): void => [0, 8, 16, 24].forEach((shift, i) => memory.writeU8(gpa(STORE_RING + ((consumer + at + i) % 1024)), (number >>> shift) & 0xff))
        word(0, next(24))
        word(8, next(4))
        word(12, next(40))
        memory.writeU32(gpa(STORE_RING + 2052), consumer + next(next(30) === 0 ? 5000 : 60))
        if (next(2) === 0) memory.writeU32(gpa(STORE_RING + 2056), domain.u32(STORE_RING + 2060))
      }
      domain.callWith('event_channel_op', 4, [[4, 1 + next(2)]])
      if (next(200) === 0) domain.xen.reset('hard')
    }
    domain.xen.reset('hard')
    expect(domain.store(2, 'name\0')).toEqual([[2, 'test']])
  })
})
