import { describe, expect, it } from 'vitest'
import { gpa } from '../../support/branded'
import { FAKE_EPOCH_MS, FAKE_RAM_BYTES, FakeHypervisorHost } from '../../testing/fake-hypervisor-host'
import { randomNumbers } from '../../testing/describe-device'
import { Kvm } from './kvm'
import * as reg from './registers'

const AT = 0x4000
const SECOND = 1_000_000_000

function world(disabled: readonly string[] = []): { readonly kvm: Kvm; readonly host: FakeHypervisorHost } {
  const host = new FakeHypervisorHost()
  const kvm = new Kvm(disabled)
  kvm.connect(host)
  kvm.reset()
  return { kvm, host }
}

/** As the guest computes it: Linux's documentation of MSR_KVM_SYSTEM_TIME_NEW. */
function guestTime(host: FakeHypervisorHost, at = AT): bigint {
  const { memory } = host
  const u64 = (offset: number): bigint => memory.readU64(gpa(at + offset))
  const tsc = BigInt.asUintN(64, BigInt(host.time.now()) + host.cpu.tscOffset)
  const delta = BigInt.asUintN(64, tsc - u64(8))
  const shift = (memory.readU8(gpa(at + 28)) << 24) >> 24
  const shifted = shift < 0 ? delta >> BigInt(-shift) : delta << BigInt(shift)
  return u64(16) + ((shifted * BigInt(memory.readU32(gpa(at + 24)))) >> 32n)
}

describe('leaves', () => {
  it('have the signature and the features that are left', () => {
    const { kvm } = world(['pv-eoi', 'clock-old'])
    expect(kvm.leaves[0]).toEqual({ leaf: 0x40000000, eax: 0x40000010, ebx: 0x4b4d564b, ecx: 0x564b4d56, edx: 0x4d })
    expect(kvm.leaves[1]!.eax).toBe((1 << 1) | (1 << 3) | (1 << 5) | (1 << 12) | (1 << 24))
    expect(kvm.leaves[2]).toMatchObject({ leaf: 0x40000010, eax: 1_000_000, ebx: 1_000_000 })
  })
  it('refuse names that are no features', () => {
    expect(() => new Kvm(['clocks'])).toThrow('no such feature')
    expect(() => new Kvm(['clock', 'clock'])).toThrow('named twice')
  })
})

describe.each([['new', reg.MSR_SYSTEM_TIME, reg.MSR_WALL_CLOCK], ['old', reg.MSR_SYSTEM_TIME_OLD, reg.MSR_WALL_CLOCK_OLD]])('clock by the %s MSRs', (_, system, wall) => {
  it('counts virtual time from power-on', () => {
    const { kvm, host } = world()
    host.time.advance(5 * SECOND)
    expect(kvm.writeMsr(0, system, AT | 1, 0)).toBe(true)
    expect(guestTime(host)).toBe(BigInt(5 * SECOND))
    host.time.advance(123_456_789)
    expect(guestTime(host)).toBe(BigInt(5 * SECOND + 123_456_789))
    expect(host.memory.readU8(gpa(AT + 29))).toBe(reg.FLAG_TSC_STABLE)
    expect(host.memory.readU32(gpa(AT)) & 1).toBe(0)
    expect(kvm.readMsr(0, system)).toEqual([AT | 1, 0])
  })
  it('tells the wall clock of power-on', () => {
    const { kvm, host } = world()
    host.time.advance(7 * SECOND)
    kvm.writeMsr(0, wall, AT, 0)
    expect(host.memory.readU32(gpa(AT + 4))).toBe(FAKE_EPOCH_MS / 1000)
    expect([host.memory.readU32(gpa(AT)), host.memory.readU32(gpa(AT + 8))]).toEqual([2, 0])
  })
})

describe('clock', () => {
  it('goes on when the guest sets its TSC', () => {
    const { kvm, host } = world()
    host.time.advance(SECOND)
    kvm.writeMsr(0, reg.MSR_SYSTEM_TIME, AT | 1, 0)
    const version = host.memory.readU32(gpa(AT))
    host.cpu.tscOffset = BigInt.asUintN(64, -BigInt(SECOND))
    expect(kvm.writeMsr(0, reg.MSR_TSC, 0, 0)).toBeUndefined()
    expect(guestTime(host)).toBe(BigInt(SECOND))
    expect(host.memory.readU32(gpa(AT))).toBe(version + 2)
  })
  it('says that the guest was stopped only when real time was lost, and keeps that until the guest has seen it', () => {
    const { kvm, host } = world()
    kvm.writeMsr(0, reg.MSR_SYSTEM_TIME, AT | 1, 0)
    const flags = (): number => host.memory.readU8(gpa(AT + 29))
    kvm.resumed()
    expect(flags()).toBe(reg.FLAG_TSC_STABLE)
    host.lostMs = 60_000
    kvm.resumed()
    expect(flags()).toBe(reg.FLAG_TSC_STABLE | reg.FLAG_GUEST_STOPPED)
    kvm.writeMsr(0, reg.MSR_TSC, 0, 0)
    expect(flags()).toBe(reg.FLAG_TSC_STABLE | reg.FLAG_GUEST_STOPPED)
    kvm.writeMsr(0, reg.MSR_WALL_CLOCK, 0x5000, 0)
    expect(host.memory.readU32(gpa(0x5004))).toBe(FAKE_EPOCH_MS / 1000 + 60)
    kvm.resumed()
    expect(kvm.figures().counters['pauses']).toBe(1)
  })
  it('has no MSRs of features that are off', () => {
    const { kvm } = world(['clock', 'steal-time'])
    expect(kvm.writeMsr(0, reg.MSR_SYSTEM_TIME, AT | 1, 0)).toBeUndefined()
    expect(kvm.readMsr(0, reg.MSR_STEAL_TIME)).toBeUndefined()
    expect(kvm.writeMsr(0, reg.MSR_SYSTEM_TIME_OLD, AT | 1, 0)).toBe(true)
  })
})

describe('reserved bits', () => {
  it.each([[reg.MSR_SYSTEM_TIME, AT | 3], [reg.MSR_STEAL_TIME, AT | 5], [reg.MSR_PV_EOI, AT | 3], [reg.MSR_POLL_CONTROL, 2]])('of MSR %s are refused', (msr, value) => {
    const { kvm } = world()
    expect(kvm.writeMsr(0, msr, value, 0)).toBe(false)
  })
})

describe('stolen time', () => {
  it('is what has been stolen since it was switched on', () => {
    const { kvm, host } = world()
    host.stolen = 1000
    kvm.writeMsr(0, reg.MSR_STEAL_TIME, AT | 1, 0)
    host.stolen = 1500
    host.time.advance(SECOND)
    kvm.beforeSlice()
    expect(host.memory.readU64(gpa(AT))).toBe(500n)
    host.stolen = 1700
    host.time.advance(1000)
    kvm.beforeSlice()
    expect(host.memory.readU64(gpa(AT))).toBe(500n)
    host.time.advance(SECOND)
    kvm.beforeSlice()
    expect([host.memory.readU64(gpa(AT)), host.memory.readU32(gpa(AT + 8))]).toEqual([700n, 4])
  })
})

describe('end of interrupt', () => {
  it('is offered, taken once, and taken back', () => {
    const { kvm, host } = world()
    const { shortcut } = host
    shortcut!.offer()
    expect(host.memory.readU8(gpa(AT))).toBe(0)
    kvm.writeMsr(0, reg.MSR_PV_EOI, AT | 1, 0)
    shortcut!.offer()
    expect([host.memory.readU8(gpa(AT)), shortcut!.taken()]).toEqual([1, false])
    host.memory.writeU8(gpa(AT), 0)
    expect([shortcut!.taken(), shortcut!.taken()]).toEqual([true, false])
    shortcut!.offer()
    shortcut!.withdraw()
    expect([host.memory.readU8(gpa(AT)), shortcut!.taken()]).toEqual([0, false])
    expect(kvm.figures().counters).toMatchObject({ eoisOffered: 2, eoisSaved: 1, eoisWithdrawn: 1 })
  })
  it('survives being saved between offer and end', () => {
    const { kvm, host } = world()
    kvm.writeMsr(0, reg.MSR_PV_EOI, AT | 1, 0)
    host.shortcut!.offer()
    const other = world()
    other.host.memory.writeU8(gpa(AT), 0)
    other.kvm.load(structuredClone(kvm.save()))
    expect(other.host.shortcut!.taken()).toBe(true)
  })
})

describe('hypercalls', () => {
  const call = (bits: 32 | 64, number: number, more: (host: FakeHypervisorHost) => void = () => undefined): { result: bigint; host: FakeHypervisorHost } => {
    const { kvm, host } = world()
    host.cpu.codeBits = bits
    host.cpu.setGpr('rax', bits === 32 ? 0xdead_0000_0000n + BigInt(number) : number)
    more(host)
    expect(kvm.hypercall(0)).toBe('done')
    return { result: host.cpu.gpr('rax'), host }
  }
  it.each([[64, 0xffff_ffff_ffff_fc18n], [32, 0xffff_fc18n]] as const)('that there are not: -1000 in %s bits', (bits, expected) => {
    expect(call(bits, 77).result).toBe(expected)
  })
  it('are for the kernel', () => {
    expect(call(32, reg.HC_VAPIC_POLL_IRQ).result).toBe(0n)
    expect(call(32, reg.HC_VAPIC_POLL_IRQ, ({ cpu }) => (cpu.cpl = 3)).result).toBe(0xffffffffn)
  })
  it('pair the wall clock with the TSC', () => {
    const { host, result } = call(64, reg.HC_CLOCK_PAIRING, ({ cpu, time }) => {
      cpu.setGpr('rbx', AT)
      cpu.tscOffset = 17n
      time.advance(3 * SECOND + 5)
    })
    expect(result).toBe(0n)
    expect([host.memory.readU64(gpa(AT)), host.memory.readU64(gpa(AT + 8)), host.memory.readU64(gpa(AT + 16))]).toEqual([BigInt(FAKE_EPOCH_MS / 1000 + 3), 5n, BigInt(3 * SECOND + 22)])
  })
  it.each([[BigInt(FAKE_RAM_BYTES), 0n, -14n], [2n ** 64n - 4n, 0n, -14n], [BigInt(AT), 1n, -95n]])('pairing into %s of clock %s: %s', (address, clock, error) => {
    expect(BigInt.asIntN(64, call(64, reg.HC_CLOCK_PAIRING, ({ cpu }) => {
      cpu.setGpr('rbx', address)
      cpu.setGpr('rcx', clock)
    }).result)).toBe(error)
  })
})

it('a hostile guest is answered, whatever it writes where', () => {
  const { kvm, host } = world()
  const random = randomNumbers(5)
  const msrs = [reg.MSR_TSC, reg.MSR_WALL_CLOCK_OLD, reg.MSR_SYSTEM_TIME_OLD, reg.MSR_WALL_CLOCK, reg.MSR_SYSTEM_TIME, reg.MSR_STEAL_TIME, reg.MSR_PV_EOI, reg.MSR_POLL_CONTROL, 0x4b564d02]
  for (let i = 0; i < 20_000; i++) {
    const high = random() % 3 === 0 ? random() : 0
    kvm.writeMsr(0, msrs[random() % msrs.length]!, random() & (random() % 2 === 0 ? 0xffffffc1 : 0xffffffff), high)
    kvm.readMsr(0, msrs[random() % msrs.length]!)
    for (const register of ['rax', 'rbx', 'rcx'] as const) host.cpu.setGpr(register, (BigInt(random()) << BigInt(random() % 40)) & (random() % 2 === 0 ? 15n : 2n ** 64n - 1n))
    kvm.hypercall(0)
    host.stolen += random()
    host.time.advance(random() % SECOND)
    kvm.beforeSlice()
    host.shortcut!.offer()
    if (random() % 2 === 0) host.shortcut!.taken()
    else host.shortcut!.withdraw()
  }
  expect(kvm.figures().counters['hypercalls']).toBe(20_000)
})
