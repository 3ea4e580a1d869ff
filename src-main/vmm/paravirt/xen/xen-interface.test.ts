import { describe, expect, it } from 'vitest'
import { gpa } from '../../support/branded'
import { CONSOLE_RING, GRANT_TABLE, SCRATCH, SHARED_INFO, STORE_RING, TestDomain, UPCALL_VECTOR } from './domain.fixture'

const READ = 2
const WATCH = 4
const START = 6
const END = 7
const WRITE = 11
const RM = 13
const EVENT = 15
const ERROR = 16

describe('hypercalls of a Xen guest', () => {
  it('says its version, and writes the page of calls where the guest wants it', () => {
    const domain = new TestDomain()
    expect(domain.xen.leaves[0]).toMatchObject({ leaf: 0x40000000, eax: 0x40000004, ebx: 0x566e6558 })
    expect(domain.xen.writeMsr(0, 0x40000000, 0x30000, 0)).toBe(true)
    expect([...Array(9).keys()].map((i) => domain.host.memory.readU8(gpa(0x30000 + 17 * 32 + i)))).toEqual([0xb8, 17, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3])
    expect(domain.xen.writeMsr(0, 0x40000000, 0x30001, 0)).toBe(false)
    expect(domain.xen.writeMsr(0, 0x40000000, 0xf0000000, 0)).toBe(false)
    expect(domain.call('xen_version', 0, 0)).toBe(0x40011)
  })

  it('refuses programs and unknown calls', () => {
    const domain = new TestDomain()
    domain.host.cpu.cpl = 3
    expect(domain.call('xen_version', 0)).toBe(-1)
    domain.host.cpu.cpl = 0
    expect(domain.call('mmu_update', 0)).toBe(-38)
    expect(domain.call('xen_version', 6, 0xf0000000n)).toBe(-14)
  })

  it('shows shared info in the place of RAM, and takes and gives back pages', () => {
    const domain = new TestDomain().start()
    const { memory } = domain.host
    memory.writeU32(gpa(0x40000), 0x12345678)
    memory.writeU64(gpa(0x50000), 0x40n)
    const reservation = [[8, 0x50000], [8, 1], [4, 0], [4, 0], [2, 0x7ff0]] as const
    expect(domain.callWith('memory_op', 1, reservation)).toBe(1)
    expect(domain.callWith('memory_op', 1, reservation)).toBe(0)
    expect(memory.readU32(gpa(0x40000))).toBe(0xffffffff)
    expect(domain.callWith('memory_op', 6, reservation)).toBe(1)
    expect(memory.readU32(gpa(0x40000))).toBe(0)
    expect(domain.callWith('memory_op', 6, reservation)).toBe(0)
    // the store's ring is not the guest's to move
    expect(domain.callWith('memory_op', 15, [[2, 0x7ff0], [8, STORE_RING / 0x1000]])).toBe(-22)
  })

  it('delivers events by vector, and once the guest unmasks', () => {
    const domain = new TestDomain().start()
    const { memory, interrupts } = domain.host
    expect(domain.callWith('event_channel_op', 7, [[4, 0], [4, 0]])).toBe(0)
    const port = domain.u32(SCRATCH + 4)
    domain.callWith('event_channel_op', 4, [[4, port]])
    expect(interrupts).toEqual([UPCALL_VECTOR])
    expect(memory.readU8(gpa(SHARED_INFO))).toBe(1)
    expect(memory.readU64(gpa(SHARED_INFO + 8))).toBe(1n)
    expect(memory.readU8(gpa(SHARED_INFO + 2048))).toBe(1 << port)
    // handled; the next one is masked
    memory.writeU8(gpa(SHARED_INFO), 0)
    memory.writeU64(gpa(SHARED_INFO + 8), 0n)
    memory.writeU8(gpa(SHARED_INFO + 2048), 0)
    memory.writeU8(gpa(SHARED_INFO + 2560), 1 << port)
    domain.callWith('event_channel_op', 4, [[4, port]])
    expect(interrupts.length).toBe(1)
    domain.callWith('event_channel_op', 9, [[4, port]])
    expect(interrupts.length).toBe(2)
    expect(domain.callWith('event_channel_op', 3, [[4, port]])).toBe(0)
    expect(domain.callWith('event_channel_op', 4, [[4, port]])).toBe(-22)
  })

  it('raises the timer\'s virtual interrupt when it is due, and refuses deadlines of the past when asked to', () => {
    const domain = new TestDomain().start()
    domain.callWith('event_channel_op', 1, [[4, 0], [4, 0], [4, 0]])
    domain.host.memory.writeU64(gpa(SCRATCH), 5_000_000n)
    domain.host.memory.writeU32(gpa(SCRATCH + 8), 1)
    expect(domain.call('vcpu_op', 8, 0, SCRATCH)).toBe(0)
    domain.host.time.advance(4_999_999)
    expect(domain.host.interrupts).toEqual([])
    domain.host.time.advance(1)
    expect(domain.host.interrupts).toEqual([UPCALL_VECTOR])
    domain.host.time.advance(1)
    expect(domain.call('vcpu_op', 8, 0, SCRATCH)).toBe(-62)
  })

  it('moves vcpu_info, with a record of time from which nanoseconds come out', () => {
    const domain = new TestDomain().start()
    domain.host.time.advance(1234)
    domain.host.cpu.tscOffset = 1000n
    domain.host.memory.writeU64(gpa(SCRATCH), 0x60n)
    domain.host.memory.writeU32(gpa(SCRATCH + 8), 0x100)
    domain.host.memory.writeU32(gpa(SCRATCH + 12), 0)
    expect(domain.call('vcpu_op', 10, 0, SCRATCH)).toBe(0)
    expect(domain.call('vcpu_op', 10, 0, SCRATCH)).toBe(-22)
    const record = 0x60100 + 32
    expect(domain.host.memory.readU64(gpa(record + 8))).toBe(2234n)
    expect(domain.host.memory.readU64(gpa(record + 16))).toBe(1234n)
    expect(domain.u32(record + 24)).toBe(0x80000000)
    expect(domain.host.memory.readU8(gpa(record + 28))).toBe(1)
  })

  it('ends and restarts the machine, and lets a suspended guest go on', () => {
    const domain = new TestDomain()
    expect(domain.callWith('sched_op', 2, [[4, 2]])).toBe(1)
    domain.callWith('sched_op', 2, [[4, 0]])
    domain.callWith('sched_op', 2, [[4, 1]])
    expect(domain.host.asked).toEqual(['power off', 'reset'])
  })

  it('runs calls in batches within one limit', () => {
    const domain = new TestDomain()
    const { memory } = domain.host
    for (const [i, value] of [17n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n, 0n].entries()) memory.writeU64(gpa(SCRATCH + i * 8), value)
    expect(domain.call('multicall', SCRATCH, 2)).toBe(0)
    expect(memory.readU64(gpa(SCRATCH + 8))).toBe(0x40011n)
    expect(memory.readU64(gpa(SCRATCH + 72))).toBe(BigInt.asUintN(64, -38n))
  })

  it('passes a console\'s bytes both ways', () => {
    const domain = new TestDomain().start()
    const { memory } = domain.host
    memory.write(gpa(CONSOLE_RING + 1024), Uint8Array.from('hi', (char) => char.charCodeAt(0)))
    memory.writeU32(gpa(CONSOLE_RING + 3084), 2)
    domain.callWith('event_channel_op', 4, [[4, 2]])
    expect(String.fromCharCode(...domain.printed)).toBe('hi')
    expect(domain.u32(CONSOLE_RING + 3080)).toBe(2)
    domain.terminal.send([0x41])
    expect([memory.readU8(gpa(CONSOLE_RING)), domain.u32(CONSOLE_RING + 3076)]).toEqual([0x41, 1])
  })
})

describe('the store', () => {
  it('answers what the toolstack has put there, and keeps the guest to what is its', () => {
    const domain = new TestDomain()
    expect(domain.store(READ, 'name\0')).toEqual([[READ, 'test']])
    expect(domain.store(READ, '/local/domain/1/domid\0')).toEqual([[READ, '1']])
    expect(domain.store(WRITE, 'name\0other')).toEqual([[ERROR, 'EACCES\0']])
    expect(domain.store(WRITE, 'data/a/b\0value')).toEqual([[WRITE, 'OK\0']])
    expect(domain.store(READ, 'data/a/b\0')).toEqual([[READ, 'value']])
    expect(domain.store(READ, 'data/../name\0')).toEqual([[ERROR, 'EINVAL\0']])
    expect(domain.store(RM, 'data/a\0')).toEqual([[RM, 'OK\0']])
    expect(domain.store(READ, 'data/a/b\0')).toEqual([[ERROR, 'ENOENT\0']])
  })

  it('tells of changes: at once, the guest\'s own, and those from outside', () => {
    const domain = new TestDomain().start()
    expect(domain.store(WATCH, 'control/shutdown\0token\0')).toEqual([[WATCH, 'OK\0'], [EVENT, 'control/shutdown\0token\0']])
    const before = domain.host.interrupts.length
    domain.host.memory.writeU8(gpa(SHARED_INFO), 0)
    domain.host.memory.writeU64(gpa(SHARED_INFO + 8), 0n)
    domain.host.memory.writeU8(gpa(SHARED_INFO + 2048), 0)
    domain.xen.requestShutdown('poweroff')
    expect(domain.answers()).toEqual([[EVENT, 'control/shutdown\0token\0']])
    expect(domain.host.interrupts.length).toBe(before + 1)
    expect(domain.store(READ, 'control/shutdown\0')).toEqual([[READ, 'poweroff']])
  })

  it('commits a transaction, or says to try again when someone came between', () => {
    const domain = new TestDomain()
    const begin = (): number => Number.parseInt(domain.store(START, '\0')[0]?.[1] ?? '')
    const first = begin()
    domain.store(WRITE, 'data/x\0one', first)
    expect(domain.store(READ, 'data/x\0')).toEqual([[ERROR, 'ENOENT\0']])
    expect(domain.store(END, 'T\0', first)).toEqual([[END, 'OK\0']])
    expect(domain.store(READ, 'data/x\0')).toEqual([[READ, 'one']])
    const second = begin()
    domain.store(READ, 'data/x\0', second)
    domain.store(WRITE, 'data/x\0two')
    domain.store(WRITE, 'data/y\0three', second)
    expect(domain.store(END, 'T\0', second)).toEqual([[ERROR, 'EAGAIN\0']])
    expect(domain.store(READ, 'data/y\0')).toEqual([[ERROR, 'ENOENT\0']])
  })

  it('bounds what a guest keeps in it', () => {
    const domain = new TestDomain()
    let last = ''
    for (let i = 0; i < 1100 && last !== 'ENOSPC\0'; i++) last = domain.store(WRITE, `data/n${i}\0`)[0]?.[1] ?? ''
    expect(last).toBe('ENOSPC\0')
    expect(domain.store(WRITE, `data/n0\0${'x'.repeat(2049)}`).slice(-1)).toEqual([])
  })
})

describe('saved state', () => {
  it('goes on where it was: pages, channels, store, watches, timer', () => {
    const before = new TestDomain().start()
    before.store(WATCH, 'data\0t\0')
    before.store(WRITE, 'data/x\0one')
    before.callWith('event_channel_op', 1, [[4, 0], [4, 0], [4, 0]])
    before.host.memory.writeU64(gpa(SCRATCH), 1000n)
    before.host.memory.writeU32(gpa(SCRATCH + 8), 0)
    before.call('vcpu_op', 8, 0, SCRATCH)
    const state = structuredClone(before.xen.save())

    const after = new TestDomain()
    for (const block of before.host.memory.allBlocks()) {
      const copy = after.host.memory.allBlocks().find(({ name }) => name === block.name)
      if (copy) after.host.memory.blockBytes(copy).set(before.host.memory.blockBytes(block))
    }
    after.xen.load(state)
    expect(after.xen.save()).toEqual(state)
    expect(after.u32(GRANT_TABLE)).toBe(0)
    after.answers()
    expect(after.store(WRITE, 'data/y\0two')).toEqual([[EVENT, 'data/y\0t\0'], [WRITE, 'OK\0']])
    const interrupts = after.host.interrupts.length
    after.host.memory.writeU8(gpa(SHARED_INFO), 0)
    after.host.memory.writeU64(gpa(SHARED_INFO + 8), 0n)
    after.host.time.advance(1000)
    expect(after.host.interrupts.length).toBe(interrupts + 1)
  })
})
